/* global expect, jest, test */
jest.mock('axios-bipsync-auth', () => ({
  installBipsyncAuth: jest.fn(() => ({ getToken: jest.fn(), invalidate: jest.fn(), eject: jest.fn() })),
}));

const { auth } = require('../app/bipsync');

test('code that uses the handle gets one', () => {
  auth.invalidate();
  expect(auth.invalidate).toHaveBeenCalledTimes(1);
});
