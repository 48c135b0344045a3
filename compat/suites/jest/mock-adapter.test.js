/* global afterEach, beforeEach, expect, test */
const MockAdapter = require('axios-mock-adapter');
const { mockBipsyncToken } = require('axios-bipsync-auth/testing');

const { bipsync, auth } = require('../app/bipsync');
const { create, titles } = require('../app/notes');

const mock = new MockAdapter(bipsync, { onNoMatch: 'throwException' });
let token;

beforeEach(() => {
  token = mockBipsyncToken(mock);
});
afterEach(() => {
  mock.reset(); // removes the handler of mockBipsyncToken, too
  auth.invalidate(); // the next test begins without a token
});

test('reads the titles with a token', async () => {
  mock.onGet('/v1/research').reply(200, { results: [{ title: 'Q3 review' }] });
  expect(await titles()).toEqual(['Q3 review']);
  expect(mock.history.get[0].headers.Authorization).toBe(`Bearer ${token.accessToken}`);
});

test('posts one note', async () => {
  mock.onPost('/v2/research/note').reply(201, { id: 'note-26' });
  expect(await create('Q3 review')).toBe('note-26');
  // The token request is not in the history.
  expect(mock.history.post).toHaveLength(1);
  expect(JSON.parse(mock.history.post[0].data)).toEqual({ user: 'user-1', title: 'Q3 review' });
  expect(token.tokenRequests).toBe(1);
});

test('reads the titles after a 401, with a new token', async () => {
  mock.onGet('/v1/research').replyOnce(401);
  mock.onGet('/v1/research').reply(200, { results: [] });
  expect(await titles()).toEqual([]);
  expect(mock.history.get).toHaveLength(2);
  expect(token.tokenRequests).toBe(2);
});
