// npm run bench [-- --quick] [--only 1,4] [--json] [--dist ../dist] [--million 1000000]
//
// What axios-bipsync-auth costs, beside what people would use instead. See README.md for the method.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { formatted } from './lib/format.mjs';
import { benchDir, installBuild, packageJson } from './lib/package.mjs';
import { textTable } from './lib/table.mjs';

// What a failed request drags along would fill screens.
process.on('uncaughtException', ({ stack }) => {
  console.error(stack);
  process.exit(1);
});

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    dist: { type: 'string' },
    million: { type: 'string' },
  },
});
installBuild(options.dist);

const items = {
  1: () => import('./items/1-hot-path.mjs'),
  2: () => import('./items/2-loopback.mjs'),
  3: () => import('./items/3-cold-burst.mjs'),
  4: () => import('./items/4-rollover.mjs'),
  5: () => import('./items/5-storm.mjs'),
  6: () => import('./items/6-refused.mjs'),
  7: () => import('./items/7-footprint.mjs'),
  8: () => import('./items/8-fleet.mjs'),
};
const chosen = options.only?.split(',') ?? Object.keys(items);
const unknown = chosen.filter((number) => !(number in items));
if (unknown.length > 0) {
  console.error(`There is no item ${unknown.join(', ')}, only ${Object.keys(items).join(', ')}.`);
  process.exit(2);
}

const { startServer } = await import('./lib/server.mjs');
const server = await startServer();
const { quick } = options;
const million = Number(options.million ?? (quick ? 20_000 : 1_000_000));
const versions = Object.fromEntries(
  ['axios', 'axios-bipsync-auth', 'axios-token-interceptor', 'axios-oauth-client', 'axios-auth-refresh'].map(
    (name) => [name, packageJson(name).version],
  ),
);
const results = {
  date: new Date().toISOString().slice(0, 10),
  quick,
  node: process.versions.node,
  platform: `${process.platform} ${process.arch}`,
  cores: cpus().length,
  versions,
  items: {},
};
for (const number of chosen) {
  const item = await items[number]();
  if (!options.json) console.error(`${number}. ${item.title} …`);
  const startedAt = performance.now();
  results.items[number] = await item.run({ quick, million, server });
  if (!options.json) console.error(`   ${Math.round((performance.now() - startedAt) / 1000)} s`);
}
server.stop();

// Only a whole run replaces what README.md and the pictures are made from.
const isWhole = !quick && chosen.length === Object.keys(items).length;
const file = `results/${isWhole ? 'latest' : 'partial'}.json`;
mkdirSync(join(benchDir, 'results'), { recursive: true });
writeFileSync(join(benchDir, file), await formatted(JSON.stringify(results), file));
if (options.json) console.log(JSON.stringify(results));
else console.log(await textTable(results));
process.exit();
