import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { benchDir } from '../lib/package.mjs';
import { startRedis } from '../lib/redis.mjs';

const SIZES = [1, 2, 4, 8, 16];
const TOKEN_DELAY_MS = 100;

export const title =
  'Fleet: every process starts cold at once, then the token is revoked and all go on at once';

export async function run({ quick, server }) {
  const redis = await startRedis();
  const data = {
    sizes: quick ? [1, 4] : SIZES,
    hasRedis: redis !== undefined,
    tokenDelayMs: TOKEN_DELAY_MS,
    results: {},
  };
  const fleets = {
    ours: ['ours'],
    ...(redis && { oursWithStore: ['ours', redis.url] }),
    handWritten: ['handWritten'],
  };
  for (const [key, [name, redisURL]] of Object.entries(fleets)) {
    data.results[key] = {};
    for (const size of data.sizes) data.results[key][size] = await fleet(server, size, name, redisURL);
  }
  redis?.stop();
  return data;
}

async function fleet(server, size, name, redisURL) {
  const tenant = await server.tenant({ tokenDelayMs: TOKEN_DELAY_MS });
  const script = join(benchDir, 'items/fleet-child.mjs');
  const processes = Array.from({ length: size }, () =>
    fork(script, [name, tenant.baseURL, ...(redisURL ? [redisURL] : [])]),
  );
  await Promise.all(processes.map((process) => once(process, 'message')));
  const failed = (await allGo(processes)) + (await tenant.revoke(), await allGo(processes));
  const { tokenRequests } = await tenant.counts();
  const exits = processes.map((process) => once(process, 'exit'));
  for (const process of processes) process.disconnect();
  await Promise.all(exits);
  await tenant.close();
  return { tokenRequests, failed };
}

async function allGo(processes) {
  const answers = processes.map((process) => once(process, 'message'));
  for (const process of processes) process.send('go');
  return (await Promise.all(answers)).reduce((sum, [{ failed }]) => sum + failed, 0);
}

export function rows({ sizes, results, hasRedis }) {
  const all = (key) => results[key] && sizes.map((size) => results[key][size].tokenRequests).join(' / ');
  const without = [
    `token requests of ${sizes.join(' / ')} processes, no store`,
    (name) => (['ours', 'handWritten'].includes(name) ? all(name) : undefined),
  ];
  const withStore = [
    'the same with one store (Redis, with its lock)',
    (name) => (name === 'ours' ? (hasRedis ? all('oursWithStore') : 'skipped: no redis-server') : undefined),
  ];
  return [without, withStore];
}
