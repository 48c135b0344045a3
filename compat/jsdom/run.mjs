/**
 * Test suites in a simulated page: jsdom in Jest 29, Jest 30 and Vitest, and happy-dom in Vitest.
 *
 * Usage: node run.mjs <packed tarball>
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const tarball = process.argv[2];

/** What Jest has to be told so that it loads axios's build for Node, which has the http adapter. */
const nodeBuild = { customExportConditions: ['node', 'node-addons'] };
const mock = 'mock-adapter.test';
const emulator = 'emulator.test';

const runs = [
  ...['jest29', 'jest30'].flatMap((folder) => [
    { folder, name: `${folder} with jsdom`, command: jest('{}', mock) },
    {
      folder,
      name: `${folder} with jsdom and axios for Node`,
      command: jest(JSON.stringify(nodeBuild), mock, emulator),
    },
  ]),
  ...['jsdom', 'happy-dom'].map((environment) => ({
    folder: 'vitest',
    name: `vitest with ${environment}`,
    command: vitest(environment),
  })),
];

function jest(options, ...suites) {
  const flags = ['--runInBand', '--env=jsdom', `--testEnvironmentOptions=${options}`];
  return ['jest/bin/jest.js', '--rootDir=.', '--json', '--outputFile=report.json', ...flags, ...suites];
}

function vitest(environment) {
  const report = ['--reporter=json', '--outputFile=report.json'];
  return ['vitest/vitest.mjs', 'run', '--globals', `--environment=${environment}`, ...report];
}

const prepared = new Set();
let passed = 0;
let failed = 0;
for (const { folder, name, command } of runs) {
  const cwd = `${here}${folder}/`;
  prepare(cwd);
  const generated = `${cwd}generated/`;
  mkdirSync(generated, { recursive: true });
  for (const file of readdirSync(`${here}suites`)) {
    const suite = readFileSync(`${here}suites/${file}`, 'utf8');
    if (folder === 'vitest') writeFileSync(`${generated}${file.replace('.js', '.mjs')}`, toModule(suite));
    else writeFileSync(`${generated}${file}`, suite);
  }
  const [program, ...args] = command;
  const { stdout, stderr } = spawnSync(process.execPath, [`${cwd}node_modules/${program}`, ...args], {
    cwd: generated,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  const report = `${generated}report.json`;
  const tests = existsSync(report)
    ? JSON.parse(readFileSync(report, 'utf8')).testResults.flatMap(({ assertionResults }) => assertionResults)
    : [];
  rmSync(generated, { recursive: true });
  for (const { status, title, failureMessages } of tests) {
    if (status === 'passed') passed += 1;
    else failed += 1;
    console.log(`${status === 'passed' ? 'ok   ' : 'FAIL '} ${name}: ${title}`);
    for (const message of failureMessages) console.log(message.slice(0, 2000));
  }
  if (tests.length === 0) {
    failed += 1;
    console.log(`FAIL  ${name}: no test ran\n${stdout}${stderr}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Installs what the folder's lock file names, unless that was done before, and the tarball next to it. */
function prepare(cwd) {
  if (prepared.has(cwd)) return;
  prepared.add(cwd);
  const marker = `${cwd}node_modules/.installed`;
  const isNewer =
    existsSync(marker) && statSync(marker).mtimeMs > statSync(`${cwd}package-lock.json`).mtimeMs;
  if (!isNewer) {
    execFileSync('npm', ['ci', '--loglevel=error'], { cwd, stdio: 'inherit' });
    writeFileSync(marker, '');
  }
  const flags = ['--loglevel=error', '--no-save', '--no-package-lock', '--legacy-peer-deps'];
  execFileSync('npm', ['install', ...flags, tarball], { cwd, stdio: 'ignore' });
}

/** The suites are written once, in CommonJS: their `require` lines become the `import` lines of Vitest. */
function toModule(suite) {
  return suite.replace(/^const (.+) = require\('(.+)'\);$/gm, "import $1 from '$2';");
}
