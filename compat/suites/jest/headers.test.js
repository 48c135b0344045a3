/* global beforeEach, expect, test */
const MockAdapter = require('axios-mock-adapter');
const { mockBipsyncToken } = require('axios-bipsync-auth/testing');

const { bipsync } = require('../app/bipsync');

const mock = new MockAdapter(bipsync);
beforeEach(() => {
  mock.reset();
  mockBipsyncToken(mock, { accessToken: 'test-token' });
});

test('once a request is answered, its header can be read by name, and nothing lists or prints it', async () => {
  mock.onGet('/v1/research').reply(200, { results: [] });
  await bipsync.get('/v1/research');
  const [{ headers }] = mock.history.get;

  // These see the header.
  expect(headers.Authorization).toBe('Bearer test-token');
  expect(headers).toMatchObject({ Authorization: 'Bearer test-token' });
  expect(headers).toEqual(expect.objectContaining({ Authorization: 'Bearer test-token' }));
  expect('Authorization' in headers).toBe(true);

  // These do not: they look at the own properties of the headers only.
  expect(headers.get('Authorization')).toBeUndefined();
  expect(headers.has('Authorization')).toBe(false);
  expect({ ...headers }).not.toHaveProperty('Authorization');
  expect(JSON.stringify(headers)).not.toContain('test-token');
});

test('while the request is being answered, the header is an ordinary one', async () => {
  let seen;
  mock.onGet('/v1/research').reply(({ headers }) => {
    seen = headers.get('Authorization');
    return [200, {}];
  });
  await bipsync.get('/v1/research');
  expect(seen).toBe('Bearer test-token');
});
