import { Agent } from 'node:http';

import { contenders, peers } from '../lib/contenders.mjs';
import { median } from '../lib/measure.mjs';
import { connectStore, startRedis } from '../lib/redis.mjs';

const LIFETIME_S = 5;
const TOKEN_DELAY_MS = 250;
const INTERVAL_MS = 20;

export const title =
  'Rollover: a request every 20 ms while a token of 5 s ends and the next one takes 250 ms';

/** All contenders at the same time, each against its own tenant, so that they share whatever the machine does. */
export async function run({ quick, server }) {
  const rounds = quick ? 1 : 5;
  const redis = await startRedis();
  const store = redis && (await connectStore(redis.url));
  const creators = {
    ...Object.fromEntries([...peers, 'constantPair'].map((name) => [name, contenders[name]])),
    ...(store && {
      oursWithStore: (target) => contenders.ours({ ...target, tokenStore: store.tokenStore }),
    }),
  };
  const names = Object.keys(creators);
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const runs = await Promise.all(names.map((name) => traffic(creators[name], server)));
    names.forEach((name, index) => results[name].push(runs[index]));
  }
  store?.close();
  redis?.stop();
  const middle = (name, pick) => median(results[name].map(pick));
  return {
    rounds,
    lifetimeS: LIFETIME_S,
    tokenDelayMs: TOKEN_DELAY_MS,
    results: Object.fromEntries(
      names.map((name) => [
        name,
        {
          requests: middle(name, (it) => it.requests.length),
          medianMs: middle(name, (it) => median(it.requests.map(({ ms }) => ms))),
          slowestMs: middle(name, (it) => Math.max(...it.requests.map(({ ms }) => ms))),
          waited: middle(name, (it) => it.requests.filter(({ ms }) => ms > TOKEN_DELAY_MS / 2).length),
          failed: Math.max(...results[name].map((it) => it.requests.filter(({ ok }) => !ok).length)),
          api401s: middle(name, (it) => it.api401s),
          tokenRequests: middle(name, (it) => it.tokenRequests),
        },
      ]),
    ),
    // One round, for the picture: [seconds since the first request, milliseconds it took, whether it succeeded].
    requests: Object.fromEntries(
      peers.map((name) => [
        name,
        results[name][Math.floor(rounds / 2)].requests.map(({ at, ms, ok }) => [
          Number((at / 1000).toFixed(3)),
          Number(ms.toFixed(2)),
          ok,
        ]),
      ]),
    ),
  };
}

async function traffic(create, server) {
  const tenant = await server.tenant({ expiresIn: LIFETIME_S, tokenDelayMs: TOKEN_DELAY_MS });
  const httpAgent = new Agent({ keepAlive: true });
  const api = await create({ ...tenant, http: { httpAgent, proxy: false } });
  await api.get('/v1/research');
  const before = await tenant.counts();
  const requests = [];
  const pending = [];
  const startedAt = performance.now();
  const total = ((LIFETIME_S + 2.5) * 1000) / INTERVAL_MS;
  for (let count = 0; count < total; count += 1) {
    const dueMs = count * INTERVAL_MS - (performance.now() - startedAt);
    if (dueMs > 0) await new Promise((resolve) => setTimeout(resolve, dueMs));
    pending.push(timed(api, startedAt, requests));
  }
  await Promise.all(pending);
  const after = await tenant.counts();
  await tenant.close();
  httpAgent.destroy();
  return {
    requests: requests.sort((one, other) => one.at - other.at),
    api401s: after.api401s - before.api401s,
    tokenRequests: after.tokenRequests - before.tokenRequests,
  };
}

async function timed(api, startedAt, requests) {
  const sentAt = performance.now();
  const ok = await api.get('/v1/research').then(
    () => true,
    () => false,
  );
  requests.push({ at: sentAt - startedAt, ms: performance.now() - sentAt, ok });
}

export const rows = ({ results }) => {
  const beyond = (of) => of && (of.slowestMs - of.medianMs).toFixed(0);
  return [
    ['slowest request beyond its own median, ms', (name) => beyond(results[name])],
    [
      'the same with a token store (Redis, with its lock), ms',
      (name) => (name === 'ours' ? (beyond(results.oursWithStore) ?? 'skipped: no redis-server') : undefined),
    ],
    ['requests that waited for the token endpoint', (name) => results[name]?.waited],
    ['requests failed, worst round', (name) => results[name]?.failed],
    ['API 401s', (name) => results[name]?.api401s],
    ['token requests', (name) => results[name]?.tokenRequests],
  ];
};
