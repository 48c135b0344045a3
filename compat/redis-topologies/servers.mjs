// Redis servers on loopback: a cluster of three nodes, and a master with a replica that three Sentinels watch.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

const SLOTS = 16_384;
const servers = new Set();
process.on('exit', () => {
  for (const { child, folder } of servers) {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});

/** A cluster whose addresses are known before it runs. `start` resolves when each node can serve every key. */
export async function planCluster(size = 3) {
  const nodes = await plan(size, () => '--cluster-enabled yes --cluster-node-timeout 1000');
  return {
    nodes,
    async start() {
      for (const [index, node] of nodes.entries()) {
        await node.start();
        const [first, last] = [index, index + 1].map((part) => Math.floor((part * SLOTS) / size));
        await command(node.port, 'CLUSTER', 'ADDSLOTSRANGE', first, last - 1);
        await command(node.port, 'CLUSTER', 'MEET', '127.0.0.1', nodes[0].port);
      }
      for (const { port } of nodes) await until(() => isClusterUp(port));
    },
    stop: () => nodes.forEach((node) => node.stop()),
  };
}

/** isClusterUp tells whether the cluster can serve every key, as the node on that port sees it. */
export async function isClusterUp(port) {
  return /cluster_state:ok/.test(await command(port, 'CLUSTER', 'INFO'));
}

/** A server that is being promoted closes its connections. */
export async function isMaster(port) {
  return /role:master/.test(await command(port, 'INFO', 'replication').catch(() => ''));
}

/** A master, a replica and three Sentinels. `start` resolves when all of them know of each other. */
export async function planSentinel() {
  const [master, replica] = await plan(2, (index, ports) =>
    index === 0 ? '--repl-diskless-sync-delay 0' : `--replicaof 127.0.0.1 ${ports[0]}`,
  );
  const sentinels = await plan(3, () => '--sentinel', [
    `sentinel monitor tokens 127.0.0.1 ${master.port} 2`,
    'sentinel down-after-milliseconds tokens 1000',
    'sentinel failover-timeout tokens 3000',
  ]);
  const isComplete = async ({ port }) => {
    const [info] = await command(port, 'SENTINEL', 'MASTERS');
    return /num-slaves,1,/.test(info.join()) && /num-other-sentinels,2,/.test(info.join());
  };
  return {
    name: 'tokens',
    master,
    replica,
    sentinels,
    async start() {
      for (const server of [master, replica]) await server.start();
      await until(async () => /link_status:up/.test(await command(replica.port, 'INFO', 'replication')));
      for (const server of sentinels) await server.start();
      await until(async () => (await Promise.all(sentinels.map(isComplete))).every(Boolean));
    },
    stop: () => [master, replica, ...sentinels].forEach((server) => server.stop()),
  };
}

/** Sends one command to one server. */
export async function command(port, ...args) {
  const redis = new Redis(port, '127.0.0.1', { retryStrategy: null, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  try {
    return await redis.call(...args.map(String));
  } finally {
    redis.disconnect();
  }
}

/** Waits for what becomes true by itself, such as an election. */
export async function until(isSo, { everyMs = 50, limitMs = 20_000 } = {}) {
  const end = Date.now() + limitMs;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`not within ${limitMs} ms: ${isSo}`);
    await sleep(everyMs);
  }
}

/** Servers on ports that are free now; they start when they are told to. */
async function plan(count, optionsOf, settings = []) {
  const ports = [];
  while (ports.length < count) {
    const port = await freePort();
    if (!ports.includes(port)) ports.push(port);
  }
  return ports.map((port, index) => plannedServer(port, optionsOf(index, ports), settings));
}

function plannedServer(port, options, settings) {
  const folder = mkdtempSync(join(tmpdir(), 'compat-redis-'));
  const file = join(folder, 'redis.conf');
  // A Sentinel rewrites its file.
  writeFileSync(file, [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, ...settings, ''].join('\n'));
  const server = { folder, child: undefined };
  servers.add(server);
  return {
    port,
    async start() {
      const keepsNothing = settings.length === 0 ? ['--save', '', '--appendonly', 'no'] : [];
      const args = [file, ...options.split(' '), ...keepsNothing];
      server.child = spawn('redis-server', args, { stdio: 'ignore' });
      await once(server.child, 'spawn');
      await until(async () => (await command(port, 'PING').catch(() => undefined)) === 'PONG');
    },
    stop: () => server.child?.kill('SIGKILL'),
  };
}

/** Low enough for a cluster node, which listens on the port 10,000 above its own too. */
async function freePort() {
  const port = randomInt(10_000, 20_000);
  for (const each of [port, port + 10_000]) {
    const server = createServer().listen(each, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      return freePort();
    }
    server.close();
    await once(server, 'close');
  }
  return port;
}
