/**
 * Without HTTP, on axios-mock-adapter: one line lets an existing suite answer token requests.
 *
 * Run: node --test examples/testing/
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import axios from 'axios';
import { installBipsyncAuth } from 'axios-bipsync-auth';
import { mockBipsyncToken } from 'axios-bipsync-auth/testing';
import MockAdapter from 'axios-mock-adapter';

import { createNotes } from './notes.mjs';

test('reads the titles', async () => {
  const bipsync = axios.create();
  installBipsyncAuth(bipsync, { client: 'acme', clientId: 'id', clientSecret: 'secret', teamId: '1' });
  const mock = new MockAdapter(bipsync, { onNoMatch: 'throwException' });
  mockBipsyncToken(mock);
  mock.onGet('/v1/research').reply(200, { total: 1, offset: 0, limit: 10, results: [{ title: 'Mocked' }] });
  assert.deepEqual(await createNotes(bipsync).titles(), ['Mocked']);
  // The history holds the requests of the application, not the one for the token.
  assert.deepEqual(
    mock.history.map(({ url }) => url),
    ['/v1/research'],
  );
});
