import axios, { type AxiosInstance } from 'axios';

import { installBipsyncAuth } from '../../src';
import { good, rejected } from '../support/rejected';
import { ORIGIN, rejection, scripted } from '../support/scripted';

const NOT_A_STORE = 'tokenStore must be an object with the methods get and set, and optionally lock';
const redisClient = (send: string): string =>
  'tokenStore is a Redis client. Its set() would keep a token for ever. Write redisTokenStore({ sendCommand: ' +
  `(...args) => client.${send} }) from axios-bipsync-auth/stores`;
const refused = 'The configuration of axios-bipsync-auth was rejected';

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
      'client (BIPSYNC_CLIENT) must be only the subdomain (letters, digits, hyphens), for example acme for acme-api.bipsync.com',
    ],
    [
      'a client that ends with a hyphen',
      { ...good, client: 'ab-' },
      'client (BIPSYNC_CLIENT) must be only the subdomain (letters, digits, hyphens), for example acme for acme-api.bipsync.com',
    ],
    [
      'a client that begins with a hyphen',
      { ...good, client: '-ab' },
      'client (BIPSYNC_CLIENT) must be only the subdomain (letters, digits, hyphens), for example acme for acme-api.bipsync.com',
    ],
    [
      'a client too long for a host',
      { ...good, client: 'a'.repeat(60) },
      'client (BIPSYNC_CLIENT) must be only the subdomain (letters, digits, hyphens), for example acme for acme-api.bipsync.com',
    ],
    [
      'baseURL',
      { ...good, client: undefined, baseURL: '/v1' },
      'baseURL (BIPSYNC_BASE_URL) must be an absolute URL that begins with https://',
    ],
    [
      'a baseURL that is no text',
      { ...good, baseURL: 1 },
      'baseURL (BIPSYNC_BASE_URL) must be an absolute URL that begins with https://',
    ],
    [
      'a baseURL that is no text, and no client',
      { ...good, client: undefined, baseURL: 1 },
      'baseURL (BIPSYNC_BASE_URL) must be an absolute URL that begins with https://',
    ],
    [
      'a baseURL of another protocol',
      { ...good, client: undefined, baseURL: 'ftp://localhost' },
      'baseURL (BIPSYNC_BASE_URL) must use https (http is only for loopback hosts)',
    ],
    [
      'a baseURL whose host begins like a loopback address',
      { ...good, client: undefined, baseURL: 'http://127.example' },
      'baseURL (BIPSYNC_BASE_URL) must use https (http is only for loopback hosts)',
    ],
    [
      'a baseURL whose host is another address',
      { ...good, client: undefined, baseURL: 'http://10.0.0.1' },
      'baseURL (BIPSYNC_BASE_URL) must use https (http is only for loopback hosts)',
    ],
    ['tokenUrl', { ...good, tokenUrl: 1 }, 'tokenUrl must be an absolute URL that begins with https://'],
    [
      'a relative tokenUrl',
      { ...good, tokenUrl: '/token' },
      'tokenUrl must be an absolute URL that begins with https://',
    ],
    [
      'a tokenUrl with a fragment',
      { ...good, tokenUrl: 'https://a.example/#x' },
      'tokenUrl must not have a fragment, or a path that begins with //',
    ],
    ['clientId', { ...good, clientId: undefined }, 'clientId (BIPSYNC_CLIENT_ID) is required: a string'],
    [
      'clientSecret',
      { ...good, clientSecret: '' },
      'clientSecret (BIPSYNC_CLIENT_SECRET) is required: a string, or a function that returns one',
    ],
    ['teamId', { ...good, teamId: 7 }, 'teamId (BIPSYNC_TEAM_ID) must be a non-empty string'],
    ['no teamId', { ...good, teamId: undefined }, 'teamId (BIPSYNC_TEAM_ID) is required'],
    ['a teamId that is a prefix alone', { ...good, teamId: 'team_' }, 'teamId (BIPSYNC_TEAM_ID) is required'],
    [
      'a teamId with a space',
      { ...good, teamId: 'a b' },
      'teamId (BIPSYNC_TEAM_ID) may contain only visible ASCII characters, and no spaces, quotes or backslashes',
    ],
    [
      'a scope in quotes',
      { ...good, scopes: '"rest_api:read"' },
      'scopes (BIPSYNC_SCOPES) may contain only visible ASCII characters, and no spaces, quotes or backslashes',
    ],
    [
      'a clientId that is still the placeholder of the template',
      { ...good, clientId: '…' },
      'clientId (BIPSYNC_CLIENT_ID) is still the placeholder …: replace it with your value',
    ],
    [
      'a clientSecret that is still the placeholder of the template',
      { ...good, clientSecret: ' …\n' },
      'clientSecret (BIPSYNC_CLIENT_SECRET) is still the placeholder …: replace it with your value',
    ],
    [
      'scopes',
      { ...good, scopes: 7 },
      'scopes (BIPSYNC_SCOPES) must be an array of strings, or one string with spaces between the scopes',
    ],
    [
      'scopes, where they might name the team',
      { ...good, teamId: undefined, scopes: 7 },
      'scopes (BIPSYNC_SCOPES) must be an array of strings, or one string with spaces between the scopes',
    ],
    [
      'scopes that are not all text',
      { ...good, scopes: ['a', 7] },
      'scopes (BIPSYNC_SCOPES) must be an array of strings, or one string with spaces between the scopes',
    ],
    [
      'allowedOrigins',
      { ...good, allowedOrigins: 'https://a.example' },
      'allowedOrigins must be an array of origins',
    ],
    [
      'a relative origin',
      { ...good, allowedOrigins: ['/v1'] },
      'allowedOrigins must be an absolute URL that begins with https://',
    ],
    [
      'an origin in clear',
      { ...good, allowedOrigins: ['http://a.example'] },
      'allowedOrigins must use https (http is only for loopback hosts)',
    ],
    [
      'an origin with a path',
      { ...good, allowedOrigins: ['https://a.example/v1'] },
      'allowedOrigins must contain only origins, without a path, a query or a wildcard',
    ],
    [
      'user info',
      { ...good, allowedOrigins: ['https://u@a.example'] },
      'allowedOrigins must not contain a user name or password; allowedOrigins must contain only origins, without a path, a query or a wildcard',
    ],
    [
      'a wildcard',
      { ...good, allowedOrigins: ['https://*.bipsync.com'] },
      'allowedOrigins must contain only origins, without a path, a query or a wildcard',
    ],
    [
      'a baseURL with a query',
      { ...good, client: undefined, baseURL: `${ORIGIN}/?a=1` },
      'baseURL (BIPSYNC_BASE_URL) must not have a query or a fragment',
    ],
    [
      'a baseURL with a fragment',
      { ...good, client: undefined, baseURL: `${ORIGIN}/#a` },
      'baseURL (BIPSYNC_BASE_URL) must not have a query or a fragment',
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
      'tokenStore has a lock that is not a function',
    ],
    ['onEvent', { ...good, onEvent: 'log' }, 'onEvent must be a function'],
    [
      'both client and baseURL',
      { ...good, baseURL: ORIGIN },
      'set client (BIPSYNC_CLIENT) or baseURL (BIPSYNC_BASE_URL), not both',
    ],
    [
      'neither',
      { ...good, client: undefined },
      'client (BIPSYNC_CLIENT) or baseURL (BIPSYNC_BASE_URL) is required',
    ],
  ])('the message names the problem of a configuration: %s', (_name, config, problem) => {
    expect(rejected(config).message).toBe(`${refused}: ${problem}.`);
  });

  it('the message names a misspelt option and those that exist', () => {
    expect(rejected({ ...good, teemId: 'x', scope: 'y' }).message).toBe(
      `${refused}: unknown option "teemId", "scope" (the options are client, baseURL, tokenUrl, clientId, clientSecret, teamId, ` +
        'scopes, allowedOrigins, tokenEncoding, tokenTimeoutMs, refreshWindowMs, expiryMarginMs, tokenStore, onEvent).',
    );
  });

  it.each<[string, () => string, string]>([
    [
      'no axios instance',
      () => rejected(good, {} as unknown as AxiosInstance).message,
      'The first argument must be an axios instance, but it has no defaults. In a test that mocks ' +
        "axios, add defaults to the mock, or mock the plugin too: jest.mock('axios-bipsync-auth').",
    ],
    [
      'a second installation',
      () => {
        const { api } = scripted();
        return rejected(good, api).message;
      },
      'axios-bipsync-auth is already installed on this axios instance. Install it only once, or first call eject() on its ' +
        'handle. In Nest tests, use HttpModule.registerAsync() or BipsyncHttpModule.',
    ],
    [
      'Basic credentials',
      () => rejected(good, axios.create({ auth: { username: 'u', password: 'p' } })).message,
      `${refused}: remove \`defaults.auth\` from the axios instance, otherwise axios silently drops the access token.`,
    ],
    [
      'another home',
      () => rejected(good, axios.create({ baseURL: 'https://other.example/v1' })).message,
      `${refused}: the axios instance sends requests to https://other.example, but the token is for ${ORIGIN}: remove ` +
        "the instance's baseURL, or use a separate instance, or let https://other.example receive the token too (allowedOrigins).",
    ],
    [
      'a home that is none',
      () => rejected(good, axios.create({ baseURL: '/v1' })).message,
      `${refused}: the axios instance sends requests to a baseURL that is not an absolute http(s) URL, but the token is for ` +
        `${ORIGIN}: remove the instance's baseURL, or use a separate instance.`,
    ],
    [
      'its home where it is the configuration’s too, but relative',
      () => rejected({ ...good, client: undefined }, axios.create({ baseURL: '/v1' })).message,
      `${refused}: the axios instance's baseURL must be an absolute URL that begins with https://.`,
    ],
  ])('the message names the problem of an instance: %s', (_name, install, message) => {
    expect(install()).toBe(message);
  });

  it("the message names the problem of a request's own options", async () => {
    const { api, auth } = scripted();
    const options = "The request's `bipsyncAuth` was rejected, and nothing was sent";
    const asked = async (bipsyncAuth: unknown): Promise<string> =>
      (await rejection(api.get('/v1/x', { bipsyncAuth: bipsyncAuth as false }))).message;
    expect(await asked({ teamId: 7 })).toBe(`${options}: teamId must be a non-empty string.`);
    expect(await asked({ scopes: 7 })).toBe(
      `${options}: scopes must be an array of strings, or one string with spaces between the scopes.`,
    );
    expect(await asked({ teamId: 'a b' })).toBe(
      `${options}: teamId may contain only visible ASCII characters, and no spaces, quotes or backslashes.`,
    );
    expect(await asked({ signal: 1 })).toBe(
      `${options}: unknown option "signal" (the options are teamId, scopes).`,
    );
    expect((await rejection(auth.getToken({ signal: {} as AbortSignal }))).message).toBe(
      'The options of getToken were rejected: signal must be an AbortSignal.',
    );
  });
});

describe('a configuration at the edge of what is allowed', () => {
  it.each(['a', 'A1', 'acme-2', 'a'.repeat(59)])('the client %s is accepted', (client) => {
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
  ])('the option %s is accepted with the value %j', (option, value) => {
    expect(() => installBipsyncAuth(axios.create(), { ...good, [option]: value })).not.toThrow();
  });

  it.each([
    'https://u@a.example',
    'https://:p@a.example',
    'http://1270.0.0.1',
    'http://x127.0.0.1',
    'ftp://a.example',
  ])('the baseURL %s is rejected', (baseURL) => {
    expect(() => installBipsyncAuth(axios.create(), { ...good, client: undefined, baseURL })).toThrow(
      'baseURL (BIPSYNC_BASE_URL) must',
    );
  });
});
