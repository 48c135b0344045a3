/**
 * A fleet on a Redis Cluster of three nodes, and one on a Redis with Sentinel. Each installation of a fleet uses another
 * Redis client. The fleets start before their Redis does, and live through the loss of a node and a failover.
 *
 * Usage: node run.mjs. `run.sh <tarball>` installs first. Needs redis-server 7 or newer.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import axios from 'axios';
import { installBipsyncAuth } from 'axios-bipsync-auth';
import { redisTokenStore } from 'axios-bipsync-auth/stores';
import { startBipsyncEmulator } from 'axios-bipsync-auth/testing';

import { createChecks } from '../checks.mjs';
import { clusterClients, sentinelClients } from './clients.mjs';
import { command, isClusterUp, isMaster, planCluster, planSentinel, until } from './servers.mjs';

const REQUESTS = 10;
const AN_HOUR = 3_600_000;
const { check, finish } = createChecks();

const cluster = await planCluster();
await inTurn('Redis Cluster', clusterClients, cluster.nodes, cluster.start, async (fleet) => {
  let owner;
  await check('Redis Cluster: no request fails while the node with the token is down', async () => {
    owner = await ownerOf(cluster.nodes, fleet.tokenKey());
    owner.stop();
    const [other] = cluster.nodes.filter((node) => node !== owner);
    await until(async () => !(await isClusterUp(other.port)));
    fleet.revokeTokens();
    await fleet.requestAll();
  });

  await check(
    'Redis Cluster: when the node is back, a revocation costs one token request again',
    async () => {
      await owner.start();
      for (const { port } of cluster.nodes) await until(() => isClusterUp(port));
      await fleet.sharesAgain();
    },
  );
});
cluster.stop();

const sentinel = await planSentinel();
await inTurn('Sentinel', sentinelClients, sentinel, sentinel.start, async (fleet) => {
  for (const { name, connect } of sentinelClients.filter((client) => client.name.startsWith('ioredis'))) {
    await check(`Sentinel: ${name} puts its own keyPrefix before the keys of tokens and locks`, async () => {
      const { sendCommand, close } = connect(sentinel, { keyPrefix: `${name}:` });
      const store = redisTokenStore({ sendCommand });
      const key = `key of ${name}`;
      await store.set(key, 'a token', AN_HOUR);
      const release = await store.lock(key, AN_HOUR);
      const keys = await command(sentinel.master.port, 'KEYS', `*${key}`);
      assert.deepEqual(keys.sort(), [
        `${name}:bipsync-auth:lock:${key}`,
        `${name}:bipsync-auth:token:${key}`,
      ]);
      await release();
      assert.equal(await command(sentinel.master.port, 'EXISTS', keys[0]), 0);
      close();
    });
  }

  await check('Sentinel: no request fails and no token is minted during a failover', async () => {
    await fleet.requestAll();
    const tokens = await fleet.tokensFor(async () => {
      sentinel.master.stop();
      await until(async () => {
        await fleet.requestAll();
        return isMaster(sentinel.replica.port);
      });
    });
    assert.equal(tokens, 0);
  });

  await check('Sentinel: the new master has the token, which newcomers find', async () => {
    const newcomers = fleet.startAnother();
    await newcomers.hasStores();
    assert.equal(await fleet.tokensFor(() => newcomers.requestAll()), 0);
    await newcomers.close();
  });

  await check('Sentinel: after the failover a revocation costs one token request again', async () => {
    await fleet.sharesAgain();
  });
});
sentinel.stop();

finish();
process.exit();

/** What every topology has to do, and then `live` for what can happen to it alone. */
async function inTurn(topology, clients, addresses, start, live) {
  const bipsync = await startBipsyncEmulator({ tokenDelayMs: 50 });
  const fleet = startFleet(bipsync, clients, addresses);
  const named = (what) => `${topology}: ${what}`;

  await check(named('a fleet starts before its Redis does, and no request fails'), async () => {
    const tokens = await fleet.tokensFor(() => fleet.requestAll());
    assert.ok(tokens <= clients.length, `${tokens} token requests of ${clients.length} installations`);
  });

  await check(named('once Redis is up, a revocation costs the fleet one token request'), async () => {
    await start();
    await fleet.sharesAgain();
  });

  await check(named(`${clients.length} newcomers need no token request`), async () => {
    const newcomers = fleet.startAnother();
    await newcomers.hasStores();
    assert.equal(await fleet.tokensFor(() => newcomers.requestAll()), 0);
    await newcomers.close();
  });

  for (const [index, { name, store }] of fleet.members.entries()) {
    await check(named(`${name} keeps its lock until it releases it, whichever client asks`), async () => {
      const others = fleet.members.filter((member) => member.name !== name);
      const key = `lock of ${name}`;
      const release = await store.lock(key, AN_HOUR);
      assert.equal(typeof release, 'function');
      for (const other of others) assert.equal(await other.store.lock(key, AN_HOUR), undefined, other.name);
      await release();
      const next = others[index % others.length];
      assert.equal(typeof (await next.store.lock(key, AN_HOUR)), 'function', next.name);
      // Released once more, and late: the lock is another's now.
      await release();
      for (const member of fleet.members)
        assert.equal(await member.store.lock(key, AN_HOUR), undefined, member.name);
    });
  }

  await live(fleet);
  await fleet.close();
  await bipsync.close();
}

