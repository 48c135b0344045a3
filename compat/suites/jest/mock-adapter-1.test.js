/* global expect, test */
const MockAdapter = require('axios-mock-adapter-1');
const { mockBipsyncToken } = require('axios-bipsync-auth/testing');

const { bipsync } = require('../app/bipsync');
const { create } = require('../app/notes');

test('axios-mock-adapter 1 answers the token request before a catch-all, and its history holds the note alone', async () => {
  const mock = new MockAdapter(bipsync);
  mock.onPost().reply(201, { id: 'note-26' });
  const token = mockBipsyncToken(mock);
  const mark = Symbol.for('axios-bipsync-auth.mock');
  expect(bipsync.defaults.adapter[mark]).toBe(true);
  expect(await create('Q3 review')).toBe('note-26');
  expect(mock.history.post.map(({ url }) => url)).toEqual(['/v2/research/note']);
  expect(token.tokenRequests).toBe(1);
  mock.onGet('/v1/research').passThrough();
  expect(bipsync.defaults.adapter[mark]).toBe(false);
});
