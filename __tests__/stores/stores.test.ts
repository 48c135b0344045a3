import KeyvRedis from '@keyv/redis';
import { createCache } from 'cache-manager';
import Redis from 'ioredis';
import Keyv from 'keyv';
import { randomBytes } from 'node:crypto';
import { createClient } from 'redis';

import { encryptedTokenStore, redisTokenStore } from '../../src/stores';
import type { TokenStore } from '../../src/stores';
import { describeWithRedis, startRedisServer } from '../support/redis-server';
import type { RedisServer } from '../support/redis-server';
import { itIsATokenStore, itLocks } from './contract';
import type { OpenedStores } from './contract';
import { memoryTokenStore } from './memory-store';

type Open = () => Promise<OpenedStores>;

/** Each is passed as it is. That this file compiles shows that none needs a cast. */
const openMemory: Open = async () => {
  const store = memoryTokenStore();
  return { store, other: store, close: async () => undefined };
};

const openKeyv: Open = async () => {
  const entries = new Map();
  return {
    store: new Keyv({ store: entries }),
    other: new Keyv({ store: entries }),
    close: async () => undefined,
  };
};

const openPlainKeyv: Open = async () => {
  const store = new Keyv();
  return { store, other: store, close: async () => undefined };
};

const openCacheManager: Open = async () => {
  const entries = new Map();
  const open = () => createCache({ stores: [new Keyv({ store: entries })] });
  return { store: open(), other: open(), close: async () => undefined };
};

const openPlainCacheManager: Open = async () => {
  const store = createCache();
  return { store, other: store, close: async () => undefined };
};

describe('a store on a Map', () => {
  itIsATokenStore(openMemory);
  itLocks(openMemory);
});
describe('Keyv', () => itIsATokenStore(openPlainKeyv));
describe('two Keyvs on one Map', () => itIsATokenStore(openKeyv));
describe('cache-manager', () => itIsATokenStore(openPlainCacheManager));
describe('two cache-managers on one Map', () => itIsATokenStore(openCacheManager));

describe('an encrypted store', () => {
  describe('over a Map', () => {
    itIsATokenStore(encrypted(openMemory));
    itLocks(encrypted(openMemory));
  });
  describe('over Keyv', () => itIsATokenStore(encrypted(openKeyv)));
  describe('over cache-manager', () => itIsATokenStore(encrypted(openCacheManager)));
});

describeWithRedis('token stores on a real Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());

  const openKeyvRedis: Open = async () => {
    const open = () => new Keyv(new KeyvRedis(server.url));
    const [store, other] = [open(), open()];
    return { store, other, close: () => Promise.all([store.disconnect(), other.disconnect()]) };
  };

  const openCacheManagerOnRedis: Open = async () => {
    const open = () => createCache({ stores: [new Keyv(new KeyvRedis(server.url))] });
    const [store, other] = [open(), open()];
    return { store, other, close: () => Promise.all([store.disconnect(), other.disconnect()]) };
  };

  const openNodeRedis: Open = async () => {
    const open = () => createClient({ url: server.url }).connect();
    const [client, second] = await Promise.all([open(), open()]);
    return {
      store: redisTokenStore({ sendCommand: (...args) => client.sendCommand(args) }),
      other: redisTokenStore({ sendCommand: (...args) => second.sendCommand(args) }),
      close: () => Promise.all([client.close(), second.close()]),
    };
  };

  const openIoredis: Open = async () => {
    const [redis, second] = [new Redis(server.url), new Redis(server.url)];
    return {
      store: redisTokenStore({ sendCommand: (...args) => redis.call(...args) }),
      other: redisTokenStore({ sendCommand: (...args) => second.call(...args) }),
      close: () => Promise.all([redis.quit(), second.quit()]),
    };
  };

  /** One process on each client: each reads what the other wrote, and their locks set client or baseURL, not both. */
  const openBoth: Open = async () => {
    const [one, two] = await Promise.all([openNodeRedis(), openIoredis()]);
    return { store: one.store, other: two.other, close: () => Promise.all([one.close(), two.close()]) };
  };

  /** Every key must expire, whether it holds a token or a lock. */
  async function expectATimeToLiveOnEveryKey(open: Open): Promise<void> {
    const redis = new Redis(server.url);
    await redis.flushall();
    const { store, close } = await open();
    await store.set('a key', 'a token', 60_000);
    await store.lock?.('a key', 5000);
    const ttls = await Promise.all((await redis.keys('*')).map((key) => redis.pttl(key)));
    await close();
    await redis.quit();
    const longest = Math.max(...ttls);
    expect(ttls).toHaveLength(store.lock ? 2 : 1);
    expect(Math.min(...ttls)).toBeGreaterThan(0);
    expect(longest).toBeGreaterThan(50_000);
    expect(longest).toBeLessThanOrEqual(60_000);
  }

  const stores: [name: string, open: Open, locks: boolean][] = [
    ['@keyv/redis', openKeyvRedis, false],
    ['cache-manager on @keyv/redis', openCacheManagerOnRedis, false],
    ['redisTokenStore over node-redis', openNodeRedis, true],
    ['redisTokenStore over ioredis', openIoredis, true],
    ['redisTokenStore over one of each', openBoth, true],
  ];
  const all = stores.flatMap(([name, open, locks]): typeof stores => [
    [name, open, locks],
    [`an encrypted store over ${name}`, encrypted(open), locks],
  ]);

  describe.each(all)('%s', (_, open, locks) => {
    itIsATokenStore(open);
    if (locks) itLocks(open);
    it('every key that it writes expires', () => expectATimeToLiveOnEveryKey(open));
  });
});

function encrypted(open: Open): Open {
  const keys = [{ name: 'test', key: randomBytes(32).toString('base64') }];
  const wrap = (store: TokenStore): TokenStore => encryptedTokenStore(store, keys);
  return async () => {
    const { store, other, close } = await open();
    return { store: wrap(store), other: wrap(other), close };
  };
}
