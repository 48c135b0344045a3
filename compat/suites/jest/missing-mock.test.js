/* global afterEach, beforeEach, expect, test */
const MockAdapter = require('axios-mock-adapter');

const { bipsync, auth } = require('../app/bipsync');
const { titles } = require('../app/notes');

let mock;
beforeEach(() => auth.invalidate());
afterEach(() => mock.restore());

test.each([undefined, 'throwException'])(
  'a mock with onNoMatch %s that does not answer the token request is told by name',
  async (onNoMatch) => {
    mock = new MockAdapter(bipsync, onNoMatch && { onNoMatch });
    mock.onGet('/v1/research').reply(200, { results: [] });
    await expect(titles()).rejects.toThrow('mockBipsyncToken(mock)');
  },
);
