/* global beforeEach, expect, test */
const MockAdapter = require('axios-mock-adapter');

const { bipsync, auth } = require('../app/bipsync');
const { titles } = require('../app/notes');

const mock = new MockAdapter(bipsync, { onNoMatch: 'throwException' });
beforeEach(() => {
  mock.reset();
  auth.invalidate();
  mock.onGet('/v1/research').reply(200, { results: [] });
});

test('a mocked token without token_type is refused, and the message names what is missing', async () => {
  mock.onPost(/oauth\/token$/).reply(200, { access_token: 'test-token', expires_in: 3600 });
  await expect(titles()).rejects.toMatchObject({
    code: 'ERR_BIPSYNC_TOKEN_RESPONSE',
    message: expect.stringContaining('token_type'),
  });
});

test('a mocked token with token_type is accepted, and expires_in may be left out', async () => {
  mock.onPost(/oauth\/token$/).reply(200, { access_token: 'test-token', token_type: 'bearer' });
  expect(await titles()).toEqual([]);
});
