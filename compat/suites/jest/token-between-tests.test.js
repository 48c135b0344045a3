/* global beforeEach, describe, expect, test */
const MockAdapter = require('axios-mock-adapter');
const { mockBipsyncToken } = require('axios-bipsync-auth/testing');

const { bipsync, auth } = require('../app/bipsync');
const { titles } = require('../app/notes');

const mock = new MockAdapter(bipsync);
let token;
beforeEach(() => {
  mock.reset();
  token = mockBipsyncToken(mock);
  mock.onGet('/v1/research').reply(200, { results: [] });
});

describe('an instance that the whole test file shares', () => {
  test('fetches a token in the first test', async () => {
    await titles();
    expect(token.tokenRequests).toBe(1);
  });

  test('keeps it in the next one, which sees no token request', async () => {
    await titles();
    expect(token.tokenRequests).toBe(0);
  });

  test('fetches another one after invalidate()', async () => {
    auth.invalidate();
    await titles();
    expect(token.tokenRequests).toBe(1);
  });
});
