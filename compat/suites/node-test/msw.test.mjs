import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';

import { auth } from '../app/bipsync.mjs';
import { titles } from '../app/notes.mjs';

const home = 'https://acme-api.bipsync.com';
const server = setupServer(
  http.post(`${home}/v1/oauth/token`, () =>
    HttpResponse.json({ token_type: 'bearer', expires_in: 3600, access_token: 'test-token' }),
  ),
  http.get(`${home}/v1/research`, ({ request }) =>
    HttpResponse.json({ results: [{ title: request.headers.get('authorization') }] }),
  ),
);
before(() => server.listen({ onUnhandledRequest: 'error' }));
after(() => server.close());
beforeEach(() => auth.invalidate());

test('reads the titles with the token', async () => {
  assert.deepEqual(await titles(), ['Bearer test-token']);
});
