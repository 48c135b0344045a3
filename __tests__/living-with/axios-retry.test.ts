import axios, { type AxiosInstance } from 'axios';
import axiosRetry, { type IAxiosRetryConfig } from 'axios-retry';

import { type Emulated, emulated } from '../support/emulated';
import { rejection } from '../support/scripted';

const orders = ['before', 'after'] as const;
const adapters = ['http', 'fetch'] as const;
const places = orders.flatMap((order) => adapters.map((adapter) => ({ order, adapter })));

describe.each(places)('axios-retry, set up $order the plugin, over $adapter', ({ order, adapter }) => {
  function retrying(options: IAxiosRetryConfig = {}): Promise<Emulated> {
    const setUp = (api: AxiosInstance): void =>
      void axiosRetry(api, { retries: 3, retryDelay: () => 0, ...options });
    return emulated({ http: { adapter }, [order]: setUp });
  }

  it('sends a failed request again with the token', async () => {
    const { api, emulator } = await retrying();
    emulator.failApiRequests({ status: 503 }, 2);
    expect((await api.get('/v1/research')).status).toBe(200);
    expect(emulator.requests.map(({ authorization, status }) => [authorization, status])).toEqual([
      ['valid', 503],
      ['valid', 503],
      ['valid', 200],
    ]);
    expect(emulator.tokenRequests).toBe(1);
  });

  it('sends a request whose connection was reset again with the token', async () => {
    const { api, emulator } = await retrying({ retryCondition: (error) => error.response === undefined });
    emulator.failApiRequests('reset');
    expect((await api.get('/v1/research')).status).toBe(200);
    expect(emulator.requests.map(({ authorization }) => authorization)).toEqual(['valid', 'valid']);
  });

  it('sends a body again unchanged', async () => {
    const { api, emulator } = await retrying({ retryCondition: () => true });
    emulator.failApiRequests({ status: 503 });
    emulator.failApiRequests({ status: 401 });
    await api.post('/v1/echo', { text: 'übergröße' });
    const bodies = emulator.requests.map(({ body }) => body.toString());
    expect(bodies).toEqual(Array(3).fill('{"text":"übergröße"}'));
  });

  it('uses a token that changed between two attempts', async () => {
    const { api, emulator } = await retrying({ onRetry: () => emulator.revokeTokens() });
    await api.get('/v1/research');
    emulator.failApiRequests({ status: 503 });
    expect((await api.get('/v1/research')).status).toBe(200);
    expect(emulator.tokenRequests).toBe(2);
    expect(emulator.requests.map(({ status }) => status)).toEqual([200, 503, 401, 200]);
  });

  it('sees no 401 that a new token answers', async () => {
    const onRetry = jest.fn();
    const { api, emulator } = await retrying({ retryCondition: () => true, onRetry });
    await api.get('/v1/research');
    emulator.revokeTokens();
    expect((await api.get('/v1/research')).status).toBe(200);
    expect(onRetry).not.toHaveBeenCalled();
    expect(emulator.apiRequests).toBe(3);
  });

  it('costs one token for a 401 that stays, however often it retries', async () => {
    const { api, emulator } = await retrying({ retryCondition: () => true });
    const error = await rejection(api.get('/v1/field'));
    expect(error).toMatchObject({ status: 401, cause: { code: 'ERR_BIPSYNC_ACCESS_DENIED' } });
    expect(emulator.tokenRequests).toBe(2);
    expect(emulator.apiRequests).toBe(1 + 1 + 3);
  });

  it('makes no further token request if no token is available', async () => {
    const { api, emulator } = await retrying({ retryCondition: () => true });
    emulator.failTokenRequests({ status: 400, body: { error: 'invalid_client' } }, Infinity);
    expect(await rejection(api.get('/v1/research'))).toMatchObject({ code: 'ERR_BIPSYNC_CREDENTIALS' });
    expect(emulator.tokenRequests).toBe(1);
    expect(emulator.apiRequests).toBe(0);
  });

  it('shows no token in the error of the last attempt', async () => {
    const { api, auth, emulator } = await retrying();
    emulator.failApiRequests({ status: 503 }, Infinity);
    const error = await rejection(api.get('/v1/research'));
    const { accessToken } = await auth.getToken();
    expect(axios.isAxiosError(error)).toBe(true);
    expect(emulator.apiRequests).toBe(4);
    expect(JSON.stringify(error)).not.toContain(accessToken);
  });
});
