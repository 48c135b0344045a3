/* global expect, jest, test */
jest.mock('axios', () => ({ create: () => ({ get: jest.fn() }) }));

test('a factory mock of axios without one of the plugin is refused, with the line to write', () => {
  expect(() => require('../app/bipsync')).toThrow(/jest\.mock\(['"]axios-bipsync-auth['"]\)/);
});

test('every entry point can be loaded all the same', () => {
  for (const entry of ['', '/stores', '/testing']) {
    expect(() => require(`axios-bipsync-auth${entry}`)).not.toThrow();
  }
});
