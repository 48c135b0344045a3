/**
 * The recipes of docs/testing.md, each a small suite, and the migration of docs/migrating.md; then that both documents show
 * what was run.
 *
 * Usage: node run.mjs <packed tarball>. With `--write` instead, it writes the migration's differences into the document.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createTestRuns, installPackages } from '../test-runs.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');
const read = (...path) => readFileSync(join(root, ...path), 'utf8');
const block = /<!-- (.+) -->\n\n```(js|diff)\n([^]*?)```/g;

if (process.argv[2] === '--write') {
  const withDifferences = read('docs/migrating.md').replace(block, (_, marker, language) => {
    return `<!-- ${marker} -->\n\n\`\`\`${language}\n${differences(marker.replace('diff ', ''))}\`\`\``;
  });
  writeFileSync(join(root, 'docs/migrating.md'), withDifferences);
} else {
  await runAll(process.argv[2]);
}

async function runAll(tarball) {
  installPackages(here, tarball);
  const runs = createTestRuns();
  runs.jest('jest', here, here, 'jest/');
  runs.jest('before the migration', here, here, 'migration/before/');
  runs.jest('after the migration', here, here, 'migration/after/');
  runs.vitest('vitest', here, here, '--dir=vitest');
  runs.nodeTest(
    'node:test',
    here,
    ...readdirSync(join(here, 'node-test')).map((file) => `node-test/${file}`),
  );
  runs.report('docs', documentChecks());
  runs.finish();
}

function documentChecks() {
  const recipes = [...read('docs/testing.md').matchAll(block)].map(([, file, , code]) => ({
    title: `docs/testing.md shows what is run in ${file}`,
    isOk: read(file).includes(code),
    details: code,
  }));
  const migration = [...read('docs/migrating.md').matchAll(block)].map(([, marker, , code]) => ({
    title: `docs/migrating.md shows the ${marker}`,
    isOk: code === differences(marker.replace('diff ', '')),
    details: 'node compat/suites/run.mjs --write brings it up to date',
  }));
  const codeBlocks = read('docs/testing.md').split(/^```js$/m).length - 1;
  return [
    ...recipes,
    ...migration,
    {
      title: 'every code block of docs/testing.md names the file that it is from',
      isOk: codeBlocks > 0 && recipes.length === codeBlocks,
      details: `${recipes.length} of ${codeBlocks}`,
    },
    {
      title: 'the migration changes no assertion',
      isOk: migration.length === 2 && !/^[-+].*expect\(/m.test(differences('client.test.js')),
      details: differences('client.test.js'),
    },
  ];
}

/** What `diff -u` prints, without the lines that name the files, and without a space at the end of an empty line. */
function differences(file) {
  const { stdout } = spawnSync('diff', ['-U2', `before/${file}`, `after/${file}`], {
    cwd: join(here, 'migration'),
    encoding: 'utf8',
  });
  return stdout.split('\n').slice(2).join('\n').replace(/^ $/gm, '');
}
