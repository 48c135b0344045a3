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
    'answers token requests too, with onNoMatch: %s',
    async (onNoMatch) => {
      const { api, mock } = mocked(onNoMatch && { onNoMatch });
      const token = mockBipsyncToken(mock);
      mock.onGet('/v1/research').reply(200, { data: [] });
      expect((await api.get('/v1/research')).data).toEqual({ data: [] });
      expect(authorizations(mock)).toEqual([`Bearer ${token.accessToken}`]);
      expect(mock.history['post']).toHaveLength(1);
    },
  );

  it('replays after replyOnce(401), as one request to the caller and two to the mock', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    let count = 0;
    mockBipsyncToken(mock, { accessToken: () => `token-${(count += 1)}` });
    mock.onGet('/v1/research').replyOnce(401).onGet('/v1/research').reply(200, 'ok');
    expect((await api.get('/v1/research')).data).toBe('ok');
    expect(authorizations(mock)).toEqual(['Bearer token-1', 'Bearer token-2']);
    expect(mock.history['post']).toHaveLength(2);
  });

  it('shows the caller a 401 that nothing helps as the error that it is', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    mockBipsyncToken(mock);
    mock.onGet('/v1/research').reply(401);
    const error = await rejection(api.get('/v1/research'));
    expect(axios.isAxiosError(error) && error.response?.status).toBe(401);
    expect(mock.history['get']).toHaveLength(2);
    expect((await api.get('/v1/research', { validateStatus: null })).status).toBe(401);
  });

  it('replays a body as it was', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    mockBipsyncToken(mock);
    mock.onPost('/v1/research', { title: 'A' }).replyOnce(401);
    mock.onPost('/v1/research', { title: 'A' }).reply(201);
    expect((await api.post('/v1/research', { title: 'A' })).status).toBe(201);
  });

  it('matches by the Authorization header', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    const { accessToken } = mockBipsyncToken(mock);
    const headers = expect.objectContaining({ Authorization: `Bearer ${accessToken}` }) as object;
    mock.onGet('/v1/research', { headers } as never).reply(200);
    expect((await api.get('/v1/research')).status).toBe(200);
  });

  it('gives network errors and time-outs to the caller, with the token in none of them', async () => {
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

  it('says which mock is missing: for the token, or for the request', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    mock.onGet('/v1/research').reply(200);
    expect(await rejection(api.get('/v1/research'))).toMatchObject({
      code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
    });
    expect(mock.history['post']).not.toHaveLength(0);

    const other = mocked({ onNoMatch: 'throwException' });
    mockBipsyncToken(other.mock);
    expect((await rejection(other.api.get('/v1/fields'))).message).toContain('Could not find mock');
  });

  it('fails the token where a mock answers 404, and leaves the network alone', async () => {
    const { api, mock } = mocked();
    mock.onGet('/v1/research').reply(200);
    expect(await rejection(api.get('/v1/research'))).toMatchObject({
      code: 'ERR_BIPSYNC_TOKEN_REQUEST',
      status: 404,
    });
  });

  it('counts no token request after the first in its history', async () => {
    const { api, mock } = mocked();
    mockBipsyncToken(mock);
    mock.onAny().reply(200);
    for (let count = 0; count < 3; count += 1) await api.get('/v1/research');
    mock.resetHistory();
    await api.post('/v1/research', {});
    expect(mock.history['post']).toHaveLength(1);
  });

  it('restore() gives the instance its adapter back', async () => {
    const { api, mock } = mocked();
    mock.onAny().reply(200);
    mock.restore();
    expect((await rejection(api.get('http://127.0.0.1:1/')))['code']).toBe('ECONNREFUSED');
  });
});

describe.each(['before', 'after'] as const)('with passthrough, set up %s the plugin', (order) => {
  it('what is not mocked goes to the network, token and all, and a 401 is answered', async () => {
    const emulator = await startEmulator();
    const api = axios.create();
    const add = (): void =>
      void new MockAdapter(api, { onNoMatch: 'passthrough' }).onGet('/v1/fields').reply(200, 'mocked');
    if (order === 'before') add();
    installBipsyncAuth(api, configFor(emulator));
    if (order === 'after') add();
    expect((await api.get('/v1/fields')).data).toBe('mocked');
    await api.get('/v1/research');
    emulator.revokeTokens();
    expect((await api.get('/v1/research')).data).toHaveProperty('data');
    expect(emulator.tokenRequests).toBe(2);
    expect(emulator.requests.map(({ status }) => status)).toEqual([200, 401, 200]);
  });
});
