import { labels } from './contenders.mjs';

const modules = {
  1: '../items/1-hot-path.mjs',
  2: '../items/2-loopback.mjs',
  3: '../items/3-cold-burst.mjs',
  4: '../items/4-rollover.mjs',
  5: '../items/5-storm.mjs',
  6: '../items/6-refused.mjs',
  7: '../items/7-footprint.mjs',
  8: '../items/8-fleet.mjs',
};

/** tables is one table for each item: a title, and rows of a description and one cell for each contender. */
export async function tables({ items }) {
  const result = [];
  for (const [number, data] of Object.entries(items)) {
    const { title, rows } = await import(modules[number]);
    result.push({
      number,
      title,
      rows: rows(data).map(([what, cell]) => [
        what,
        ...Object.keys(labels).map((name) => String(cell(name) || cell(name) === 0 ? cell(name) : '–')),
      ]),
    });
  }
  return result;
}

const short = [
  'ours',
  'hand-written',
  'token-interceptor',
  'auth-refresh',
  'bare',
  'empty pair',
  'constant pair',
];

export async function textTable(results) {
  const all = await tables(results);
  const lines = all.flatMap(({ number, title, rows }) => [[`${number}. ${title}`], ...rows]);
  const widths = ['', ...short].map((head, column) =>
    Math.max(head.length, ...lines.filter((line) => line.length > 1).map((line) => line[column].length)),
  );
  const format = (cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd();
  return [
    format(['', ...short]),
    ...lines.map((line) => (line.length > 1 ? format(line) : `\n${line[0]}`)),
  ].join('\n');
}
