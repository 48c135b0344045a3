import { runChild } from '../lib/child.mjs';
import { median, ratios } from '../lib/measure.mjs';
import { buildWithoutHiding } from '../lib/package.mjs';

const urls = { relative: '/v1/research/note-1', absolute: 'https://acme-api.bipsync.com/v1/research/note-1' };

export const title = 'Hot path: a request with a token at hand, on an adapter that answers at once';

export async function run({ quick }) {
  const [series, rounds, chunks] = quick ? [1, 5, 20] : [3, 21, 40];
  const withoutHiding = await buildWithoutHiding();
  const data = { rounds, series, unit: 'time of the pair that only sets a constant Authorization header' };
  for (const [kind, url] of Object.entries(urls)) {
    data[kind] = [];
    for (let count = 0; count < series; count += 1) {
      const times = await runChild('hot-path-child.mjs', [url, withoutHiding, rounds, chunks]);
      data[kind].push(ratios(times, 'constantPair'));
    }
  }
  return data;
}

export function rows(data) {
  const ratio = (kind, name) => median(data[kind].map((series) => series[name]));
  const row = (what, kind, substitute = {}) => [
    what,
    (name) =>
      `${ratio(kind, substitute[name] ?? name).toFixed(3)}${seriesOf(data, kind, substitute[name] ?? name)}`,
  ];
  return [
    row('time a request, relative URL (constant pair = 1)', 'relative'),
    row('time a request, absolute URL (constant pair = 1)', 'absolute'),
    [
      'the same with a token store, relative URL',
      (name) => (name === 'ours' ? ratio('relative', 'oursWithStore').toFixed(3) : '–'),
    ],
    [
      'a build that leaves the token on the answered request, relative URL',
      (name) => (name === 'ours' ? ratio('relative', 'oursWithoutHiding').toFixed(3) : '–'),
    ],
  ];
}

const seriesOf = (data, kind, name) =>
  name === 'ours' ? ` (series: ${data[kind].map((series) => series[name].toFixed(3)).join(', ')})` : '';
