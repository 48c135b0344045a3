/* global expect, jest, test */
jest.mock('axios');
jest.mock('axios-bipsync-auth');

const axios = require('axios');

axios.create.mockReturnValue(axios); // before the application is loaded
const { titles } = require('../app/notes');

test('an automock of axios answers the request', async () => {
  axios.get.mockResolvedValue({ data: { results: [{ title: 'Q3 review' }] } });
  expect(await titles()).toEqual(['Q3 review']);
  expect(axios.get).toHaveBeenCalledWith('/v1/research');
});
