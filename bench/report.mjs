// node bench/report.mjs: makes README.md and the two pictures from results/latest.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse, View } from 'vega';
import { compile } from 'vega-lite';

import { labels, peers } from './lib/contenders.mjs';
import { formatted } from './lib/format.mjs';
import { median } from './lib/measure.mjs';
import { benchDir } from './lib/package.mjs';
import { tables } from './lib/table.mjs';

const results = JSON.parse(readFileSync(join(benchDir, process.argv[2] ?? 'results/latest.json'), 'utf8'));
const { items } = results;

// Mid-tones on a transparent ground: readable on light and on dark pages.
const TEXT = '#7d8590';
const GRID = '#7d859040';
const COLOURS = {
  ours: '#2da44e',
  handWritten: '#d9822b',
  tokenInterceptor: '#8a63d2',
  authRefresh: '#3b82d6',
};
const order = peers.map((name) => labels[name]);
const colour = {
  field: 'contender',
  type: 'nominal',
  legend: null,
  scale: { domain: order, range: peers.map((name) => COLOURS[name]) },
};
const config = {
  background: 'transparent',
  aria: false,
  font: 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif',
  title: {
    color: TEXT,
    subtitleColor: TEXT,
    anchor: 'start',
    fontSize: 14,
    subtitleFontSize: 12,
    subtitlePadding: 4,
  },
  axis: {
    labelColor: TEXT,
    titleColor: TEXT,
    gridColor: GRID,
    domainColor: TEXT,
    tickColor: TEXT,
    labelFontSize: 11,
    titleFontSize: 11,
    titleFontWeight: 'normal',
    labelLimit: 500,
  },
  view: { stroke: null },
};

async function draw(file, specification) {
  const { spec } = compile({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    config,
    ...specification,
  });
  const view = new View(parse(spec), { renderer: 'none' });
  writeFileSync(join(benchDir, file), `${await view.toSVG()}\n`);
  view.finalize();
}

const PANEL_TITLE = {
  anchor: 'start',
  frame: 'group',
  fontSize: 12,
  subtitleFontSize: 11,
  subtitlePadding: 2,
  offset: 4,
};
/** Where the logarithmic scale begins. */
const LEAST = 0.7;
/** The picture shows what happens around the end of the token, at 5 s. */
const [FROM_S, TO_S] = [3.5, 6.5];

function rollover() {
  const { requests, tokenDelayMs, lifetimeS, results: measured } = items[4];
  const panel = (name, index) => ({
    title: { text: labels[name], subtitle: noteOf(measured[name]), ...PANEL_TITLE },
    data: {
      values: requests[name]
        .filter(([second]) => second >= FROM_S && second <= TO_S)
        .map(([second, ms]) => ({ contender: labels[name], second, ms })),
    },
    width: 660,
    height: 70,
    mark: { type: 'square', size: 12, opacity: 1 },
    encoding: {
      x: {
        field: 'second',
        type: 'quantitative',
        title: index === peers.length - 1 ? 'seconds since the token was fetched' : null,
        axis: { grid: false },
        scale: { domain: [FROM_S, TO_S], nice: false },
      },
      y: { field: 'ms', type: 'quantitative', axis: { tickCount: 3 } },
      color: colour,
    },
  });
  return {
    title: {
      text: 'Every request around a token rollover',
      subtitle: `A request every 20 ms; the token lives ${lifetimeS} s, the next one takes ${tokenDelayMs} ms`,
      offset: 14,
    },
    vconcat: peers.map(panel),
    resolve: { scale: { y: 'shared' } },
    spacing: 14,
  };
}

function noteOf({ waited, api401s, tokenRequests }) {
  const plural = (count, what) => `${count} ${what}${count === 1 ? '' : 's'}`;
  return `${waited === 0 ? 'no request' : plural(waited, 'request')} waited, ${plural(tokenRequests, 'token request')}, ${plural(api401s, 'API 401')}`;
}

function tokenRequests() {
  const storm = items[5];
  const { windowS, situations } = items[6];
  const panels = [
    [
      `1,000 requests meet a revoked token`,
      (name) => storm.results[name].tokenRequests,
      (name) => `${storm.results[name].succeeded.toLocaleString('en-US')} of 1,000 succeed`,
    ],
    [
      `An endpoint that always answers 401, 20 calls a second for ${windowS} s`,
      (name) => situations.denied.results[name].tokenRequests,
      () => '',
    ],
    [
      `A token endpoint that answers 503, 20 calls a second for ${windowS} s`,
      (name) => situations.outOfOrder.results[name].tokenRequests,
      () => '',
    ],
  ];
  const panel = ([title, count, note], index) => ({
    title: { text: title, ...PANEL_TITLE },
    data: {
      values: peers.map((name) => {
        const remark = note(name);
        const text = count(name).toLocaleString('en-US') + (remark && ` (${remark})`);
        // A logarithmic scale has no 0: its bar is left out.
        return { contender: labels[name], count: Math.max(count(name), LEAST), text };
      }),
    },
    width: 400,
    height: 92,
    encoding: {
      y: {
        field: 'contender',
        type: 'nominal',
        sort: order,
        title: null,
        axis: { ticks: false, domain: false },
      },
      x: {
        field: 'count',
        type: 'quantitative',
        title: index === panels.length - 1 ? 'token requests' : null,
        scale: { type: 'log', domain: [LEAST, 5000], nice: false },
        axis: { values: [1, 10, 100, 1000], format: ',d' },
      },
    },
    layer: [
      { mark: { type: 'bar', height: 14 }, encoding: { color: colour, x2: { datum: LEAST } } },
      {
        mark: { type: 'text', align: 'left', dx: 5, color: TEXT, fontSize: 11 },
        encoding: { text: { field: 'text' } },
      },
    ],
  });
  return {
    title: {
      text: 'Token requests when tokens are refused',
      subtitle: 'Logarithmic scale; fewer is better',
      offset: 14,
    },
    vconcat: panels.map(panel),
    spacing: 18,
  };
}

