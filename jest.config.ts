/**
 * @jest-config-loader ts-node
 * @jest-config-loader-options {"transpileOnly": true, "compilerOptions": {"module": "CommonJS", "moduleResolution": "Bundler"}}
 */
import type { Config } from 'jest';
import { availableParallelism } from 'node:os';

const project = {
  testEnvironment: '<rootDir>/__tests__/support/environment.cjs',
  transform: { '^.+\\.ts$': ['ts-jest', {}] as [string, Record<string, unknown>] },
  clearMocks: true,
};

/** The tests in which axios itself takes part. What it has no part in runs once. */
const withAxios = ['install', 'axios/*', 'request/*', 'token/{endpoint,transport}'];

const config: Config = {
  openHandlesTimeout: 2000,
  testTimeout: 30_000,
  // One more than there are cores: some tests wait, for real processes and real time.
  maxWorkers: availableParallelism() + 1,
  testSequencer: '<rootDir>/__tests__/support/sequencer.cjs',
  projects: [
    { ...project, displayName: 'axios newest', testMatch: ['<rootDir>/__tests__/**/*.test.ts'] },
    // The oldest supported axios, and one that is much in use, hold what the core promises too.
    ...['axios-1.7', 'axios-1.12'].map((version) => ({
      ...project,
      displayName: version,
      testMatch: withAxios.map((tests) => `<rootDir>/__tests__/${tests}.test.ts`),
      moduleNameMapper: { '^axios$': version },
    })),
  ],
};

export default config;
