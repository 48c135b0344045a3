// Judges the tests by breaking the code: npm run test:mutation [-- group [file …]]
import { Stryker } from '@stryker-mutator/core';
import { readdirSync } from 'node:fs';

/** They take seconds each, or cannot share a process with others. */
const leftOut = ['axios/pollution', 'axios/odd-proxies', 'token/one-token-for-a-fleet'];

/** The tests `first`, then all others of these folders. */
function testsOf(folders, first) {
  const all = folders.flatMap((folder) =>
    readdirSync(new URL(`../../__tests__/${folder}`, import.meta.url))
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => `${folder}/${file.replace('.test.ts', '')}`),
  );
  return [...new Set([...first, ...all])].filter((file) => !leftOut.includes(file));
}

/** What is broken, and the tests that have to notice; those where most mutants die, and soon, come first. */
const groups = {
  core: {
    mutate: [
      'src/*.ts',
      'src/{options,token,request,axios}/*.ts',
      '!src/index.ts',
      '!src/axios/{proxies,risks,versions}.ts',
    ],
    testFiles: testsOf(
      ['options', 'token', 'request', 'axios'],
      [
        'install',
        ...['config', 'messages', 'environment'].map((name) => `options/${name}`),
        ...['source', 'answers', 'cool-down', 'minting', 'endpoint', 'messages'].map(
          (name) => `token/${name}`,
        ),
        ...['unauthorized', 'gate', 'waiting', 'concealment', 'layer', 'side-doors'].map(
          (name) => `request/${name}`,
        ),
        ...['errors', 'events'],
      ],
    ).concat('fault-table/table'),
  },
  // What stands in for features that the newest axios has is at work on an older one.
  'old-axios': {
    mutate: ['src/axios/{proxies,risks,versions}.ts'],
    testFiles: testsOf(['axios', 'token', 'request'], ['axios/proxies', 'axios/destination', 'install']),
    axios: 'axios-1.7',
  },
  stores: { mutate: ['src/stores/*.ts'], testFiles: testsOf(['stores'], ['stores/encrypted']) },
  nestjs: { mutate: ['src/nestjs/*.ts'], testFiles: testsOf(['nestjs'], ['nestjs/module']) },
  testing: { mutate: ['src/testing/*.ts'], testFiles: testsOf(['testing'], ['testing/token-endpoint']) },
};

const [only, ...files] = process.argv.slice(2);
const totals = { detected: 0, undetected: 0 };
for (const [name, { mutate, testFiles, axios = 'axios' }] of Object.entries(groups)) {
  if (only !== undefined && only !== name) continue;
  const results = await new Stryker({
    testRunner: 'jest',
    jest: {
      configFile: 'scripts/mutation/jest.config.cjs',
      config: { globals: { testFiles }, moduleNameMapper: { '^axios$': axios } },
      enableFindRelatedTests: false,
    },
    coverageAnalysis: 'perTest',
    mutate: files.length > 0 ? files : mutate,
    ignorePatterns: ['bench', 'compat', 'dist', 'examples', 'reports'],
    reporters: ['clear-text', 'progress-append-only', 'json', 'event-recorder'],
    eventReporter: { baseDir: `reports/mutation-${name}-events` },
    jsonReporter: { fileName: `reports/mutation-${name}.json` },
    clearTextReporter: { logTests: false, reportTests: false, allowColor: false },
    incremental: process.env.INCREMENTAL === '1',
    incrementalFile: `reports/mutation-${name}-incremental.json`,
    concurrency: Number(process.env.CONCURRENCY ?? 2),
    timeoutMS: 5000,
    allowConsoleColors: false,
  }).runMutationTest();
  for (const { status } of results) {
    if (status === 'Killed' || status === 'Timeout') totals.detected += 1;
    else if (status === 'Survived' || status === 'NoCoverage') totals.undetected += 1;
  }
}
const { detected, undetected } = totals;
const score = ((100 * detected) / (detected + undetected)).toFixed(2);
console.log(`mutation score ${score} % (${detected} detected, ${undetected} not)`);
