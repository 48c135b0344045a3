// A cluster of workers that share one token: what both examples have in common. See node-redis.mjs and ioredis.mjs.
import axios from 'axios';
import { bipsyncAuthConfigFromEnv, installBipsyncAuth } from 'axios-bipsync-auth';
import { redisTokenStore } from 'axios-bipsync-auth/stores';
import cluster from 'node:cluster';
import { once } from 'node:events';

const WORKERS = 4;
const REQUESTS = 25;

/**
 * runCluster forks the workers in the primary process and calls Bipsync in each of them.
 *
 * @param connect opens a Redis client: `{ sendCommand, close }`.
 */
export async function runCluster(connect) {
  if (cluster.isPrimary) await runPrimary();
  else await runWorker(connect);
}

async function runWorker(connect) {
  const { sendCommand, close } = await connect();
  const sources = [];
  const api = axios.create();
  installBipsyncAuth(api, {
    ...bipsyncAuthConfigFromEnv(),
    tokenStore: redisTokenStore({ sendCommand }),
    onEvent: (event) => {
      if (event.type === 'token-acquired') sources.push(event.source);
      if (event.type === 'store-failed') console.warn(`store-failed: ${event.operation}`);
    },
  });

  await Promise.all(Array.from({ length: REQUESTS }, () => api.get('/v1/research')));
  console.log(
    `worker ${cluster.worker.id}: ${REQUESTS} requests, its token came from the ${sources.join(', ')}`,
  );
  process.send(sources);

  await close();
  process.disconnect();
}

async function runPrimary() {
  const { env, close } = await bipsync();
  const workers = Array.from({ length: WORKERS }, () => cluster.fork(env));
  const sources = [];
  for (const worker of workers) worker.on('message', (message) => sources.push(...message));
  const ends = await Promise.all(workers.map((worker) => once(worker, 'exit')));
  await close();

  const minted = sources.filter((source) => source === 'endpoint').length;
  console.log(`${WORKERS} workers made ${WORKERS * REQUESTS} requests with ${minted} token request(s)`);
  const isFine = ends.every(([code]) => code === 0) && sources.length === WORKERS && minted <= 1;
  process.exitCode = isFine ? 0 : 1;
}

/** The Bipsync of the environment; without BIPSYNC_CLIENT_ID an emulator on this machine. */
async function bipsync() {
  if (process.env.BIPSYNC_CLIENT_ID) return { env: {}, close: async () => undefined };
  const { startBipsyncEmulator } = await import('axios-bipsync-auth/testing');
  const emulator = await startBipsyncEmulator({ tokenDelayMs: 200 });
  return {
    env: {
      BIPSYNC_BASE_URL: emulator.url,
      BIPSYNC_CLIENT_ID: emulator.clientId,
      BIPSYNC_CLIENT_SECRET: emulator.clientSecret,
      BIPSYNC_TEAM_ID: emulator.teamId,
      BIPSYNC_SCOPES: 'rest_api:read',
    },
    close: () => emulator.close(),
  };
}
