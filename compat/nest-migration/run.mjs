// Type-checks both applications, and runs the same tests on both. `run.sh <tarball>` installs first.
import { execFileSync } from 'node:child_process';

const run = (...args) => execFileSync(process.execPath, args, { stdio: 'inherit' });
run('node_modules/typescript/bin/tsc', '-p', '.');
// Jest writes to stderr.
execFileSync('sh', ['-c', 'node node_modules/jest/bin/jest.js --runInBand 2>&1'], { stdio: 'inherit' });
