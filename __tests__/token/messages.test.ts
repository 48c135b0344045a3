import { type BipsyncAuthConfig } from '../../src';
import { memoryTokenStore } from '../stores/memory-store';
import { type Answer, ORIGIN, rejection, SECRET, scripted } from '../support/scripted';

/** What messages about it begin with. */
const ENDPOINT = `The token endpoint ${ORIGIN}/v1/oauth/token`;

async function asking(answer: Answer | Error, config: Partial<BipsyncAuthConfig> = {}): Promise<string> {
  jest.useFakeTimers();
  const state = scripted(config);
  state.onToken = () => answer;
  const failed = rejection(state.api.get('/v1/research'));
  await jest.advanceTimersByTimeAsync(20_000);
  jest.useRealTimers();
  return (await failed).message;
}

/** An error so many levels down, whose code alone says what it was. */
function nested(level: number): Error {
  let error: object = { code: 'EAI_AGAIN' };
  for (let above = level - 1; above > 1; above -= 1) error = { cause: error };
  return new Error('x', { cause: error });
}

afterEach(() => {
  jest.useRealTimers();
});

describe('a message says what happened, and what to do about it:', () => {
  it.each<[string, Answer | Error, string]>([
    [
      'a wrong secret',
      { status: 401 },
      ENDPOINT + ' answered 401. Check that clientId and clientSecret are correct and belong to this tenant.',
    ],
    [
      'a wrong scope',
      { status: 400, body: { error: 'invalid_scope' } },
      ENDPOINT + ' answered 400 (invalid_scope). Check that teamId and scopes were granted to the client.',
    ],
    [
      'a forbidden address',
      { status: 403, body: { message: 'No.', hint: 'IP' } },
      ENDPOINT +
        ' answered 403 (No. IP). Bipsync answers 403 to IP addresses that are not permitted. Ask your Bipsync administrator to permit the public IP address of this machine.',
    ],
    [
      'a redirect',
      { status: 302 },
      ENDPOINT + ' answered 302. Token requests do not follow redirects. Check client, baseURL and tokenUrl.',
    ],
    [
      'another refusal',
      { status: 404, body: '<html>' },
      ENDPOINT + ' answered 404. Check client, baseURL, tokenUrl and tokenEncoding.',
    ],
    [
      'another success',
      { status: 204 },
      ENDPOINT + ' answered 204. Check client, baseURL, tokenUrl and tokenEncoding.',
    ],
    [
      'an overload',
      { status: 429, body: { error: 'slow_down', error_description: 'Later.' } },
      ENDPOINT + ' answered 429 (slow_down: Later.). It limits the rate of requests. Try again later.',
    ],
    [
      'a failure',
      { status: 500 },
      ENDPOINT + ' answered 500. It cannot answer at the moment. Try again later.',
    ],
    [
      'no token',
      { body: {} },
      ENDPOINT +
        ' answered 200 without a valid access_token. Check the URL, and whether a gateway, login page or mock answers there.',
    ],
    [
      'no type',
      { body: { access_token: 'x' } },
      ENDPOINT +
        ' answered 200 without a valid token_type. Check the URL, and whether a gateway, login page or mock answers there.',
    ],
    [
      'no lifetime',
      { body: { access_token: 'x', token_type: 'bearer', expires_in: ' ' } },
      ENDPOINT +
        ' answered 200 without a valid expires_in. Check the URL, and whether a gateway, login page or mock answers there.',
    ],
    [
      'no network',
      Object.assign(new Error('x'), { code: 'ENOTFOUND' }),
      ENDPOINT +
        ' could not be reached (ENOTFOUND). Check the URL first, then the network, DNS and proxy settings of this machine.',
    ],
    [
      'no network, deeper down',
      Object.assign(new Error('x'), {
        code: 'ERR_NETWORK',
        cause: { code: 'EAI_AGAIN', cause: { code: 7 } },
      }),
      ENDPOINT +
        ' could not be reached (EAI_AGAIN). Check the URL first, then the network, DNS and proxy settings of this machine.',
    ],
    [
      'no network, five errors down',
      nested(5),
      ENDPOINT +
        ' could not be reached (EAI_AGAIN). Check the URL first, then the network, DNS and proxy settings of this machine.',
    ],
    [
      'no network, further down',
      nested(6),
      ENDPOINT +
        ' could not be reached. Check the URL first, then the network, DNS and proxy settings of this machine.',
    ],
    [
      'an error without a code',
      Object.assign(new Error('x'), { code: 'not a code' }),
      ENDPOINT +
        ' could not be reached. Check the URL first, then the network, DNS and proxy settings of this machine.',
    ],
    [
      'a redirect that fetch refused',
      Object.assign(new Error('x'), { cause: new Error('unexpected redirect') }),
      ENDPOINT +
        ' answered with a redirect. Token requests do not follow redirects. Check client, baseURL and tokenUrl.',
    ],
    [
      'the code ENOTFOUND of a host',
      Object.assign(new Error('x'), { code: 'ENOTFOUND of a host' }),
      ENDPOINT +
        ' could not be reached. Check the URL first, then the network, DNS and proxy settings of this machine.',
    ],
    [
      'the code the ENOTFOUND',
      Object.assign(new Error('x'), { code: 'the ENOTFOUND' }),
      ENDPOINT +
        ' could not be reached. Check the URL first, then the network, DNS and proxy settings of this machine.',
    ],
    [
      'the code Enotfound',
      Object.assign(new Error('x'), { code: 'Enotfound' }),
      ENDPOINT +
        ' could not be reached. Check the URL first, then the network, DNS and proxy settings of this machine.',
    ],
    [
      'the code EXXXXXXXXXXXXXXXXXXX',
      Object.assign(new Error('x'), {
        code: 'EXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX',
      }),
      ENDPOINT +
        ' could not be reached. Check the URL first, then the network, DNS and proxy settings of this machine.',
    ],
    [
      'the code E',
      Object.assign(new Error('x'), { code: 'E' }),
      ENDPOINT +
        ' could not be reached. Check the URL first, then the network, DNS and proxy settings of this machine.',
    ],
    [
      'a redirect of 300',
      { status: 300 },
      ENDPOINT + ' answered 300. Token requests do not follow redirects. Check client, baseURL and tokenUrl.',
    ],
    [
      'a redirect of 399',
      { status: 399 },
      ENDPOINT + ' answered 399. Token requests do not follow redirects. Check client, baseURL and tokenUrl.',
    ],
    [
      'a bad request',
      { status: 400 },
      ENDPOINT + ' answered 400. Check client, baseURL, tokenUrl and tokenEncoding.',
    ],
  ])(
    'the message of a failed token request says what happened and what to do about it: %s',
    async (_name, answer, message) => {
      expect(await asking(answer)).toBe(message);
    },
  );

  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('x');
      },
      'The clientSecret function threw an error. The error is not shown, because it could contain the secret. Call the function directly to see the error.',
    ],
    [
      'gives no text',
      () => 7,
      'The clientSecret function returned a non-string or an empty string. It must return the secret, or a promise of the secret.',
    ],
    [
      'gives white space',
      () => ' ',
      'The clientSecret function returned a non-string or an empty string. It must return the secret, or a promise of the secret.',
    ],
  ])(
    'the message says what is wrong with a secret function that %s',
    async (_name, clientSecret, message) => {
      expect(await asking({}, { clientSecret: clientSecret as () => string })).toBe(message);
    },
  );

  const endpoint = 'https://acme-api.bipsync.com/v1/oauth/token';
  it.each<[string, object, string]>([
    ['a secret', {}, `a proxy, the token endpoint ${endpoint}`],
    [
      'a secret function and a store',
      { clientSecret: () => SECRET, tokenStore: memoryTokenStore() },
      `the clientSecret function or file, the token store, a proxy, the token endpoint ${endpoint}`,
    ],
  ])(
    'the message of an acquisition that takes too long names what was waited for with %s',
    async (_with, config, parts) => {
      jest.useFakeTimers();
      const state = scripted({ tokenTimeoutMs: 1234, ...config });
      state.onToken = () => new Promise<never>(() => undefined);
      const failed = rejection(state.api.get('/v1/research'));
      await jest.advanceTimersByTimeAsync(1234);
      jest.useRealTimers();
      expect((await failed).message).toBe(
        `No token could be obtained within 1234 ms (tokenTimeoutMs). Check what may be too slow: the network, ${parts}. ` +
          'Or increase tokenTimeoutMs.',
      );
    },
  );
});
