import axios, { type AxiosInstance } from 'axios';
import MockAdapter from 'axios-mock-adapter';

import { installBipsyncAuth } from '../../src';
import { mockBipsyncToken } from '../../src/testing';
import { configFor, startEmulator } from '../support/emulated';
import { rejection } from '../support/scripted';

type MockOptions = ConstructorParameters<typeof MockAdapter>[1];

interface Mocked {
  api: AxiosInstance;
  mock: MockAdapter;
}

function install(api: AxiosInstance): void {
  installBipsyncAuth(api, { client: 'acme', clientId: 'id', clientSecret: 'a-secret', teamId: '1' });
}

const orders = {
  'before the plugin': (options?: MockOptions): Mocked => {
    const api = axios.create();
    const mock = new MockAdapter(api, options);
    install(api);
    return { api, mock };
  },
  'after the plugin': (options?: MockOptions): Mocked => {
    const api = axios.create();
    install(api);
    return { api, mock: new MockAdapter(api, options) };
  },
};

const authorizations = (mock: MockAdapter): unknown[] =>
  (mock.history['get'] ?? []).map(({ headers }) => headers?.['Authorization'] as unknown);

describe.each(Object.entries(orders))('axios-mock-adapter, set up %s', (_order, mocked) => {
  it.each(['throwException', 'passthrough', undefined] as const)(
    'with onNoMatch %s, answers token requests and keeps them out of its history',
    async (onNoMatch) => {
      const { api, mock } = mocked(onNoMatch && { onNoMatch });
      const token = mockBipsyncToken(mock);
      mock.onGet('/v1/research').reply(200, { data: [] });
      expect((await api.get('/v1/research')).data).toEqual({ data: [] });
      expect(authorizations(mock)).toEqual([`Bearer ${token.accessToken}`]);
      expect(token.tokenRequests).toBe(1);
      expect(mock.history['post']).toEqual([]);
      expect(mock.history).toHaveLength(1);
    },
  );

  it('sees the replay after its replyOnce(401), while the caller sees one request', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    let count = 0;
    const token = mockBipsyncToken(mock, { accessToken: () => `token-${(count += 1)}` });
    mock.onGet('/v1/research').replyOnce(401).onGet('/v1/research').reply(200, 'ok');
    expect((await api.get('/v1/research')).data).toBe('ok');
    expect(authorizations(mock)).toEqual(['Bearer token-1', 'Bearer token-2']);
    expect(token.tokenRequests).toBe(2);
    expect(mock.history['post']).toEqual([]);
  });

  it('passes a 401 that a new token does not end to the caller, as the AxiosError that it is', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    mockBipsyncToken(mock);
    mock.onGet('/v1/research').reply(401);
    const error = await rejection(api.get('/v1/research'));
    expect(axios.isAxiosError(error) && error.response?.status).toBe(401);
    expect(mock.history['get']).toHaveLength(2);
    expect((await api.get('/v1/research', { validateStatus: null })).status).toBe(401);
  });

  it('gets the same body in the replay', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    mockBipsyncToken(mock);
    mock.onPost('/v1/research', { title: 'A' }).replyOnce(401);
    mock.onPost('/v1/research', { title: 'A' }).reply(201);
    expect((await api.post('/v1/research', { title: 'A' })).status).toBe(201);
  });

  it('can match a request by its Authorization header', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    const { accessToken } = mockBipsyncToken(mock);
    const headers = expect.objectContaining({ Authorization: `Bearer ${accessToken}` }) as object;
    mock.onGet('/v1/research', { headers } as never).reply(200);
    expect((await api.get('/v1/research')).status).toBe(200);
  });

  it('passes its network errors and time-outs to the caller, without the token', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    const { accessToken } = mockBipsyncToken(mock);
    mock.onGet('/broken').networkError().onGet('/slow').timeout().onGet('/aborted').abortRequest();
    for (const [path, message] of [
      ['/broken', 'Network Error'],
      ['/slow', 'timeout of 0ms exceeded'],
      ['/aborted', 'Request aborted'],
    ] as const) {
      const error = await rejection(api.get(path));
      expect(error.message).toBe(message);
      expect(JSON.stringify(error)).not.toContain(accessToken);
    }
  });

  it('reports whether the handler for the token or the one for the request is missing', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    mock.onGet('/v1/research').reply(200);
    expect(await rejection(api.get('/v1/research'))).toMatchObject({
      code: 'ERR_BIPSYNC_TOKEN_REQUEST',
      message: expect.stringContaining('Call mockBipsyncToken(mock)') as string,
    });
    expect(mock.history['post']).not.toHaveLength(0);

    const other = mocked({ onNoMatch: 'throwException' });
    mockBipsyncToken(other.mock);
    expect((await rejection(other.api.get('/v1/field'))).message).toContain('Could not find mock');
  });

  it('fails the request if it answers the token request with 404, and nothing reaches the network', async () => {
    const { api, mock } = mocked();
    mock.onGet('/v1/research').reply(200);
    expect(await rejection(api.get('/v1/research'))).toMatchObject({
      code: 'ERR_BIPSYNC_TOKEN_REQUEST',
      message: expect.stringContaining('Call mockBipsyncToken(mock)') as string,
      tokenEndpointStatus: 404,
    });
  });

  it('has the requests of the application alone in its history, also after resetHistory()', async () => {
    const { api, mock } = mocked();
    mockBipsyncToken(mock, { expiresIn: 0 });
    mock.onAny().reply(200);
    const urls = (): unknown[] => (mock.history['post'] ?? []).map(({ url }) => url);
    await api.post('/v1/one', {});
    await api.post('/v1/two', {});
    expect(urls()).toEqual(['/v1/one', '/v1/two']);
    mock.resetHistory();
    await api.post('/v1/three', {});
    expect(urls()).toEqual(['/v1/three']);
  });

  it("keeps a login that the suite's own handler answers in its history, together with the suite's posts", async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    mock
      .onPost(/oauth\/token$/)
      .reply(200, { access_token: 'of-the-suite', token_type: 'bearer', expires_in: 3600 });
    mock.onPost('/v2/research/note').reply(201, { id: 'note-26' });
    await api.post('/v2/research/note', { user: 'user-1' });
    await api.post('/v2/research/note', { user: 'user-1' });
    expect(mock.history['post']?.map(({ url }) => url)).toEqual([
      '/v1/oauth/token',
      '/v2/research/note',
      '/v2/research/note',
    ]);
  });

  it('lets the instance reach the network again after restore()', async () => {
    const { api, mock } = mocked();
    mock.onAny().reply(200);
    mock.restore();
    expect((await rejection(api.get('http://127.0.0.1:1/')))['code']).toBe('ECONNREFUSED');
  });
});

