import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import MockAdapter from 'axios-mock-adapter';
import { mockBipsyncToken } from 'axios-bipsync-auth/testing';

import { auth, bipsync } from '../app/bipsync.mjs';
import { create, titles } from '../app/notes.mjs';

const mock = new MockAdapter(bipsync, { onNoMatch: 'throwException' });
beforeEach(() => void mockBipsyncToken(mock));
afterEach(() => {
  mock.reset();
  auth.invalidate();
});

test('posts one note with a token', async () => {
  mock.onPost('/v2/research/note').reply(201, { id: 'note-26' });
  assert.equal(await create('Q3 review'), 'note-26');
  assert.equal(mock.history.post.length, 1);
  assert.equal(mock.history.post[0].headers.Authorization, 'Bearer mocked-bipsync-token');
});

test('mock.method replaces the method that the application calls', async (t) => {
  t.mock.method(bipsync, 'get', async () => ({ data: { results: [{ title: 'Q3 review' }] } }));
  assert.deepEqual(await titles(), ['Q3 review']);
});
