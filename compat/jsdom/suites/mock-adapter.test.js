/* global AbortController, document, expect, test */
const axios = require('axios');
const MockAdapter = require('axios-mock-adapter');
const { installBipsyncAuth, isBipsyncAuthError } = require('axios-bipsync-auth');
const { mockBipsyncToken } = require('axios-bipsync-auth/testing');

const page = { total: 1, offset: 0, limit: 10, results: [{ id: 'note-1' }] };

function mocked(config = { client: 'acme' }) {
  const api = axios.create();
  const auth = installBipsyncAuth(api, {
    clientId: 'id',
    clientSecret: 'a-secret',
    teamId: '1',
    ...config,
  });
  const mock = new MockAdapter(api, { onNoMatch: 'throwException' });
  return { api, auth, mock };
}

test.each([{ client: 'acme' }, { baseURL: 'https://acme-api.bipsync.com' }])(
  'a page with a document gets an answer of axios-mock-adapter with a token, configured by %j',
  async (home) => {
    const { api, mock } = mocked(home);
    const token = mockBipsyncToken(mock);
    mock.onGet('/v1/research').reply(200, page);
    const { status, data } = await api.get('/v1/research');
    expect({ status, data, document: typeof document }).toEqual({
      status: 200,
      data: page,
      document: 'object',
    });
    expect(mock.history).toHaveLength(1);
    expect(mock.history.get[0].headers.Authorization).toBe(`Bearer ${token.accessToken}`);
  },
);

test('ten requests at once wait for one token', async () => {
  const { api, mock } = mocked();
  const token = mockBipsyncToken(mock);
  mock.onGet('/v1/research').reply(200, page);
  const answers = await Promise.all(Array.from({ length: 10 }, () => api.get('/v1/research')));
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
  expect(token.tokenRequests).toBe(1);
});

test('a 401 is answered with a new token and a replay of the body', async () => {
  const { api, mock } = mocked();
  let count = 0;
  mockBipsyncToken(mock, { accessToken: () => `token-${(count += 1)}` });
  mock.onPost('/v2/research/note', { user: 'u' }).replyOnce(401);
  mock.onPost('/v2/research/note', { user: 'u' }).reply(201, { id: 'note-26' });
  expect((await api.post('/v2/research/note', { user: 'u' })).data).toEqual({ id: 'note-26' });
  expect(mock.history.post.map(({ headers }) => headers.Authorization)).toEqual([
    'Bearer token-1',
    'Bearer token-2',
  ]);
});

test('a refused client rejects the request with ERR_BIPSYNC_CREDENTIALS', async () => {
  const { api, mock } = mocked();
  mock.onPost(/oauth\/token$/).reply(401, { error: 'invalid_client' });
  const error = await api.get('/v1/research').catch((reason) => reason);
  expect(isBipsyncAuthError(error)).toBe(true);
  expect(error.code).toBe('ERR_BIPSYNC_CREDENTIALS');
});

test("the page's own AbortController cancels a request that waits for its token", async () => {
  const { api, mock } = mocked();
  let answer;
  mock.onPost(/oauth\/token$/).reply(() => new Promise((resolve) => (answer = resolve)));
  mock.onGet('/v1/research').reply(200, page);
  const controller = new AbortController();
  const request = api.get('/v1/research', { signal: controller.signal });
  const other = api.get('/v1/research');
  controller.abort();
  expect(axios.isCancel(await request.catch((reason) => reason))).toBe(true);
  answer([200, { token_type: 'bearer', expires_in: 3600, access_token: 'late' }]);
  expect((await other).status).toBe(200);
});

test('a request rejects at its timeout while it waits for its token', async () => {
  const { api, mock } = mocked();
  mock.onPost(/oauth\/token$/).reply(() => new Promise(() => {}));
  await expect(api.get('/v1/research', { timeout: 20 })).rejects.toMatchObject({ code: 'ECONNABORTED' });
});

test('a bad configuration is reported by name', () => {
  const install = () => mocked({ client: 'acme', clientId: '', tokenTimeoutMs: -1 });
  expect(install).toThrow(/clientId[^]*tokenTimeoutMs|tokenTimeoutMs[^]*clientId/);
});
