/**
 * The recipes of docs/testing.md, each a small suite, and the migration of docs/migrating.md; then that the documents show
 * what was run.
 *
 * Usage: node run.mjs <packed tarball>
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createChecks } from '../checks.mjs';
import { createTestRuns, installPackages } from '../test-runs.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const docs = join(here, '../../docs');
installPackages(here, process.argv[2]);

const runs = createTestRuns();
const files = (folder) => readdirSync(join(here, folder)).map((file) => join(folder, file));
runs.jest('jest', here, here, 'jest/');
runs.jest('before the migration', here, here, 'migration/before/');
runs.jest('after the migration', here, here, 'migration/after/');
runs.vitest('vitest', here, here, '--dir=vitest');
runs.nodeTest('node:test', here, ...files('node-test'));
runs.finish();
