/**
 * Test suites in a simulated page: jsdom in Jest 29, Jest 30 and Vitest, and happy-dom in Vitest.
 *
 * Usage: node run.mjs <packed tarball>
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createTestRuns, installPackages } from '../test-runs.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const tarball = process.argv[2];
const runs = createTestRuns();

/** With these conditions Jest loads axios's build for Node, which has the http adapter. */
const forNode = JSON.stringify({ customExportConditions: ['node', 'node-addons'] });

for (const folder of ['jest29', 'jest30']) {
  const { root, suites, remove } = prepare(folder, (suite) => suite);
  const name = `${folder} with jsdom`;
  runs.jest(name, root, suites, '--env=jsdom', 'mock-adapter');
  runs.jest(`${name} and axios for Node`, root, suites, '--env=jsdom', `--testEnvironmentOptions=${forNode}`);
  remove();
}
const { root, suites, remove } = prepare('vitest', toModule);
for (const environment of ['jsdom', 'happy-dom']) {
  runs.vitest(`vitest with ${environment}`, root, suites, `--environment=${environment}`);
}
remove();
runs.finish();

/** Copies the suites to where they find the packages of that folder. */
function prepare(folder, convert) {
  const root = join(here, folder);
  const suites = join(root, 'generated');
  installPackages(root, tarball);
  rmSync(suites, { recursive: true, force: true });
  mkdirSync(suites);
  for (const file of readdirSync(join(here, 'suites'))) {
    writeFileSync(join(suites, file), convert(readFileSync(join(here, 'suites', file), 'utf8')));
  }
  return { root, suites, remove: () => rmSync(suites, { recursive: true }) };
}

/** The suites are written once, in CommonJS: their `require` lines become the `import` lines of Vitest. */
function toModule(suite) {
  return suite.replace(/^const (.+) = require\('(.+)'\);$/gm, "import $1 from '$2';");
}
