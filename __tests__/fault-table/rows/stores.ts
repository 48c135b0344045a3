import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import Redis from 'ioredis';

import { encryptedTokenStore, redisTokenStore, type TokenStore } from '../../../src/stores';
import { startRedisServer } from '../../support/redis-server';
import type { Row, Situation } from '../row';
import type { World } from '../world';

// A store that is shared between processes, on a real Redis. It never stops a request: what it does wrong is reported by an event.

interface Connected {
  readonly world: World;
  readonly client: Redis;
  /** Another connection, for what somebody else does to the Redis. */
  readonly other: Redis;
  readonly store: TokenStore;
  readonly stop: () => Promise<void>;
}

async function connected(world: World): Promise<Connected> {
  const server = await startRedisServer();
  const options = {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: () => null,
    lazyConnect: true,
  };
  const [client, other] = [new Redis(server.url, options), new Redis(server.url, options)];
  for (const connection of [client, other]) connection.on('error', () => undefined);
  await Promise.all([client.connect(), other.connect()]);
  world.atEnd(() => server.kill());
  world.atEnd(() => [client, other].forEach((connection) => connection.disconnect()));
  const sendCommand = (...args: [string, ...string[]]): Promise<unknown> => client.call(...args);
  return { world, client, other, store: redisTokenStore({ sendCommand }), stop: () => server.stop() };
}

/**
 * A request succeeds with a token of its own, and the event says what the store did. A write is not waited for, so the event
 * has some time to come.
 */
function attempt(world: World, tokenStore: unknown, patienceMs = 3000): Situation {
  const { api, events } = world.install({ tokenStore });
  return {
    attempt: async () => {
      await api.get('/v1/research');
      const failed = (): string[] =>
        events.flatMap((event) =>
          event.type === 'store-failed' ? [`${event.operation} ${event.reason}`] : [],
        );
      const until = performance.now() + patienceMs;
      while (failed().length === 0 && performance.now() < until) await delay(20);
      return failed().length === 0 ? {} : { code: 'store-failed', message: failed()[0] };
    },
  };
}

function failing(
  title: string,
  fault: (connected: Connected) => Promise<Situation> | Situation,
  step: RegExp,
): Row {
  return {
    title,
    fault: async (world) => fault(await connected(world)),
    library: { code: 'store-failed', party: 'the token store', step },
  };
}

const withoutLock = (store: TokenStore): TokenStore => ({
  get: (key) => store.get(key),
  set: (key, value, ttlMs) => store.set(key, value, ttlMs),
});

export const storeRows: Row[] = [
  failing(
    'A Redis that is down while the process runs is reported as an error of its first operation.',
    async ({ world, store, stop }) => {
      await stop();
      return attempt(world, store);
    },
    /^get error$/,
  ),
  failing(
    'A Redis that hangs is reported as a time-out.',
    async ({ world, store, other }) => {
      await other.call('client', 'pause', '5000', 'ALL');
      return attempt(world, store);
    },
    /^get time-out$/,
  ),
  failing(
    'A Redis user who may not run scripts is reported when the lock is released.',
    async ({ world, store, other }) => {
      await other.call('acl', 'setuser', 'default', '-eval');
      return attempt(world, store);
    },
    /^release error$/,
  ),
  failing(
    'A Redis user who may only read is reported with the lock.',
    async ({ world, store, other }) => {
      await other.call('acl', 'setuser', 'default', '-set');
      return attempt(world, store);
    },
    /^lock error$/,
  ),
  failing(
    'A full Redis is reported with the write, if no lock was asked for.',
    async ({ world, store, other }) => {
      await other.config('SET', 'maxmemory', '1');
      return attempt(world, withoutLock(store));
    },
    /^set error$/,
  ),
  failing(
    'A value of somebody else under the key of a token is reported as unreadable, and overwritten.',
    ({ world, store }) => {
      const get = (): Promise<unknown> => Promise.resolve('{"token":"of another program"}');
      return attempt(world, { ...withoutLock(store), get });
    },
    /^get unreadable$/,
  ),
  {
    title: 'A store whose encryption key another process does not have shares nothing, and reports nothing.',
    fault: async (world) => {
      const { store } = await connected(world);
      const encrypted = (name: string): TokenStore =>
        encryptedTokenStore(store, [{ name, key: randomBytes(32).toString('base64') }]);
      await world.install({ tokenStore: encrypted('one') }).api.get('/v1/research');
      // Nothing is reported, so that the whole time is waited for.
      return attempt(world, encrypted('two'), 200);
    },
    library: { code: 'works', party: 'nobody', step: /works/ },
  },
  {
    title: 'A raw Redis client given as a store is rejected with the line to write.',
    fault: async (world) => {
      const { client } = await connected(world);
      return { attempt: () => world.install({ tokenStore: client }) };
    },
    library: {
      code: 'ERR_BIPSYNC_CONFIG',
      party: 'the configuration',
      step: /tokenStore is a Redis client.*Write redisTokenStore\(\{ sendCommand: \(\.\.\.args\) => client\.call\(\.\.\.args\) \}\)/,
    },
  },
];
