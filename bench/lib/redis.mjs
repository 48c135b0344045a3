import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A Redis of the bench's own that writes nothing; `undefined` where there is none to start. */
export async function startRedis() {
  const port = await freePort();
  const args = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'].map(String);
  const redis = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((resolve) => {
    redis.once('error', () => resolve(undefined));
    redis.once('exit', () => resolve(undefined));
    redis.stdout.on('data', (text) => {
      if (!String(text).includes('eady to accept connections')) return;
      resolve({ url: `redis://127.0.0.1:${port}`, stop: () => redis.kill() });
    });
  });
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** A connection to it, and the plugin's store on that. */
export async function connectStore(url) {
  const { createClient } = await import('redis');
  const { redisTokenStore } = await import('axios-bipsync-auth/stores');
  const client = await createClient({ url }).connect();
  const tokenStore = redisTokenStore({ sendCommand: (...args) => client.sendCommand(args) });
  return { tokenStore, close: () => client.destroy() };
}
