import axios, { type AxiosInstance } from 'axios';

import { type BipsyncAuthConfig, installBipsyncAuth } from '../../src';
import { type Answer, ORIGIN, rejection, scripted } from '../support/scripted';

/** What messages about it begin with. */
const ENDPOINT = `The token endpoint ${ORIGIN}/v1/oauth/token`;

const good = { client: 'acme', clientId: 'the-client', clientSecret: 'hush', teamId: 'a1' };
const NOT_A_STORE = 'tokenStore must be an object with the methods get and set (and lock, if it has one)';
const redisClient = (send: string): string =>
  'tokenStore is a Redis client, whose own set would keep a token for ever: write redisTokenStore({ sendCommand: ' +
  `(...args) => client.${send} }), from axios-bipsync-auth/stores`;
const refused = 'The configuration of axios-bipsync-auth was rejected';

function installing(config: unknown, api: AxiosInstance = axios.create()): string {
  try {
    installBipsyncAuth(api, config as BipsyncAuthConfig);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('was accepted');
}

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
  it.each<[string, unknown, string]>([
    ['no object', null, 'it must be an object'],
    ['text', 'acme', 'it must be an object'],
    [
      'client',
      { ...good, client: 'a_b' },
      'client is the subdomain alone, acme for acme-api.bipsync.com: letters, digits and hyphens',
    ],
    [
      'a client that ends with a hyphen',
      { ...good, client: 'ab-' },
      'client is the subdomain alone, acme for acme-api.bipsync.com: letters, digits and hyphens',
    ],
    [
      'a client that begins with a hyphen',
      { ...good, client: '-ab' },
      'client is the subdomain alone, acme for acme-api.bipsync.com: letters, digits and hyphens',
    ],
    [
      'a client too long for a host',
      { ...good, client: 'a'.repeat(60) },
      'client is the subdomain alone, acme for acme-api.bipsync.com: letters, digits and hyphens',
    ],
    ['baseURL', { ...good, client: undefined, baseURL: '/v1' }, 'baseURL must be an absolute URL'],
    ['a baseURL that is no text', { ...good, baseURL: 1 }, 'baseURL must be an absolute URL'],
    [
      'a baseURL that is no text, and no client',
      { ...good, client: undefined, baseURL: 1 },
      'baseURL must be an absolute URL',
    ],
    [
      'a baseURL of another protocol',
      { ...good, client: undefined, baseURL: 'ftp://localhost' },
      'baseURL must use https (http is for loopback hosts)',
    ],
    [
      'a baseURL whose host begins like a loopback address',
      { ...good, client: undefined, baseURL: 'http://127.example' },
      'baseURL must use https (http is for loopback hosts)',
    ],
    [
      'a baseURL whose host is another address',
      { ...good, client: undefined, baseURL: 'http://10.0.0.1' },
      'baseURL must use https (http is for loopback hosts)',
    ],
    ['tokenUrl', { ...good, tokenUrl: 1 }, 'tokenUrl must be an absolute URL'],
    ['a relative tokenUrl', { ...good, tokenUrl: '/token' }, 'tokenUrl must be an absolute URL'],
    [
      'a tokenUrl with a fragment',
      { ...good, tokenUrl: 'https://a.example/#x' },
      'tokenUrl must not have a fragment, nor a path that begins with //',
    ],
    [
      'clientId',
      { ...good, clientId: undefined },
      'clientId is required: a string (in the environment: BIPSYNC_CLIENT_ID)',
    ],
    [
      'clientSecret',
      { ...good, clientSecret: '' },
      'clientSecret is required: a string, or a function that returns one (in the environment: BIPSYNC_CLIENT_SECRET, or BIPSYNC_CLIENT_SECRET_FILE)',
    ],
    ['teamId', { ...good, teamId: 7 }, 'teamId must be a string'],
    ['no teamId', { ...good, teamId: undefined }, 'teamId is required (in the environment: BIPSYNC_TEAM_ID)'],
    [
      'a teamId that is a prefix alone',
      { ...good, teamId: 'team_' },
      'teamId and scopes may hold visible ASCII characters without spaces, quotes and backslashes',
    ],
    [
      'scopes',
      { ...good, scopes: 7 },
      'scopes must be an array of strings, or one string with spaces between the scopes',
    ],
    [
      'scopes, where they might name the team',
      { ...good, teamId: undefined, scopes: 7 },
      'scopes must be an array of strings, or one string with spaces between the scopes',
    ],
    [
      'scopes that are not all text',
      { ...good, scopes: ['a', 7] },
      'scopes must be an array of strings, or one string with spaces between the scopes',
    ],
    [
      'allowedOrigins',
      { ...good, allowedOrigins: 'https://a.example' },
      'allowedOrigins must be an array of origins',
    ],
    ['a relative origin', { ...good, allowedOrigins: ['/v1'] }, 'allowedOrigins must be an absolute URL'],
    [
      'an origin in clear',
      { ...good, allowedOrigins: ['http://a.example'] },
      'allowedOrigins must use https (http is for loopback hosts)',
    ],
    [
      'an origin with a path',
      { ...good, allowedOrigins: ['https://a.example/v1'] },
      'allowedOrigins must hold origins alone, without a path, a query or a wildcard',
    ],
    [
      'user info',
      { ...good, allowedOrigins: ['https://u@a.example'] },
      'allowedOrigins must not hold user info; allowedOrigins must hold origins alone, without a path, a query or a wildcard',
    ],
    [
      'a wildcard',
      { ...good, allowedOrigins: ['https://*.bipsync.com'] },
      'allowedOrigins must hold origins alone, without a path, a query or a wildcard',
    ],
    [
      'a baseURL with a query',
      { ...good, client: undefined, baseURL: `${ORIGIN}/?a=1` },
      'baseURL must not have a query or a fragment',
    ],
    [
      'a baseURL with a fragment',
      { ...good, client: undefined, baseURL: `${ORIGIN}/#a` },
      'baseURL must not have a query or a fragment',
    ],
    ['tokenEncoding', { ...good, tokenEncoding: 'xml' }, "tokenEncoding must be 'form' or 'json'"],
    [
      'tokenTimeoutMs',
      { ...good, tokenTimeoutMs: 0 },
      'tokenTimeoutMs must be a number of milliseconds from 1 to 300000',
    ],
    [
      'a longer tokenTimeoutMs',
      { ...good, tokenTimeoutMs: 300_001 },
      'tokenTimeoutMs must be a number of milliseconds from 1 to 300000',
    ],
    [
      'refreshWindowMs',
      { ...good, refreshWindowMs: -1 },
      'refreshWindowMs must be a number of milliseconds from 0 to 86400000',
    ],
    [
      'expiryMarginMs',
      { ...good, expiryMarginMs: '5' },
      'expiryMarginMs must be a number of milliseconds from 0 to 86400000',
    ],
    ['tokenStore', { ...good, tokenStore: { get: () => 1 } }, NOT_A_STORE],
    [
      'a Redis client, which would keep a token for ever',
      { ...good, tokenStore: { get: () => 1, set: () => 1, sendCommand: () => 1 } },
      redisClient('sendCommand(args)'),
    ],
    [
      'another one',
      { ...good, tokenStore: { get: () => 1, set: () => 1, call: () => 1 } },
      redisClient('call(...args)'),
    ],
    ['a tokenStore that is null', { ...good, tokenStore: null }, NOT_A_STORE],
    [
      'a lock that is none',
      { ...good, tokenStore: { get: () => 1, set: () => 1, lock: 1 } },
      'tokenStore must have a function as lock, or no lock',
    ],
    ['onEvent', { ...good, onEvent: 'log' }, 'onEvent must be a function'],
    ['both client and baseURL', { ...good, baseURL: ORIGIN }, 'client and baseURL exclude each other'],
    [
      'neither',
      { ...good, client: undefined },
      'client or baseURL is required (in the environment: BIPSYNC_CLIENT or BIPSYNC_BASE_URL)',
    ],
  ])('configuration, %s', (_name, config, problem) => {
    expect(installing(config)).toBe(`${refused}: ${problem}.`);
  });

  it('configuration, a misspelt option', () => {
    expect(installing({ ...good, teemId: 'x', scope: 'y' })).toBe(
      `${refused}: there is no option "teemId", "scope", only client, baseURL, tokenUrl, clientId, clientSecret, teamId, ` +
        'scopes, allowedOrigins, tokenEncoding, tokenTimeoutMs, refreshWindowMs, expiryMarginMs, tokenStore, onEvent.',
    );
  });

  it.each<[string, () => string, string]>([
    [
      'no axios instance',
      () => installing(good, {} as unknown as AxiosInstance),
      'The first argument must be an axios instance, as axios.create() returns it: it has no defaults. In a test that replaces ' +
        "axios, add it to the stand-in, or replace the plugin too: jest.mock('axios-bipsync-auth').",
    ],
    [
      'a second installation',
      () => {
        const { api } = scripted();
        return installing(good, api);
      },
      'axios-bipsync-auth is installed on this axios instance already. Use the instance as it is, or call eject() on the handle ' +
        'of the first installation. A second Nest testing module on a bare HttpModule gets the same instance as the first, the ' +
        'default export of axios: import HttpModule.register({}) instead, which makes a separate one.',
    ],
    [
      'Basic credentials',
      () => installing(good, axios.create({ auth: { username: 'u', password: 'p' } })),
      `${refused}: the axios instance must not have \`defaults.auth\`, because axios would silently drop the access token: remove it.`,
    ],
    [
      'another home',
      () => installing(good, axios.create({ baseURL: 'https://other.example/v1' })),
      `${refused}: the axios instance sends requests to https://other.example, but the token is for ${ORIGIN}: use a ` +
        'separate instance, or add the origin to allowedOrigins if it may have the token.',
    ],
    [
      'a home that is none',
      () => installing(good, axios.create({ baseURL: '/v1' })),
      `${refused}: the axios instance sends requests to a baseURL that is not an absolute http(s) URL, but the token is for ` +
        `${ORIGIN}: use a separate instance, or add the origin to allowedOrigins if it may have the token.`,
    ],
    [
      'its home where it is the configuration’s too, but relative',
      () => installing({ ...good, client: undefined }, axios.create({ baseURL: '/v1' })),
      `${refused}: the instance's baseURL must be an absolute URL.`,
    ],
  ])('instance, %s', (_name, install, message) => {
    expect(install()).toBe(message);
  });

  it.each<[string, Answer | Error, string]>([
    [
      'a wrong secret',
      { status: 401 },
      ENDPOINT + ' answered 401. Check clientId and clientSecret, and that they belong to this tenant.',
    ],
    [
      'a wrong scope',
      { status: 400, body: { error: 'invalid_scope' } },
      ENDPOINT +
        ' answered 400 (invalid_scope). Check teamId and scopes against what the client was granted.',
    ],
    [
      'a forbidden address',
      { status: 403, body: { message: 'No.', hint: 'IP' } },
      ENDPOINT +
        " answered 403 (No. IP). Have this machine's public IP address permitted in Bipsync. Bipsync answers 403 to addresses that are not.",
    ],
    [
      'a redirect',
      { status: 302 },
      ENDPOINT +
        ' answered 302. Redirects are not followed with a secret. Check client, baseURL and tokenUrl.',
    ],
    [
      'another refusal',
      { status: 404, body: '<html>' },
      ENDPOINT + ' answered 404. Check client, baseURL or tokenUrl, and tokenEncoding.',
    ],
    [
      'another success',
      { status: 204 },
      ENDPOINT + ' answered 204. Check client, baseURL or tokenUrl, and tokenEncoding.',
    ],
    [
      'an overload',
      { status: 429, body: { error: 'slow_down', error_description: 'Later.' } },
      ENDPOINT + ' answered 429 (slow_down: Later.). It is overloaded or out of order. Try again later.',
    ],
    [
      'a failure',
      { status: 500 },
      ENDPOINT + ' answered 500. It is overloaded or out of order. Try again later.',
    ],
    [
      'no token',
      { body: {} },
      ENDPOINT +
        ' answered 200 without a valid access_token. Check that it is the token endpoint, and that no gateway, login page or mock answers in its place.',
    ],
    [
      'no type',
      { body: { access_token: 'x' } },
      ENDPOINT +
        ' answered 200 without a valid token_type. Check that it is the token endpoint, and that no gateway, login page or mock answers in its place.',
    ],
    [
      'no lifetime',
      { body: { access_token: 'x', token_type: 'bearer', expires_in: ' ' } },
      ENDPOINT +
        ' answered 200 without a valid expires_in. Check that it is the token endpoint, and that no gateway, login page or mock answers in its place.',
    ],
    [
      'no network',
      Object.assign(new Error('x'), { code: 'ENOTFOUND' }),
      ENDPOINT +
        ' could not be reached (ENOTFOUND). Check that it is the right one, and the network, DNS and proxy settings between this machine and it.',
    ],
    [
      'no network, deeper down',
      Object.assign(new Error('x'), {
        code: 'ERR_NETWORK',
        cause: { code: 'EAI_AGAIN', cause: { code: 7 } },
      }),
      ENDPOINT +
        ' could not be reached (EAI_AGAIN). Check that it is the right one, and the network, DNS and proxy settings between this machine and it.',
    ],
    [
      'no network, five errors down',
      nested(5),
      ENDPOINT +
        ' could not be reached (EAI_AGAIN). Check that it is the right one, and the network, DNS and proxy settings between this machine and it.',
    ],
    [
      'no network, further down',
      nested(6),
      ENDPOINT +
        ' could not be reached. Check that it is the right one, and the network, DNS and proxy settings between this machine and it.',
    ],
    [
      'an error without a code',
      Object.assign(new Error('x'), { code: 'not a code' }),
      ENDPOINT +
        ' could not be reached. Check that it is the right one, and the network, DNS and proxy settings between this machine and it.',
    ],
    [
      'a redirect that fetch refused',
      Object.assign(new Error('x'), { cause: new Error('unexpected redirect') }),
      ENDPOINT +
        ' answered with a redirect. Redirects are not followed with a secret. Check client, baseURL and tokenUrl.',
    ],
    [
      'the code ENOTFOUND of a host',
      Object.assign(new Error('x'), { code: 'ENOTFOUND of a host' }),
      ENDPOINT +
        ' could not be reached. Check that it is the right one, and the network, DNS and proxy settings between this machine and it.',
    ],
    [
      'the code the ENOTFOUND',
      Object.assign(new Error('x'), { code: 'the ENOTFOUND' }),
      ENDPOINT +
        ' could not be reached. Check that it is the right one, and the network, DNS and proxy settings between this machine and it.',
    ],
    [
      'the code Enotfound',
      Object.assign(new Error('x'), { code: 'Enotfound' }),
      ENDPOINT +
        ' could not be reached. Check that it is the right one, and the network, DNS and proxy settings between this machine and it.',
    ],
    [
      'the code EXXXXXXXXXXXXXXXXXXX',
      Object.assign(new Error('x'), {
        code: 'EXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX',
      }),
      ENDPOINT +
        ' could not be reached. Check that it is the right one, and the network, DNS and proxy settings between this machine and it.',
    ],
    [
      'the code E',
      Object.assign(new Error('x'), { code: 'E' }),
      ENDPOINT +
        ' could not be reached. Check that it is the right one, and the network, DNS and proxy settings between this machine and it.',
    ],
    [
      'a redirect of 300',
      { status: 300 },
      ENDPOINT +
        ' answered 300. Redirects are not followed with a secret. Check client, baseURL and tokenUrl.',
    ],
    [
      'a redirect of 399',
      { status: 399 },
      ENDPOINT +
        ' answered 399. Redirects are not followed with a secret. Check client, baseURL and tokenUrl.',
    ],
    [
      'a bad request',
      { status: 400 },
      ENDPOINT + ' answered 400. Check client, baseURL or tokenUrl, and tokenEncoding.',
    ],
  ])('token request, %s', async (_name, answer, message) => {
    expect(await asking(answer)).toBe(message);
  });

  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('x');
      },
      'The clientSecret function threw. Its error is not shown here, because it could repeat a secret. Call the function by itself to see it.',
    ],
    [
      'gives no text',
      () => 7,
      'The clientSecret function returned a non-string, or an empty string. It must return the secret, or a promise of it.',
    ],
    [
      'gives white space',
      () => ' ',
      'The clientSecret function returned a non-string, or an empty string. It must return the secret, or a promise of it.',
    ],
  ])('a secret function that %s', async (_name, clientSecret, message) => {
    expect(await asking({}, { clientSecret: clientSecret as () => string })).toBe(message);
  });

  it('an acquisition that takes too long', async () => {
    jest.useFakeTimers();
    const state = scripted({ tokenTimeoutMs: 1234 });
    state.onToken = () => new Promise<never>(() => undefined);
    const failed = rejection(state.api.get('/v1/research'));
    await jest.advanceTimersByTimeAsync(1234);
    jest.useRealTimers();
    expect((await failed).message).toBe(
      'No token could be obtained within 1234 ms (tokenTimeoutMs). The clientSecret function, the token store or the token ' +
        'endpoint took too long. Find out which one is slow, or set a longer tokenTimeoutMs.',
    );
  });

  it('a request’s own options', async () => {
    const { api, auth } = scripted();
    const options = "The request's `bipsyncAuth` was rejected, and nothing was sent";
    const asked = async (bipsyncAuth: unknown): Promise<string> =>
      (await rejection(api.get('/v1/x', { bipsyncAuth: bipsyncAuth as false }))).message;
    expect(await asked({ teamId: 7 })).toBe(`${options}: teamId must be a string.`);
    expect(await asked({ scopes: 7 })).toBe(
      `${options}: scopes must be an array of strings, or one string with spaces between the scopes.`,
    );
    expect(await asked({ signal: 1 })).toBe(`${options}: there is no option "signal", only teamId, scopes.`);
    expect((await rejection(auth.getToken({ signal: {} as AbortSignal }))).message).toBe(
      'The options of getToken were rejected: signal must be an AbortSignal.',
    );
  });

  it.each<[string, object, string]>([
    ['`auth`', { auth: { username: 'u', password: 'p' } }, '/v1/x'],
    ['user info in the URL', {}, ORIGIN.replace('//', '//u:p@')],
  ])('a request with %s', async (what, options, url) => {
    const { api } = scripted();
    expect((await rejection(api.get(url, options))).message).toBe(
      `The request was not sent: it has ${what}, and axios would then silently drop the access token. Remove that, or send the ` +
        'request with `bipsyncAuth: false`.',
    );
  });
});

