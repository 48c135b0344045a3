import { rejection, scripted, tokenAnswer } from '../support/scripted';
import { useVirtualTime } from './support';

useVirtualTime();

describe('5. expires_in', () => {
  it.each([
    ['missing', undefined, 3_600_000],
    ['null', null, 3_600_000],
    ['a numeric string', '120', 120_000],
    ['a fraction', 90.5, 90_500],
    ['more than a day', 1_000_000, 86_400_000],
  ])('an expires_in that is %s is read as documented', async (_name, expiresIn, lifetimeMs) => {
    const state = scripted();
    state.onToken = () => tokenAnswer('t', expiresIn);
    expect((await state.auth.getToken()).expiresAt).toBe(Date.now() + lifetimeMs);
  });

  it.each([0, -1, '-5', '0'])(
    'a token with an expires_in of %p serves the requests that wait for it, and is not kept',
    async (expiresIn) => {
      const state = scripted();
      state.onToken = () => tokenAnswer(`token-${state.tokenRequests.length}`, expiresIn);
      await Promise.all([state.api.get('/v1/a'), state.api.get('/v1/b')]);
      expect(state.tokenRequests).toHaveLength(1);
      await state.api.get('/v1/c');
      expect(state.sent).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2']);
    },
  );

  it.each([['soon'], [true], [{}], ['']])(
    'a token response with an expires_in of %p is rejected',
    async (expiresIn) => {
      const state = scripted();
      state.onToken = () => tokenAnswer('t', expiresIn);
      expect((await rejection(state.api.get('/v1/a')))['code']).toBe('ERR_BIPSYNC_TOKEN_RESPONSE');
    },
  );
});

describe('6. a token response that is not a usable bearer token is refused before anything reaches the API', () => {
  it.each([
    ['HTML', '<html>login</html>'],
    ['nothing', ''],
    ['cut JSON', '{"access_token":"abc'],
    ['null', 'null'],
    ['a list', []],
    ['no token', { token_type: 'bearer' }],
    ['a null token', { token_type: 'bearer', access_token: null }],
    ['an object for a token', { token_type: 'bearer', access_token: {} }],
    ['an empty token', { token_type: 'bearer', access_token: '' }],
    ['a token with a line break', { token_type: 'bearer', access_token: 'abc\r\nX-Evil: 1' }],
    ['a token with a space', { token_type: 'bearer', access_token: 'a b' }],
    ['another token type', { token_type: 'mac', access_token: 'abc' }],
    ['no token type', { access_token: 'abc' }],
  ])('a token response with %s is rejected, and nothing reaches the API', async (_name, body) => {
    const state = scripted();
    state.onToken = () => ({ body });
    const error = await rejection(state.api.get('/v1/research'));
    expect(error).toMatchObject({
      name: 'BipsyncAuthError',
      code: 'ERR_BIPSYNC_TOKEN_RESPONSE',
      tokenEndpointStatus: 200,
    });
    expect(state.apiRequests).toHaveLength(0);
  });

  it.each(['Bearer', 'bearer', 'BEARER'])('the token_type %s is accepted', async (type) => {
    const state = scripted();
    state.onToken = () => ({ body: { token_type: type, access_token: 'aZ09-._~+/==' } });
    expect((await state.auth.getToken()).accessToken).toBe('aZ09-._~+/==');
  });
});
