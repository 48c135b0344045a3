import axios from 'axios';
import type { AxiosAdapter, AxiosInstance } from 'axios';
import MockAdapter from 'axios-mock-adapter';

import { mockBipsyncToken } from '../../src/testing';

const tokenUrl = 'https://acme-api.bipsync.com/v1/oauth/token';

function mocked(options?: { onNoMatch: 'throwException' }): { api: AxiosInstance; mock: MockAdapter } {
  const api = axios.create({ baseURL: 'https://acme-api.bipsync.com' });
  return { api, mock: new MockAdapter(api, options) };
}

async function tokenRequest(api: AxiosInstance, url = tokenUrl): Promise<unknown> {
  return (await api.post<unknown>(url, new URLSearchParams({ grant_type: 'client_credentials' }))).data;
}

describe('mockBipsyncToken', () => {
  test('answers token requests in a suite that throws on anything unexpected', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    const token = mockBipsyncToken(mock);
    mock.onGet('/v1/research').reply(200, { data: [] });
    expect(token.tokenRequests).toBe(0);
    expect(await tokenRequest(api)).toEqual({
      token_type: 'bearer',
      expires_in: 3600,
      access_token: token.accessToken,
    });
    expect(await tokenRequest(api, '/v1/oauth/token')).toHaveProperty('access_token', token.accessToken);
    expect((await api.get('/v1/research')).data).toEqual({ data: [] });
    await expect(api.get('/v1/fields')).rejects.toThrow('Could not find mock');
    expect(token.tokenRequests).toBe(2);
    expect(mock.history).toHaveLength(2);
  });

  test('wins over catch-alls set up before and after it, and leaves all other requests to them', async () => {
    const { api, mock } = mocked();
    mock.onPost().replyOnce(201, 'created').onAny().reply(200, 'anything');
    mockBipsyncToken(mock);
    mock.onPost(/oauth/).reply(500);
    expect(await tokenRequest(api)).toHaveProperty('access_token');
    expect(await tokenRequest(api)).toHaveProperty('access_token');
    expect((await api.post('/v1/research')).data).toBe('created');
    expect((await api.post('/v1/research')).data).toBe('anything');
  });

  test('takes over from a handler for the same URL, its own former one included', async () => {
    const { api, mock } = mocked();
    mock.onAny(/oauth/).reply(500);
    mockBipsyncToken(mock, { accessToken: 'former' });
    mockBipsyncToken(mock, { accessToken: 'present' });
    expect(await tokenRequest(api)).toHaveProperty('access_token', 'present');
  });

  test('can be called again after mock.reset()', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    mockBipsyncToken(mock);
    mock.reset();
    await expect(tokenRequest(api)).rejects.toThrow('Could not find mock');
    mockBipsyncToken(mock);
    expect(await tokenRequest(api)).toHaveProperty('access_token');
  });

  test('accepts a token, a lifetime and a URL', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    const url = 'https://gateway.example/token';
    const token = mockBipsyncToken(mock, { accessToken: 'chosen', expiresIn: 60, tokenUrl: url });
    expect(token.accessToken).toBe('chosen');
    expect(await tokenRequest(api, url)).toMatchObject({ access_token: 'chosen', expires_in: 60 });
    await expect(tokenRequest(api)).rejects.toThrow('Could not find mock');
  });

  test('calls the accessToken function for every token', async () => {
    const { api, mock } = mocked();
    let count = 0;
    const token = mockBipsyncToken(mock, { accessToken: () => `token-${(count += 1)}` });
    expect(token.accessToken).toBe('');
    await tokenRequest(api);
    expect(await tokenRequest(api)).toHaveProperty('access_token', 'token-2');
    expect(token.accessToken).toBe('token-2');
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['the axios instance', axios.create()],
    ['the class', MockAdapter],
  ])('throws at once if it gets %s instead of an axios-mock-adapter', (_, mock) => {
    const call = (): unknown => mockBipsyncToken(mock as MockAdapter);
    expect(call).toThrow(TypeError);
    expect(call).toThrow(/first argument .* axios-mock-adapter/);
  });

  test('throws on an option that it does not have, and adds no handler', () => {
    const { mock } = mocked();
    const call = (options: object) => (): unknown => mockBipsyncToken(mock, options);
    expect(call({ token: 'x', expiresIn: 60 })).toThrow(TypeError);
    expect(call({ token: 'x', expiresIn: 60 })).toThrow(
      'mockBipsyncToken: unknown option "token". The options are accessToken, expiresIn, tokenUrl.',
    );
    expect(call({ token: undefined, expires_in: 60 })).toThrow('"token", "expires_in"');
    expect((mock as unknown as { handlers: unknown[] }).handlers).toHaveLength(0);
  });

  test.each<[string, unknown]>([
    ['a token', 'token-1'],
    ['null', null],
  ])('throws if it gets %s instead of its options', (_, options) => {
    const call = (): unknown => mockBipsyncToken(mocked().mock, options as object);
    expect(call).toThrow(TypeError);
    expect(call).toThrow('options of mockBipsyncToken must be an object');
  });

  test('takes token requests out of the history when they are answered, and no others', async () => {
    const { api, mock } = mocked();
    mockBipsyncToken(mock);
    mock.onAny().reply(200);
    const urls = (verb: 'get' | 'post'): unknown[] => (mock.history[verb] ?? []).map(({ url }) => url);
    await api.post('/v1/one');
    await tokenRequest(api);
    await api.get('/v1/two');
    await tokenRequest(api);
    expect([urls('post'), urls('get'), mock.history.length]).toEqual([['/v1/one'], ['/v1/two'], 2]);
    mock.resetHistory();
    await tokenRequest(api);
    await api.post('/v1/three');
    expect([urls('post'), mock.history.length]).toEqual([['/v1/three'], 1]);
  });

  test('leaves a token request in the history that is refused by a handler of the suite', async () => {
    const { api, mock } = mocked();
    mockBipsyncToken(mock, { tokenUrl: 'https://gateway.example/token' });
    mock.onPost(/oauth/).reply(503);
    await expect(tokenRequest(api)).rejects.toMatchObject({ status: 503 });
    expect(mock.history['post']).toHaveLength(1);
  });

  test('takes the default for an option that only a polluted Object.prototype has', async () => {
    // Not enumerable: axios-mock-adapter itself stumbles over an enumerable one.
    Object.defineProperty(Object.prototype, 'accessToken', { value: 'polluted', configurable: true });
    try {
      expect(mockBipsyncToken(mocked().mock).accessToken).toBe('mocked-bipsync-token');
      expect(mockBipsyncToken(mocked().mock, {}).accessToken).toBe('mocked-bipsync-token');
    } finally {
      Reflect.deleteProperty(Object.prototype, 'accessToken');
    }
  });

  test('works with a mock that hides its handlers and its history', () => {
    const urls: string[] = [];
    const hidden = {
      onPost: (url: string | RegExp) => {
        urls.push(String(url));
        return { reply: (answer: (config: object) => unknown) => answer({}) };
      },
    };
    expect(mockBipsyncToken(hidden).tokenRequests).toBe(1);
    expect(urls).toEqual([String.raw`/\/v1\/oauth\/token$/`]);
  });
});