describe.each(['before', 'after'] as const)(
  'axios-mock-adapter with passthrough, set up %s the plugin',
  (order) => {
    it('sends what it does not mock to the network with a token, and a 401 is answered by a replay', async () => {
      const emulator = await startEmulator();
      const api = axios.create();
      const add = (): void =>
        void new MockAdapter(api, { onNoMatch: 'passthrough' }).onGet('/v1/field').reply(200, 'mocked');
      if (order === 'before') add();
      installBipsyncAuth(api, configFor(emulator));
      if (order === 'after') add();
      expect((await api.get('/v1/field')).data).toBe('mocked');
      await api.get('/v1/research');
      emulator.revokeTokens();
      expect((await api.get('/v1/research')).data).toHaveProperty('results');
      expect(emulator.tokenRequests).toBe(2);
      expect(emulator.requests.map(({ status }) => status)).toEqual([200, 401, 200]);
    });
  },
);

it.each(['https://acme-api.bipsync.com', 'http://127.0.0.1:8080'])(
  'the history of a mock for %s has the token of each request',
  async (baseURL) => {
    const api = axios.create({ baseURL });
    const mock = new MockAdapter(api, { delayResponse: 1 });
    installBipsyncAuth(api, { clientId: 'id', clientSecret: 'a-secret', teamId: '1' });
    const token = mockBipsyncToken(mock);
    mock.onGet('/v1/research').reply(200, 'ok');
    await api.get('/v1/research');
    await api.get('/v1/research');
    expect(authorizations(mock)).toEqual(Array(2).fill(`Bearer ${token.accessToken}`));
  },
);
