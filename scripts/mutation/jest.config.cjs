const { join } = require('node:path');

/** For Stryker alone: `run.mjs` names the test files. */
module.exports = {
  rootDir: join(__dirname, '../..'),
  testMatch: ['<rootDir>/scripts/mutation/suite.test.cjs'],
  testEnvironment: join(__dirname, 'environment.cjs'),
  transform: { '^.+\\.ts$': ['ts-jest', { diagnostics: false }] },
  clearMocks: true,
  testTimeout: 30_000,
};
