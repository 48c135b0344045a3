// A cluster of workers that share one token: what both examples have in common. See node-redis.mjs and ioredis.mjs.
import axios from 'axios';
import { bipsyncAuthConfigFromEnv, installBipsyncAuth } from 'axios-bipsync-auth';
import { encryptedTokenStore, redisTokenStore } from 'axios-bipsync-auth/stores';
import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';

const WORKERS = 4;
const REQUESTS = 25;

/**
 * runCluster forks the workers in the primary process and calls Bipsync in each of them.
 *
 * @param connect creates a Redis client: `{ sendCommand, close }`.
 */
export async function runCluster(connect) {
  if (cluster.isPrimary) await runPrimary();
  else await runWorker(connect);
}

async function runWorker(connect) {
  const { sendCommand, close } = connect();
  // A token opens the whole team, so Redis gets it encrypted. The key comes from `openssl rand -base64 32`.
  const tokenStore = encryptedTokenStore(redisTokenStore({ sendCommand }), [
    { name: '2026-07', key: process.env.TOKEN_KEY },
  ]);
  const sources = [];
  let hasStore = true;
  const api = axios.create();
  installBipsyncAuth(api, {
    ...bipsyncAuthConfigFromEnv(),
    tokenStore,
    onEvent: (event) => {
      if (event.type === 'token-acquired') sources.push(event.source);
      if (event.type === 'store-failed') hasStore = false;
    },
  });

  await Promise.all(Array.from({ length: REQUESTS }, () => api.get('/v1/research')));
  console.log(
    `worker ${cluster.worker.id}: ${REQUESTS} requests, its token came from the ${sources.join(', ')}` +
      (hasStore ? '' : ', without Redis'),
  );
  process.send({ sources, hasStore });

  close();
  process.disconnect();
}

async function runPrimary() {
  const { env, close } = await bipsync();
  const { TOKEN_KEY = randomBytes(32).toString('base64') } = process.env;
  const workers = Array.from({ length: WORKERS }, () => cluster.fork({ ...env, TOKEN_KEY }));
  const reports = [];
  for (const worker of workers) worker.on('message', (report) => reports.push(report));
  const ends = await Promise.all(workers.map((worker) => once(worker, 'exit')));
  await close();

  const minted = reports.flatMap(({ sources }) => sources).filter((source) => source === 'endpoint').length;
  console.log(`${WORKERS} workers made ${WORKERS * REQUESTS} requests with ${minted} token request(s)`);
  // Without Redis no request fails, but each worker needs its own token.
  const most = reports.every(({ hasStore }) => hasStore) ? 1 : WORKERS;
  const isFine = ends.every(([code]) => code === 0) && reports.length === WORKERS && minted <= most;
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