describe('a configuration at the edge of what is allowed', () => {
  it.each(['a', 'A1', 'acme-2', 'a'.repeat(59)])('client %s is accepted', (client) => {
    const api = axios.create();
    installBipsyncAuth(api, { ...good, client });
    expect(api.defaults.baseURL).toBe(`https://${client.toLowerCase()}-api.bipsync.com`);
  });

  it.each([
    ['tokenTimeoutMs', 1],
    ['tokenTimeoutMs', 300_000],
    ['refreshWindowMs', 0],
    ['refreshWindowMs', 86_400_000],
    ['expiryMarginMs', 0],
    ['tokenEncoding', 'json'],
    ['tokenEncoding', 'form'],
    ['scopes', ''],
    ['scopes', []],
    ['allowedOrigins', ['https://a.example', 'https://b.example/', 'http://127.10.20.30:8080']],
    ['tokenStore', { get: jest.fn(), set: jest.fn() }],
    ['tokenStore', { get: jest.fn(), set: jest.fn(), lock: jest.fn() }],
    ['tokenUrl', 'http://127.255.255.254/token'],
    ['tokenUrl', 'https://a.example/token?tenant=1'],
  ])('%s %j is accepted', (option, value) => {
    expect(() => installBipsyncAuth(axios.create(), { ...good, [option]: value })).not.toThrow();
  });

  it.each([
    'https://u@a.example',
    'https://:p@a.example',
    'http://1270.0.0.1',
    'http://x127.0.0.1',
    'ftp://a.example',
  ])('baseURL %s is refused', (baseURL) => {
    expect(() => installBipsyncAuth(axios.create(), { ...good, client: undefined, baseURL })).toThrow(
      'baseURL must',
    );
  });
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

  it('of a configuration', () => {
    let keys: string[] = [];
    try {
      installBipsyncAuth(axios.create(), { ...good, clientId: '' });
    } catch (error) {
      keys = Object.keys(error as object);
    }
    expect(keys.sort()).toEqual(['code', 'name']);
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
  ])('of a token request answered with %j', async (answer, keys) => {
    expect(await known(answer)).toEqual(keys);
  });
});

it('an error as JSON has its message and all that it tells', async () => {
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
      'The token endpoint https://gw.example/t answered 401 (invalid_client). Check clientId and clientSecret, and that ' +
      'they belong to this tenant.',
    tokenEndpointStatus: 401,
    oauthError: 'invalid_client',
    retryAfterMs: 30_000,
  });
});
