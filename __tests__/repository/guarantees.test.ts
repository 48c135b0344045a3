import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SCRIPT = join(__dirname, '../../scripts/guarantees.mjs');
const TITLE = 'a test of this file is found by its title';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guarantees-'));
  writeFileSync(join(folder, 'source.ts'), '');
  writeFileSync(
    join(folder, 'some.test.ts'),
    `describe('a group', () => {
      it('${TITLE}', () => {});
      it.each([1, 2])('case %s of a | b', (value) => value);
      it.skip('a skipped test', () => {});
      it.failing('a test that fails', () => {});
    });`,
  );
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the check on a table of 27 rows, some of which are replaced. */
function check(replaced: Record<number, string[]>): { status: number | null; lines: string[] } {
  const table = Array.from(
    { length: 27 },
    (_, index) => replaced[index + 1] ?? [row(index + 1, `\`some.test.ts\`: ${TITLE}`)],
  );
  const file = join(folder, 'architecture.md');
  writeFileSync(file, ['| # | what | where | test |', '| - | - | - | - |', ...table.flat()].join('\n'));
  const { status, stdout } = spawnSync(process.execPath, [SCRIPT, file], { cwd: folder, encoding: 'utf8' });
  return { status, lines: stdout.trim().split('\n') };
}

const row = (number: number, test: string, file = '`source.ts`'): string =>
  `| ${String(number)} | something | ${file} | ${test} |`;

describe('the check of the guarantees', () => {
  it('accepts 27 rows that name tests, several in one row and parametrized ones too', () => {
    const several = `\`some.test.ts\`: ${TITLE}<br>\`some.test.ts\`: case %s of a \\| b`;

    expect(check({ 7: [row(7, several)] })).toEqual({ status: 0, lines: ['ok     27 guarantees'] });
  });

  it('refuses rows that are missing or repeated, and files and tests that do not exist or prove nothing', () => {
    const { status, lines } = check({
      1: [],
      2: [row(2, `\`some.test.ts\`: ${TITLE}`), row(2, `\`some.test.ts\`: ${TITLE}`)],
      3: [row(3, `\`some.test.ts\`: ${TITLE}`, '`gone.ts`')],
      4: [row(4, `\`gone.test.ts\`: ${TITLE}`)],
      5: [row(5, '`some.test.ts`: a test')],
      6: [row(6, '`some.test.ts`: a group')],
      7: [row(7, '`some.test.ts`: a skipped test')],
      8: [row(8, '`some.test.ts`: a test that fails')],
      9: [row(9, '')],
    });

    expect(lines.slice(0, -1)).toEqual([
      'guarantee 1 has 0 rows',
      'guarantee 2 has 2 rows',
      'guarantee 3: gone.ts does not exist',
      'guarantee 4: gone.test.ts does not exist',
      'guarantee 5: some.test.ts has no test "a test"',
      'guarantee 6: some.test.ts has no test "a group"',
      'guarantee 7: some.test.ts has no test "a skipped test"',
      'guarantee 8: some.test.ts has no test "a test that fails"',
      'guarantee 9: "" is not a test file in backticks, a colon and a title',
    ]);
    expect(status).toBe(1);
  });
});
