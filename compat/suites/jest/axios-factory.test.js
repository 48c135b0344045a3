/* global expect, jest, test */
const mockGet = jest.fn();
jest.mock('axios', () => ({ create: () => ({ get: mockGet }) }));
jest.mock('axios-bipsync-auth');

const { titles } = require('../app/notes');

test('a factory mock of axios answers the request', async () => {
  mockGet.mockResolvedValue({ data: { results: [{ title: 'Q3 review' }] } });
  expect(await titles()).toEqual(['Q3 review']);
});
