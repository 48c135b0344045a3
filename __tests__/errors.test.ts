import { BipsyncAuthError, isBipsyncAuthError } from '../src';
import { good, rejected } from './support/rejected';
import { rejection, scripted } from './support/scripted';

afterEach(() => {
  jest.useRealTimers();
});

describe('an error holds what is known and nothing else', () => {
  const known = async (answer: object): Promise<string[]> => {
    jest.useFakeTimers();
    const state = scripted();
    state.onToken = () => answer;
    const failed = rejection(state.api.get('/v1/x'));
    await jest.advanceTimersByTimeAsync(10_000);
    return Object.keys(await failed).sort();
  };

  it('an error of a configuration has a code and a name, and nothing else', () => {
    expect(Object.keys(rejected({ ...good, clientId: '' })).sort()).toEqual(['code', 'name']);
  });

  it.each([
    [{ status: 404 }, ['code', 'name', 'retryAfterMs', 'tokenEndpointStatus']],
    [
      { status: 400, body: { error: 'x' } },
      ['code', 'name', 'oauthError', 'retryAfterMs', 'tokenEndpointStatus'],
    ],
    [
      { status: 400, body: { message: 'x' } },
      ['code', 'name', 'oauthErrorDescription', 'retryAfterMs', 'tokenEndpointStatus'],
    ],
  ])(
    'an error of a token request answered with %j has what is known, and nothing else',
    async (answer, keys) => {
      expect(await known(answer)).toEqual(keys);
    },
  );
});

it('an error as JSON has its message and all its fields', async () => {
  jest.useFakeTimers();
  const state = scripted({
    client: undefined,
    baseURL: 'https://gw.example/x',
    tokenUrl: 'https://gw.example/t?key=hush',
  });
  // The script tells a token request by the usual path.
  state.onApi = () => ({ status: 401, body: { error: 'invalid_client' } });
  const error = await rejection(state.api.get('/v1/x'));
  expect(JSON.parse(JSON.stringify(error))).toEqual({
    name: 'BipsyncAuthError',
    code: 'ERR_BIPSYNC_CREDENTIALS',
    message:
      'The token endpoint https://gw.example/t answered 401 (invalid_client). Check that clientId and clientSecret are ' +
      'correct and belong to this tenant.',
    tokenEndpointStatus: 401,
    oauthError: 'invalid_client',
    retryAfterMs: 30_000,
  });
});

it('installations and errors of another version of the package are recognised by a symbol that does not change', () => {
  const { api } = scripted();
  expect(Object.hasOwn(api, Symbol.for('axios-bipsync-auth.installed'))).toBe(true);
  expect(isBipsyncAuthError({ [Symbol.for('axios-bipsync-auth.error')]: true })).toBe(true);
});

describe('isBipsyncAuthError', () => {
  it('isBipsyncAuthError recognises errors of another copy of the package', () => {
    jest.isolateModules(() => {
      const other = jest.requireActual<{ BipsyncAuthError: typeof BipsyncAuthError }>('../src');
      const error = new other.BipsyncAuthError('ERR_BIPSYNC_SCOPE', 'x');
      expect(error instanceof BipsyncAuthError).toBe(false);
      expect(isBipsyncAuthError(error)).toBe(true);
    });
  });

  it.each([undefined, null, 'x', new Error('x'), { code: 'ERR_BIPSYNC_SCOPE', name: 'BipsyncAuthError' }])(
    'isBipsyncAuthError does not recognise %p',
    (value) => {
      expect(isBipsyncAuthError(value)).toBe(false);
    },
  );
});
