import { Agent } from 'node:http';

import { contenders, peers } from '../lib/contenders.mjs';
import { median, shuffled } from '../lib/measure.mjs';

const REQUESTS = 1000;
const TOKEN_DELAY_MS = 20;

export const title = '401 storm: 1,000 requests in flight on a token that was revoked';

export async function run({ quick, server }) {
  const rounds = quick ? 2 : 9;
  const names = [...peers, 'constantPair'];
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of shuffled(names)) results[name].push(await storm(contenders[name], server));
  }
  const middle = (name, key) => median(results[name].map((it) => it[key]));
  return {
    rounds,
    requests: REQUESTS,
    tokenDelayMs: TOKEN_DELAY_MS,
    results: Object.fromEntries(
      names.map((name) => [
        name,
        {
          tokenRequests: middle(name, 'tokenRequests'),
          apiRequests: middle(name, 'apiRequests'),
          succeeded: middle(name, 'succeeded'),
          ratio: median(results[name].map((it, round) => it.ms / results.constantPair[round].ms)),
        },
      ]),
    ),
  };
}

async function storm(create, server) {
  const tenant = await server.tenant({ tokenDelayMs: TOKEN_DELAY_MS });
  const httpAgent = new Agent({ keepAlive: true });
  const api = await create({ ...tenant, http: { httpAgent, proxy: false } });
  await api.get('/v1/research');
  // With open connections, so that what is timed is requests.
  await burst(api);
  await tenant.revoke();
  const before = await tenant.counts();
  const startedAt = performance.now();
  const { succeeded, lastAt } = await burst(api);
  const after = await tenant.counts();
  await tenant.close();
  httpAgent.destroy();
  return {
    tokenRequests: after.tokenRequests - before.tokenRequests,
    apiRequests: after.apiRequests - before.apiRequests,
    succeeded,
    ms: lastAt - startedAt,
  };
}

async function burst(api) {
  let succeeded = 0;
  let lastAt = performance.now();
  const request = async () => {
    await api.get('/v1/research');
    succeeded += 1;
    lastAt = performance.now();
  };
  await Promise.allSettled(Array.from({ length: REQUESTS }, request));
  return { succeeded, lastAt };
}

export const rows = ({ results }) => [
  ['token requests', (name) => count(results[name]?.tokenRequests)],
  ['API requests', (name) => count(results[name]?.apiRequests)],
  ['succeeded', (name) => count(results[name]?.succeeded)],
  [
    'time to the last success (constant pair, which gets no 401, = 1)',
    (name) => {
      if (!results[name]) return undefined;
      const { succeeded, ratio } = results[name];
      if (succeeded === 0) return 'none succeeds';
      return succeeded === REQUESTS
        ? ratio.toFixed(2)
        : `${ratio.toFixed(2)} (but only ${succeeded} succeed)`;
    },
  ],
];

const count = (value) => value?.toLocaleString('en-US');
