/**
 * The table of guarantees in docs/architecture.md. Each of the 27 has a row
 *
 *   | 1 | what is guaranteed | `src/token/source.ts` | `__tests__/token/source.test.ts`: 10,000 requests at once make one token request |
 *
 * whose third column names a source file, and whose last names a test file and the title of a test in it, word for word.
 * Several tests, or several files, are set apart by `<br>`.
 *
 *   node scripts/guarantees.mjs [another file with such a table]
 */
import { existsSync, readFileSync } from 'node:fs';

import ts from 'typescript';

const COUNT = 27;

const document = process.argv[2] ?? 'docs/architecture.md';
const rows = (existsSync(document) ? readFileSync(document, 'utf8') : '')
  .split('\n')
  .filter((line) => /^\|\s*\d+\s*\|/.test(line))
  .map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('\\|', '|')),
  );

const known = new Map();
const problems = existsSync(document) ? [] : [`${document} does not exist`];
for (let number = 1; number <= COUNT; number += 1) {
  const matches = rows.filter(([cell]) => Number(cell) === number);
  if (matches.length !== 1) problems.push(`guarantee ${number} has ${matches.length} rows`);
}
for (const [number, , files, tests] of rows) {
  const report = (problem) => problems.push(`guarantee ${number}: ${problem}`);
  for (const file of parts(files)) {
    const [, path] = /^`([^`]+)`$/.exec(file) ?? [];
    if (path === undefined) report(`"${file}" is not a file in backticks`);
    else if (!existsSync(path)) report(`${path} does not exist`);
  }
  for (const test of parts(tests)) {
    const [, path, title] = /^`([^`]+)`: (.+)$/.exec(test) ?? [];
    if (path === undefined) report(`"${test}" is not a test file in backticks, a colon and a title`);
    else if (!existsSync(path)) report(`${path} does not exist`);
    else if (!titlesOf(path).has(title)) report(`${path} has no test "${title}"`);
  }
}

console.log([...problems, `${problems.length === 0 ? 'ok     ' : ''}${rows.length} guarantees`].join('\n'));
process.exitCode = problems.length === 0 ? 0 : 1;

function parts(cell) {
  return (cell ?? '').split(/<br ?\/?>/).map((part) => part.trim());
}

function titlesOf(path) {
  if (!known.has(path)) known.set(path, readTitles(path));
  return known.get(path);
}

/** The titles of the tests that a file runs: of each call that has a title and a function, whatever the call's name. */
function readTitles(path) {
  const found = new Set();
  const visit = (node) => {
    if (ts.isCallExpression(node) && proves(node.expression) && node.arguments.some(ts.isFunctionLike)) {
      const [title] = node.arguments;
      if (ts.isStringLiteralLike(title)) found.add(title.text);
      else if (ts.isTemplateExpression(title)) found.add(title.getText().slice(1, -1));
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true));
  return found;
}

/** A group is not a test, and one that is skipped or expected to fail proves nothing. */
function proves(callee) {
  return !/^describe|\.(skip|failing|todo)\b/.test(callee.getText());
}
