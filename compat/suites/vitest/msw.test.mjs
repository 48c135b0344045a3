import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { auth } from '../app/bipsync.mjs';
import { titles } from '../app/notes.mjs';

const home = 'https://acme-api.bipsync.com';
const server = setupServer(
  http.post(`${home}/v1/oauth/token`, () =>
    HttpResponse.json({ token_type: 'bearer', expires_in: 3600, access_token: 'test-token' }),
  ),
  http.get(`${home}/v1/research`, ({ request }) =>
    request.headers.get('authorization') === 'Bearer test-token'
      ? HttpResponse.json({ results: [{ title: 'Q3 review' }] })
      : HttpResponse.json({ error: 'access_denied' }, { status: 401 }),
  ),
);
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
beforeEach(() => auth.invalidate());
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

test('reads the titles with the token', async () => {
  expect(await titles()).toEqual(['Q3 review']);
});

test('reports a token endpoint that refuses the client', async () => {
  const refusal = () => HttpResponse.json({ error: 'invalid_client' }, { status: 401 });
  server.use(http.post(`${home}/v1/oauth/token`, refusal));
  await expect(titles()).rejects.toMatchObject({ code: 'ERR_BIPSYNC_CREDENTIALS' });
});
