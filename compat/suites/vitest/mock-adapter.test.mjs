import MockAdapter from 'axios-mock-adapter';
import { mockBipsyncToken } from 'axios-bipsync-auth/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { auth, bipsync } from '../app/bipsync.mjs';
import { create } from '../app/notes.mjs';

const mock = new MockAdapter(bipsync, { onNoMatch: 'throwException' });
beforeEach(() => void mockBipsyncToken(mock));
afterEach(() => {
  mock.reset();
  auth.invalidate();
});

test('posts one note with a token', async () => {
  mock.onPost('/v2/research/note').reply(201, { id: 'note-26' });
  expect(await create('Q3 review')).toBe('note-26');
  expect(mock.history.post).toHaveLength(1);
  expect(mock.history.post[0].headers.Authorization).toBe('Bearer mocked-bipsync-token');
});
