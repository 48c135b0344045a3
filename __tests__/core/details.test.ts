import util from 'node:util';

import axios from 'axios';

import { type BipsyncAuthEvent, installBipsyncAuth } from '../../src';
import { ORIGIN, rejection, scripted, tokenAnswer } from '../support/scripted';

const good = { client: 'acme', clientId: 'the-client', clientSecret: 'hush', teamId: 'a1' };
const method = (): unknown => undefined;
const CHALLENGE = 'WWW-Authenticate';

afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
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
    ['tokenStore', { get: method, set: method }],
    ['tokenStore', { get: method, set: method, lock: method }],
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
    [{ status: 404 }, ['code', 'name', 'retryAfterMs', 'status']],
    [{ status: 400, body: { error: 'x' } }, ['code', 'name', 'oauthError', 'retryAfterMs', 'status']],
    [
      { status: 400, body: { message: 'x' } },
      ['code', 'name', 'oauthErrorDescription', 'retryAfterMs', 'status'],
    ],
  ])('of a token request answered with %j', async (answer, keys) => {
    expect(await known(answer)).toEqual(keys);
  });
});

describe('headers that only look like others', () => {
  it('of the same length as Authorization stay where they are, and are no replaced credentials', async () => {
    const state = scripted();
    state.onApi = (request) => {
      expect(request.headers.get('X-Tracing-Ids')).toBe('t');
      return {};
    };
    await state.api.get('/v1/x', { headers: { 'X-Tracing-Ids': 't' } });
    expect(state.events.map(({ type }) => type)).toEqual(['token-acquired']);
  });

  it('of the same length as WWW-Authenticate are not read', async () => {
    const state = scripted();
    state.onApi = () => ({
      status: 401,
      headers: { 'X-Authentication': 'Bearer error="insufficient_scope"' },
    });
    await rejection(state.api.get('/v1/x'));
    expect(state.apiRequests).toHaveLength(2);
  });

  it.each([undefined, null])('nor is anything where there are none (%s)', async (headers) => {
    const state = scripted();
    const { adapter } = state.api.defaults;
    state.api.defaults.adapter = async (request) => ({
      ...(await (adapter as (config: typeof request) => Promise<axios.AxiosResponse>)(request)),
      headers: headers as never,
    });
    state.onApi = () => ({ status: state.apiRequests.length === 1 ? 401 : 200 });
    const { status } = await state.api.get('/v1/x', { validateStatus: () => true });
    expect(status).toBe(200);
  });
});

describe('14. the pause after a token that did not help', () => {
  const minted = async (
    schedule: [atMs: number, challenge: string | undefined, helps?: boolean][],
  ): Promise<number[]> => {
    jest.useFakeTimers();
    const state = scripted();
    const start = performance.now();
    const counts: number[] = [];
    for (const [at, challenge, helps = false] of schedule) {
      await jest.advanceTimersByTimeAsync(at - (performance.now() - start));
      const before = state.apiRequests.length;
      const headers = challenge === undefined ? {} : { [CHALLENGE]: challenge };
      state.onApi = () =>
        helps && state.apiRequests.length > before + 1 ? { body: {} } : { status: 401, headers };
      await state.api.get('/v1/x').catch(() => undefined);
      counts.push(state.tokenRequests.length);
    }
    return counts;
  };
  const invalid = 'Bearer error="invalid_token"';

  it('is not cut short without a challenge', async () => {
    expect(
      await minted([
        [0, undefined],
        [1000, undefined],
        [2500, undefined],
        [3000, undefined],
      ]),
    ).toEqual([2, 3, 3, 4]);
  });

  it('is cut to 1 s by invalid_token, not to less', async () => {
    expect(
      await minted([
        [0, invalid],
        [1000, invalid],
        [1500, invalid],
        [1999, invalid],
        [2000, invalid],
      ]),
    ).toEqual([2, 3, 3, 3, 4]);
  });

  it('may be cut short twice again after a token that helped, the one that helped not counted', async () => {
    expect(
      await minted([
        [0, invalid],
        [1000, invalid],
        [2000, invalid, true],
        [3000, invalid],
        [4000, invalid],
        [5000, invalid],
        [6000, invalid],
        [7000, invalid],
      ]),
    ).toEqual([2, 3, 4, 5, 6, 7, 8, 8]);
  });

  it('grows once for a token, however many replays it was refused with', async () => {
    jest.useFakeTimers();
    const state = scripted();
    state.onApi = () => ({ status: 401 });
    await Promise.all(Array.from({ length: 5 }, () => rejection(state.api.get('/v1/x'))));
    expect(state.tokenRequests).toHaveLength(2);
    await jest.advanceTimersByTimeAsync(1000);
    await rejection(state.api.get('/v1/x'));
    expect(state.tokenRequests).toHaveLength(3);
  });
});

describe('NODE_DEBUG=bipsync-auth', () => {
  const withDebug = (enabled: boolean): jest.Mock => {
    const debug = Object.assign(jest.fn(), { enabled });
    jest.spyOn(util, 'debuglog').mockImplementation((section) => {
      expect(section).toBe('bipsync-auth');
      return debug as never;
    });
    return debug;
  };
  const install = async (onEvent?: (event: BipsyncAuthEvent) => void): Promise<void> => {
    const api = axios.create({
      adapter: async (config) => ({
        data: JSON.stringify(tokenAnswer('token-1').body),
        status: 200,
        statusText: 'OK',
        headers: {},
        config,
      }),
    });
    installBipsyncAuth(api, { ...good, ...(onEvent && { onEvent }) });
    await api.get('/v1/x');
  };

  it('prints the events, with or without a listener', async () => {
    const debug = withDebug(true);
    const events: BipsyncAuthEvent[] = [];
    await install((event) => events.push(event));
    await install();
    expect(debug.mock.calls).toEqual([
      ['%o', events[0]],
      ['%o', expect.objectContaining({ type: 'token-acquired' })],
    ]);
  });

  it('is asked for nothing where it is not set and nobody listens', async () => {
    const debug = withDebug(false);
    await install();
    expect(debug).not.toHaveBeenCalled();
  });
});

it('18. an origin is compared with its port', async () => {
  const state = scripted({ allowedOrigins: ['https://other.example:8443'] });
  await state.api.get('https://other.example:8443/v1/x');
  await state.api.get('https://other.example/v1/x');
  await state.api.get(`${ORIGIN}:443/v1/x`);
  expect(state.sent).toEqual(['Bearer token-1', undefined, 'Bearer token-1']);
});
