/* global AbortController, afterEach, beforeEach, document, expect, test */
const axios = require('axios');
const { installBipsyncAuth } = require('axios-bipsync-auth');
const { startBipsyncEmulator } = require('axios-bipsync-auth/testing');

let emulator;
beforeEach(async () => {
  emulator = await startBipsyncEmulator();
});
afterEach(() => emulator.close());

function connect(http = {}, config = {}) {
  const { url: baseURL, clientId, clientSecret, teamId } = emulator;
  // Without this line axios takes XMLHttpRequest in a page, and the page's same-origin policy blocks the emulator.
  const api = axios.create({ adapter: 'http', ...http });
  const scopes = ['rest_api:read', 'rest_api:write'];
  installBipsyncAuth(api, { baseURL, clientId, clientSecret, teamId, scopes, ...config });
  return api;
}

test('a page with a document reaches the emulator by the http adapter, with one token for ten requests', async () => {
  const api = connect();
  const answers = await Promise.all(Array.from({ length: 10 }, () => api.get('/v1/research')));
  expect(answers.map(({ data }) => data.total)).toEqual(Array(10).fill(25));
  expect([typeof document, emulator.tokenRequests, emulator.apiRequests]).toEqual(['object', 1, 10]);
});

test('a revoked token costs one new token, and the body is replayed', async () => {
  const api = connect();
  await api.get('/v1/research');
  emulator.revokeTokens();
  expect((await api.post('/v2/research/note', { user: 'u' })).data).toEqual({ user: 'u', id: 'note-26' });
  expect(emulator.tokenRequests).toBe(2);
});

test('a wrong secret rejects with ERR_BIPSYNC_CREDENTIALS, and no API request is sent', async () => {
  await expect(connect({}, { clientSecret: 'another' }).get('/v1/research')).rejects.toMatchObject({
    code: 'ERR_BIPSYNC_CREDENTIALS',
  });
  expect(emulator.apiRequests).toBe(0);
});

test('a token endpoint that answers with bytes that are no token rejects with ERR_BIPSYNC_TOKEN_RESPONSE', async () => {
  emulator.failTokenRequests({ status: 200, body: Buffer.from([0xff, 0xfe]) });
  await expect(connect().get('/v1/research')).rejects.toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_RESPONSE' });
});

test("the page's own AbortController cancels a request that is on its way", async () => {
  const api = connect();
  await api.get('/v1/research');
  emulator.failApiRequests('stall');
  const controller = new AbortController();
  const request = api.get('/v1/research', { signal: controller.signal });
  while (emulator.apiRequests < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort();
  expect(axios.isCancel(await request.catch((reason) => reason))).toBe(true);
});

test('without the http adapter, the same-origin policy of the page blocks the emulator', async () => {
  const error = await connect({ adapter: 'xhr' })
    .get('/v1/research')
    .catch((reason) => reason);
  expect(error.code).toBe('ERR_BIPSYNC_TOKEN_UNAVAILABLE');
  expect(emulator.apiRequests).toBe(0);
});
