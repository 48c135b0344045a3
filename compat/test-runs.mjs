// Runs suites in Jest, Vitest and node:test, and says of each test what became of it.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** installPackages installs what the folder's lock file names, unless that was done before, and the tarball next to it. */
export function installPackages(folder, tarball) {
  const marker = join(folder, 'node_modules/.installed');
  const isFresh =
    existsSync(marker) && statSync(marker).mtimeMs > statSync(join(folder, 'package-lock.json')).mtimeMs;
  if (!isFresh) {
    execFileSync('npm', ['ci', '--loglevel=error'], { cwd: folder, stdio: 'inherit' });
    writeFileSync(marker, '');
  }
  const flags = ['--loglevel=error', '--no-save', '--no-package-lock', '--legacy-peer-deps'];
  execFileSync('npm', ['install', ...flags, tarball], { cwd: folder, stdio: 'ignore' });
}

/** createTestRuns counts the tests of several runs; `finish` prints the totals. */
export function createTestRuns() {
  let passed = 0;
  let failed = 0;

  function report(name, tests, output = '') {
    const all = tests.length > 0 ? tests : [{ isOk: false, title: 'no test ran', details: output }];
    for (const { isOk, title, details } of all) {
      if (isOk) passed += 1;
      else failed += 1;
      console.log(`${isOk ? 'ok   ' : 'FAIL '} ${name}: ${title}`);
      if (!isOk) console.log(details);
    }
  }

  /** Jest and Vitest write the same JSON. */
  function withJson(name, cwd, command) {
    const folder = mkdtempSync(join(tmpdir(), 'test-run-'));
    const file = join(folder, 'report.json');
    const { stdout, stderr } = run(cwd, [...command, `--outputFile=${file}`]);
    const files = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).testResults : [];
    rmSync(folder, { recursive: true });
    const tests = files.flatMap(({ assertionResults, message, name: path }) =>
      assertionResults.length > 0
        ? assertionResults.map(({ status, fullName, failureMessages }) => ({
            isOk: status === 'passed',
            title: `${basename(path)}: ${fullName}`,
            details: failureMessages.join('\n'),
          }))
        : [{ isOk: false, title: `${path} could not be loaded`, details: message }],
    );
    report(name, tests, stdout + stderr);
  }

  return {
    report,
    /** `root` holds `node_modules`, `cwd` the suites. */
    jest(name, root, cwd, ...args) {
      const program = join(root, 'node_modules/jest/bin/jest.js');
      withJson(name, cwd, [program, '--rootDir=.', '--runInBand', '--json', ...args]);
    },
    vitest(name, root, cwd, ...args) {
      const program = join(root, 'node_modules/vitest/vitest.mjs');
      withJson(name, cwd, [program, 'run', '--globals', '--reporter=json', ...args]);
    },
    nodeTest(name, cwd, ...files) {
      const { stdout, stderr } = run(cwd, ['--test', '--test-reporter=tap', ...files]);
      const lines = [...stdout.matchAll(/^(ok|not ok) \d+ - (.+)$/gm)];
      const tests = lines.map(([, status, title]) => ({ isOk: status === 'ok', title, details: stdout }));
      report(name, tests, stdout + stderr);
    },
    finish() {
      console.log(`${passed} passed, ${failed} failed`);
      process.exitCode = failed === 0 ? 0 : 1;
    },
  };
}

function run(cwd, args) {
  const env = { ...process.env, NO_COLOR: '1' };
  return spawnSync(process.execPath, args, { cwd, encoding: 'utf8', env });
}
