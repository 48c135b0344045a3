/**
 * @jest-config-loader ts-node
 * @jest-config-loader-options {"transpileOnly": true, "compilerOptions": {"module": "CommonJS", "moduleResolution": "Bundler"}}
 */
import type { Config } from 'jest';

const project = {
  testEnvironment: 'node',
  transform: { '^.+\\.ts$': ['ts-jest', {}] as [string, Record<string, unknown>] },
  clearMocks: true,
};

const config: Config = {
  openHandlesTimeout: 2000,
  projects: [{ ...project, displayName: 'axios newest', testMatch: ['<rootDir>/__tests__/**/*.test.ts'] }],
};

export default config;