async function readme() {
  const all = await tables(results);
  const heads = ['', ...Object.values(labels)];
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const sections = all.map(
    ({ number, title, rows }) =>
      `### ${number}. ${title}\n\n${[line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')}\n`,
  );
  const versions = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`);
  return `# What it costs, beside what people would use instead

\`npm run bench\` at the root measures all of this in one run (about ten minutes; \`-- --quick\` for one, \`-- --only 1,4\` for
some of it, \`-- --json\`, \`-- --dist <folder>\` for another build, \`-- --million <requests>\` for item 7). A whole run writes
\`results/latest.json\`, from which \`npm run report\` in this folder makes this page and the two pictures.

![The time of every request around a token rollover](rollover.svg)

![Token requests during a 401 storm and when a token does not help](token-requests.svg)

## Results

As measured on ${results.date}${results.quick ? ' (quick run)' : ''} with Node ${results.node} on ${results.platform}, ${results.cores} cores shared with other work: ${versions.join(', ')}. A dash means that the question does not arise
or was not asked.

${sections.join('\n')}
${findings()}
## Method

- Ratios and counts, not times: a machine's times say little about another's. Where a ratio is given, contenders take turns
  in small chunks, in random order; of a round's chunks the slowest 15 % are left out, and the figure is the median over the
  rounds (item 1: ${items[1]?.rounds} rounds in each of ${items[1]?.series} processes) of the ratio within one round. In items 4 and 6 all run at the same time, each
  against a tenant of its own.
- The reference is a pair of interceptors that only sets a constant \`Authorization\`: no plugin can attach a token for less
  in an interceptor. Differences below 0.02 are within what the same code shows against itself.
- Items 1 and 2 are counted in processor time, to which other jobs on the machine add little; everything else goes by the
  clock.
- The last row of item 1 is a build of the same sources without \`src/request/concealment.ts\`, which hides the token of
  every answered request. The difference from the first row is what the hiding costs.
- Item 1, 3 and the memory of item 7 use an adapter that answers at once, since the network would hide what is measured.
  Items 2, 4, 5, 6 and 8 go over loopback HTTP to a server in a process of its own, which issues a token when it sends it,
  not when it was asked for (in favour of whoever counts its life from the answer).
- Item 5 opens 1,000 connections before the token is revoked. Item 6 counts for ${items[6]?.windowS} seconds and extrapolates nothing.
- The picture of item 4 shows one of its rounds, the third of five; the figures in the table are medians over all.
- Memory is the growth of the heap over 1,000 requests with a young generation too large to be collected meanwhile; the heap
  kept is measured after full collections.
- Peers are set up as their READMEs say. The hand-written interceptor is the usual snippet: a token variable with its expiry,
  an \`async\` request interceptor, one retry after a 401 behind a \`_retry\` flag (\`lib/contenders.mjs\` has it in full). One
  thing was added to it: it does not retry a refused *token* request, which without end it otherwise would.
- \`axios-auth-refresh\` knows nothing of expiry: the API's 401 tells it. \`axios-token-interceptor\` knows nothing of 401s.

\`node bench/guard.mjs\` holds counts and sizes to budgets, without a clock, in CI.
`;
}

/** Where a peer is better, so that nobody has to look for it. */
function findings() {
  const { sizes, parts } = items[7] ?? {};
  if (!sizes) return '';
  const ratio = (
    sizes.ours.alone.compressed /
    Math.min(sizes.tokenInterceptor.whole.compressed, sizes.authRefresh.whole.compressed)
  ).toFixed(0);
  const all = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
  const shares = Object.entries(parts)
    .map(([name, bytes]) => `${name} ${Math.round((100 * bytes) / all)} %`)
    .join(', ');
  const { results: cold } = items[3];
  const ratioOf = (series, name) => median(series.map((one) => one[name]));
  const hot = { relative: ratioOf(items[1].relative, 'ours'), absolute: ratioOf(items[1].absolute, 'ours') };
  const loopback = {
    ours: ratioOf(items[2].ratios, 'ours'),
    handWritten: ratioOf(items[2].ratios, 'handWritten'),
  };
  const percent = (one) => Math.round((one - 1) * 100);
  return `## Where a peer is better

- Size: the peers are ${ratio} times smaller or more. The plugin's minified code by folder of \`src\`: ${shares}.
- Time of a request: on the hot path the plugin costs ${percent(hot.relative)} % (relative URL) and ${percent(hot.absolute)} % (absolute URL) more than a pair of interceptors that sets a constant
  header. Over loopback it costs ${percent(loopback.ours)} % more processor time than bare axios, and the hand-written interceptor ${percent(loopback.handWritten)} %.
  The plugin checks where each request really goes and hides the token afterwards; the peers do neither.
- An endpoint that always answers 401 costs \`axios-token-interceptor\` its first token alone, since it never reacts to a
  401; for the same reason none of its requests survives a revoked token.
- A client that waits for nothing is faster in a cold burst: the constant pair, which needs no token, by a factor of ${cold.ours.ratio.toFixed(1)}.
`;
}

await draw('rollover.svg', rollover());
await draw('token-requests.svg', tokenRequests());
writeFileSync(join(benchDir, 'README.md'), await formatted(await readme(), 'README.md'));
