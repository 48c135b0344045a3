/* global expect, jest, test */
jest.mock('axios-bipsync-auth');

const MockAdapter = require('axios-mock-adapter');
const { installBipsyncAuth } = require('axios-bipsync-auth');

const { bipsync } = require('../app/bipsync');
const { titles } = require('../app/notes');

test('without the plugin, requests carry no token and need none', async () => {
  const mock = new MockAdapter(bipsync, { onNoMatch: 'throwException' });
  mock.onGet('/v1/research').reply(200, { results: [{ title: 'Q3 review' }] });
  expect(await titles()).toEqual(['Q3 review']);
  expect(mock.history.get[0].headers.Authorization).toBeUndefined();
  expect(installBipsyncAuth).toHaveBeenCalledTimes(1);
});
