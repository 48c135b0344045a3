import { contenders, noopAdapter, noopTarget, peers } from '../lib/contenders.mjs';
import { median, shuffled } from '../lib/measure.mjs';

const REQUESTS = 10_000;
const TOKEN_DELAY_MS = 20;

export const title = 'Cold burst: 10,000 requests at once, no token yet';

export async function run({ quick }) {
  const rounds = quick ? 2 : 7;
  const names = [...peers, 'constantPair'];
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of shuffled(names)) results[name].push(await burst(contenders[name]));
  }
  const time = (name, round) => results[name][round].ms;
  return {
    rounds,
    requests: REQUESTS,
    tokenDelayMs: TOKEN_DELAY_MS,
    results: Object.fromEntries(
      names.map((name) => [
        name,
        {
          tokenRequests: median(results[name].map((result) => result.tokenRequests)),
          apiRequests: median(results[name].map((result) => result.apiRequests)),
          succeeded: median(results[name].map((result) => result.succeeded)),
          ratio: median(results[name].map((_, round) => time(name, round) / time('constantPair', round))),
        },
      ]),
    ),
  };
}

async function burst(create) {
  const { adapter, counts } = noopAdapter({ tokenDelayMs: TOKEN_DELAY_MS });
  const api = await create(noopTarget({ adapter }));
  globalThis.gc?.();
  const startedAt = performance.now();
  const outcomes = await Promise.allSettled(Array.from({ length: REQUESTS }, () => api.get('/v1/research')));
  const ms = performance.now() - startedAt;
  return { ...counts, succeeded: outcomes.filter(({ status }) => status === 'fulfilled').length, ms };
}

export const rows = ({ results }) => [
  ['token requests', (name) => count(results[name]?.tokenRequests)],
  ['API requests', (name) => count(results[name]?.apiRequests)],
  ['succeeded', (name) => count(results[name]?.succeeded)],
  ['time to the last (constant pair, which needs no token, = 1)', (name) => results[name]?.ratio.toFixed(2)],
];

const count = (value) => value?.toLocaleString('en-US');
