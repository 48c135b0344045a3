/* global expect, jest, test */
const axios = require('axios');
const MockAdapter = require('axios-mock-adapter');
const { mockBipsyncToken } = require('axios-bipsync-auth/testing');

const { bipsync } = require('../app/bipsync');
const { titles } = require('../app/notes');

test('jest.spyOn(axios, "post") does not see the login, which mockBipsyncToken answers', async () => {
  const post = jest.spyOn(axios, 'post').mockResolvedValue({ data: { access_token: 'from the spy' } });
  const mock = new MockAdapter(bipsync, { onNoMatch: 'throwException' });
  const token = mockBipsyncToken(mock, { accessToken: 'mocked-token' });
  mock.onGet('/v1/research').reply(200, { results: [] });
  await titles();
  expect(post).not.toHaveBeenCalled();
  expect(token.tokenRequests).toBe(1);
  expect(mock.history.get[0].headers.Authorization).toBe('Bearer mocked-token');
});

test('jest.spyOn of the method that the application calls works as before', async () => {
  const get = jest.spyOn(bipsync, 'get').mockResolvedValue({ data: { results: [{ title: 'Q3 review' }] } });
  expect(await titles()).toEqual(['Q3 review']);
  get.mockRestore();
});