/** One installation for each client, as if each were a process of its own. */
function startFleet(bipsync, clients, addresses) {
  const members = clients.map(({ name, connect }) => {
    const { sendCommand, close } = connect(addresses);
    const store = redisTokenStore({ sendCommand });
    const api = axios.create();
    const keys = new Set();
    installBipsyncAuth(api, {
      baseURL: bipsync.url,
      clientId: bipsync.clientId,
      clientSecret: bipsync.clientSecret,
      teamId: bipsync.teamId,
      scopes: ['rest_api:read'],
      tokenStore: { ...store, get: (key) => store.get(keys.add(key) && key) },
    });
    return { name, api, store, keys, close };
  });

  const fleet = {
    members,
    async requestAll() {
      const requests = members.flatMap(({ name, api }) =>
        Array.from({ length: REQUESTS }, () =>
          api.get('/v1/echo').then(
            () => undefined,
            (error) => `${name}: ${error.message}`,
          ),
        ),
      );
      assert.deepEqual(new Set(await Promise.all(requests)), new Set([undefined]));
    },
    async tokensFor(run) {
      const before = bipsync.tokenRequests;
      await run();
      return bipsync.tokenRequests - before;
    },
    revokeTokens: () => bipsync.revokeTokens(),
    /**
     * Revokes until that costs one token request. This takes a few tries: the plugin leaves a failed store alone for 5 s,
     * and installations that had to mint their own tokens may first read another's, which is revoked too.
     */
    async sharesAgain() {
      const isSharing = async () => {
        fleet.revokeTokens();
        return (await fleet.tokensFor(fleet.requestAll)) === 1;
      };
      await until(() => isSharing().catch(() => false), { everyMs: 2000 });
    },
    tokenKey: () => `bipsync-auth:token:${members.flatMap(({ keys }) => [...keys])[0]}`,
    startAnother: () => startFleet(bipsync, clients, addresses),
    /** Until each client is connected. */
    hasStores: () =>
      until(async () => {
        const reads = members.map(({ store }) =>
          Promise.race([store.get('any').then(() => true), sleep(500)]),
        );
        return (await Promise.all(reads).catch(() => [false])).every(Boolean);
      }),
    close: () => Promise.all(members.map((member) => member.close())),
  };
  return fleet;
}

async function ownerOf(nodes, key) {
  for (const node of nodes) {
    if ((await command(node.port, 'EXISTS', key).catch(() => 0)) === 1) return node;
  }
  throw new Error(`no node has ${key}`);
}
