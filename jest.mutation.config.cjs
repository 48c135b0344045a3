// What judges mutants: the suites that need no server of their own making, on the newest axios, in one process each.
module.exports = {
  testEnvironment: 'node',
  transform: { '^.+\\.ts$': ['ts-jest', {}] },
  testMatch: [
    '<rootDir>/__tests__/core/**/*.test.ts',
    '<rootDir>/__tests__/stores/{encrypted,source-*}.test.ts',
    '<rootDir>/__tests__/nestjs/**/*.test.ts',
  ],
  testTimeout: 20_000,
};