describe('the mark that mockBipsyncToken puts on the adapter of a mock', () => {
  const mark = Symbol.for('axios-bipsync-auth.mock');
  const markOf = (api: AxiosInstance): unknown =>
    (api.defaults.adapter as unknown as Record<symbol, unknown>)[mark];

  test('is true, and not enumerable, on the adapter of the mocked instance alone', () => {
    const { api, mock } = mocked();
    expect(markOf(api)).toBeUndefined();
    mockBipsyncToken(mock);
    mockBipsyncToken(mock);
    expect(markOf(api)).toBe(true);
    expect(Object.getOwnPropertyDescriptor(api.defaults.adapter, mark)).toMatchObject({ enumerable: false });
    expect(markOf(mocked().api)).toBeUndefined();
  });

  test('stays after mock.reset(), goes with mock.restore(), and is put on the next mock', () => {
    const { api, mock } = mocked();
    mockBipsyncToken(mock);
    mock.reset();
    expect(markOf(api)).toBe(true);
    mock.restore();
    expect(markOf(api)).toBeUndefined();
    mockBipsyncToken(mock);
    expect(markOf(api)).toBeUndefined();
    const next = new MockAdapter(api);
    expect(markOf(api)).toBeUndefined();
    mockBipsyncToken(next);
    expect(markOf(api)).toBe(true);
  });

  test('is false as long as the mock lets requests through to the network', () => {
    const api = axios.create();
    mockBipsyncToken(new MockAdapter(api, { onNoMatch: 'passthrough' }));
    expect(markOf(api)).toBe(false);

    const { api: later, mock } = mocked();
    mockBipsyncToken(mock);
    mock.onGet('/live').passThrough();
    expect(markOf(later)).toBe(false);
    mock.resetHandlers();
    expect(markOf(later)).toBe(true);
  });

  test('is not put on an adapter that was wrapped around the mock, which may do anything', () => {
    const { api, mock } = mocked();
    const inner = api.defaults.adapter as AxiosAdapter;
    api.defaults.adapter = (config) => inner(config);
    mockBipsyncToken(mock);
    expect(markOf(api)).toBeUndefined();
  });
});
