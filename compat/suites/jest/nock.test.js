/* global afterAll, afterEach, beforeAll, beforeEach, expect, test */
const nock = require('nock');

const { auth } = require('../app/bipsync');
const { titles } = require('../app/notes');

const home = 'https://acme-api.bipsync.com';

beforeAll(() => nock.disableNetConnect());
afterAll(() => nock.restore());
beforeEach(() => {
  auth.invalidate(); // every test sees its own token request
  nock(home)
    .post('/v1/oauth/token', /client_id=test-client/)
    .reply(200, { token_type: 'bearer', expires_in: 3600, access_token: 'test-token' });
});
afterEach(() => nock.cleanAll());

test('reads the titles with the token', async () => {
  nock(home, { reqheaders: { authorization: 'Bearer test-token' } })
    .get('/v1/research')
    .reply(200, { results: [{ title: 'Q3 review' }] });
  expect(await titles()).toEqual(['Q3 review']);
  expect(nock.isDone()).toBe(true);
});

test('passes an error of the API on', async () => {
  nock(home).get('/v1/research').reply(500);
  await expect(titles()).rejects.toMatchObject({ response: { status: 500 } });
  expect(nock.isDone()).toBe(true);
});
