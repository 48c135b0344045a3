// Code in the docs that is quoted from files which CI runs. Above such a block stands where it comes from:
//
//   <!-- examples/nestjs/main.ts -->                      the block is in that file, in one piece
//   <!-- diff compat/a/before.ts compat/a/after.ts -->    the block is the difference of the two files
//
// Usage: node scripts/quotes.mjs docs/nestjs.md …. Every block of code in these documents has to be a quotation.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const block = /(?:^<!-- ([^\n]+) -->\n\n)?^```(ts|js|diff)\n(.*?)^```$/gms;

let passed = 0;
let failed = 0;
for (const document of process.argv.slice(2)) {
  const text = readFileSync(`${root}${document}`, 'utf8');
  for (const { index, 1: marker = '', 3: code } of text.matchAll(block)) {
    const problem = problemOf(marker, code);
    const line = text.slice(0, index).split('\n').length;
    if (problem) failed += 1;
    else passed += 1;
    console.log(`${problem ? 'not ok' : 'ok    '} ${document}:${line} ${problem || marker}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

function problemOf(marker, code) {
  if (marker.startsWith('diff ')) {
    const [, before, after] = marker.split(' ');
    return code === difference(before, after) ? '' : `is not the ${marker}:\n${difference(before, after)}`;
  }
  if (!existsSync(`${root}${marker}`) || marker === '') return 'names no file that it is from';
  return flush(readFileSync(`${root}${marker}`, 'utf8')).includes(flush(code)) ? '' : `is not in ${marker}`;
}

/** What `diff` prints, without the lines that name the files, and without the space of an empty line. */
function difference(before, after) {
  const { stdout } = spawnSync('diff', ['-U2', before, after], { cwd: root, encoding: 'utf8' });
  return stdout.split('\n').slice(2).join('\n').replace(/^ $/gm, '');
}

/** Lines without their indentation: a part of a class or of a call starts at the margin in the docs. */
function flush(code) {
  return code.replace(/^[ \t]+/gm, '');
}
