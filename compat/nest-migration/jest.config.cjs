/** The same tests on both applications. */
const project = (name) => ({
  displayName: name,
  rootDir: __dirname,
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.spec.ts'],
  setupFiles: ['<rootDir>/test/environment.ts'],
  transform: { '^.+\\.ts$': ['ts-jest', { diagnostics: false }] },
  moduleNameMapper: { '^src/(.*)$': `<rootDir>/${name}/$1` },
});

module.exports = { projects: [project('before'), project('after')] };
