import { Agent } from 'node:http';

import { contenders, peers } from '../lib/contenders.mjs';
import { median, quantile } from '../lib/measure.mjs';

const INTERVAL_MS = 50;

/** What may refuse: tenant settings, and the path that is asked for. */
const situations = {
  outOfOrder: {
    what: 'the token endpoint answers 503',
    settings: { tokenStatus: 503 },
    path: '/v1/research',
  },
  credentials: {
    what: 'the token endpoint refuses the secret',
    settings: { tokenStatus: 401 },
    path: '/v1/research',
  },
  denied: { what: 'one API path answers 401 whatever the token', settings: {}, path: '/v1/denied' },
};

export const title = 'Refusals, under 20 calls a second';

/** Everything at the same time, each against its own tenant. */
export async function run({ quick, server }) {
  const windowS = quick ? 6 : 60;
  const data = { windowS, callsPerSecond: 1000 / INTERVAL_MS, situations: {} };
  const runs = Object.entries(situations).flatMap(([key, situation]) => {
    data.situations[key] = { what: situation.what, results: {} };
    return peers.map(async (name) => {
      data.situations[key].results[name] = await calls(contenders[name], server, situation, windowS);
    });
  });
  const reference = calls(contenders.constantPair, server, situations.outOfOrder, windowS);
  await Promise.all([...runs, reference]);
  data.referenceMs = (await reference).medianMs;
  return data;
}

async function calls(create, server, { settings, path }, windowS) {
  const tenant = await server.tenant(settings);
  const httpAgent = new Agent({ keepAlive: true });
  const api = await create({ ...tenant, http: { httpAgent, proxy: false } });
  const times = [];
  const pending = [];
  const startedAt = performance.now();
  for (let count = 0; count < (windowS * 1000) / INTERVAL_MS; count += 1) {
    const dueMs = count * INTERVAL_MS - (performance.now() - startedAt);
    if (dueMs > 0) await new Promise((resolve) => setTimeout(resolve, dueMs));
    const sentAt = performance.now();
    const done = () => void times.push(performance.now() - sentAt);
    pending.push(api.get(path).then(done, done));
  }
  const { tokenRequests, apiRequests } = await tenant.counts();
  await Promise.all(pending);
  await tenant.close();
  httpAgent.destroy();
  return {
    tokenRequests,
    apiRequests,
    medianMs: median(times),
    p99Ms: quantile(times, 0.99),
    slowestMs: Math.max(...times),
  };
}

export function rows({ windowS, referenceMs, situations: measured }) {
  return Object.values(measured).flatMap(({ what, results }) => [
    [
      `${what}: token requests in ${windowS} s`,
      (name) => results[name]?.tokenRequests.toLocaleString('en-US'),
    ],
    [
      `${what}: median time of a call (a successful call of the constant pair = 1)`,
      (name) => results[name] && (results[name].medianMs / referenceMs).toFixed(2),
    ],
  ]);
}
