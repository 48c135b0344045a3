import nock from 'nock';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { auth } from '../app/bipsync.mjs';
import { titles } from '../app/notes.mjs';

const home = 'https://acme-api.bipsync.com';
beforeAll(() => nock.disableNetConnect());
afterAll(() => nock.restore());
beforeEach(() => auth.invalidate());

test('reads the titles with the token', async () => {
  nock(home)
    .post('/v1/oauth/token')
    .reply(200, { token_type: 'bearer', expires_in: 3600, access_token: 'test-token' });
  nock(home, { reqheaders: { authorization: 'Bearer test-token' } })
    .get('/v1/research')
    .reply(200, { results: [{ title: 'Q3 review' }] });
  expect(await titles()).toEqual(['Q3 review']);
  expect(nock.isDone()).toBe(true);
});
