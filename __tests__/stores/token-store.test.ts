/* eslint-disable @typescript-eslint/no-unused-vars -- how many parameters a method has is what counts here */
import KeyvRedis from '@keyv/redis';
import { createCache } from 'cache-manager';
import { Cluster, Redis } from 'ioredis';
import Keyv from 'keyv';
import { randomBytes } from 'node:crypto';
import { createClient, createClientPool, createCluster, createSentinel } from 'redis';

import { tokenStoreProblem } from '../../src/options/token-store';
import { encryptedTokenStore, redisTokenStore } from '../../src/stores';
import { memoryTokenStore } from './memory-store';

const noop = (): Promise<undefined> => Promise.resolve(undefined);

/** An instance of a class with these methods; `set` is given, since its parameters matter. */
function instanceWith(names: string, set: (...args: never[]) => unknown): object {
  return Object.create({
    ...Object.fromEntries(names.split(' ').map((name) => [name, noop])),
    set,
  }) as object;
}
const set2 = async (_key: string, _value: string): Promise<void> => {};
const set3 = async (_key: string, _value: string, _third: unknown): Promise<void> => {};
const set4 = async (_key: string, _value: string, _third: unknown, _callback: unknown): Promise<void> => {};

class HandWrittenStore {
  readonly entries = new Map<string, string>();
  async get(key: string): Promise<unknown> {
    return this.entries.get(key);
  }
  async set(_key: string, _value: string, _ttlMs: number): Promise<void> {}
  async lock(_key: string, _ttlMs: number): Promise<undefined> {}
  async connect(): Promise<void> {}
  async close(): Promise<void> {}
  onModuleDestroy(): void {}
  _sql(): void {}
}

describe('what tokenStoreProblem accepts', () => {
  it.each<[string, () => object]>([
    ['a plain object with get and set', () => ({ get: noop, set: noop })],
    ['a plain object with get, set and lock', () => ({ get: noop, set: set3, lock: noop })],
    ['a store that a test wrote without the third parameter', () => ({ get: noop, set: set2 })],
    [
      'an object without a prototype',
      () => Object.assign(Object.create(null) as object, { get: noop, set: set3 }),
    ],
    ['a frozen object', () => Object.freeze({ get: noop, set: set3 })],
    ['an object whose lock is undefined', () => ({ get: noop, set: set3, lock: undefined })],
    ['an object with members that are not methods', () => ({ get: noop, set: set3, client: {}, name: 'x' })],
    ['a class instance that can be opened and closed', () => new HandWrittenStore()],
    ['an instance of a class that extends another', () => new (class extends HandWrittenStore {})()],
    ['a store of mocks', () => ({ get: jest.fn(), set: jest.fn(), lock: jest.fn() })],
    ['redisTokenStore', () => redisTokenStore({ sendCommand: noop })],
    ['encryptedTokenStore', () => encryptedTokenStore(memoryTokenStore(), [newKey()])],
    [
      'encryptedTokenStore over redisTokenStore',
      () => encryptedTokenStore(redisTokenStore({ sendCommand: noop }), [newKey()]),
    ],
    ['a Keyv', () => new Keyv()],
    ['a Keyv behind a transparent proxy', () => new Proxy(new Keyv(), {})],
    ['an adapter of Keyv whose set has a time to live', () => new KeyvRedis('redis://127.0.0.1:1')],
    ['a cache of cache-manager 7', () => createCache()],
    ['a cache of cache-manager 5', () => instanceWith('wrap del get reset on removeListener', set3)],
    [
      'a multi cache of cache-manager 5',
      () => instanceWith('wrap del get reset mget mset mdel on removeListener', set3),
    ],
    [
      'a Keyv of a version that has more methods',
      () => instanceWith('get getMany setMany delete deleteMany clear has touch evict', set3),
    ],
    ['a mock of a Keyv', () => instanceWith('get getMany setMany delete deleteMany clear has', noop)],
  ])('%s is accepted', (_, open) => {
    expect(tokenStoreProblem(open())).toBeUndefined();
  });
});

describe('what tokenStoreProblem rejects', () => {
  const ofCall = 'redisTokenStore({ sendCommand: (...args) => client.call(...args) })';
  const plain = 'redisTokenStore({ sendCommand: (...args) => client.sendCommand(args) })';
  const glide = 'redisTokenStore({ sendCommand: (...args) => client.customCommand(args) })';
  const adapter =
    '{ get: (key) => client.get(key), set: (key, value, ttlMs) => client.set(key, value, { px: ttlMs }) }';
  const glideMethods =
    'get getdel getex mget mset del exists expire pexpire ttl incr hget customCommand exec close';

  it.each<[string, string, () => object]>([
    ['a client of node-redis', plain, () => createClient()],
    ['a pool of node-redis', plain, () => createClientPool()],
    [
      'a Sentinel client of node-redis',
      'client.sendCommand(false, args)',
      () => createSentinel({ name: 'tokens', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] }),
    ],
    [
      'a cluster of node-redis',
      "client.sendCommand(args[0] === 'eval' ? args[3] : args[1], false, args)",
      () => createCluster({ rootNodes: [] }),
    ],
    ['ioredis', ofCall, () => new Redis({ lazyConnect: true })],
    [
      'a cluster of ioredis',
      ofCall,
      () => new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true }),
    ],
    [
      'a subclass of ioredis with methods of a cache',
      ofCall,
      () => {
        class CachingRedis extends Redis {
          delete(): void {}
          clear(): void {}
        }
        return new CachingRedis({ lazyConnect: true });
      },
    ],
    ['Valkey GLIDE', glide, () => instanceWith(glideMethods, set3)],
    ['Valkey GLIDE, mocked', glide, () => instanceWith(glideMethods, noop)],
  ])('%s is rejected, and the message shows the line that makes a store of it', (_, line, open) => {
    const problem = tokenStoreProblem(open());
    expect(problem).toMatch(/^is a Redis client\. Its set\(\) would keep a token for ever\. Write /);
    expect(problem).toContain(line);
    expect(problem).toContain('axios-bipsync-auth/stores');
  });

  it.each<[string, string, () => object]>([
    [
      'Upstash',
      'has other methods too (',
      () => instanceWith('get getdel mget mset del exists expire ttl eval multi ping', noop),
    ],
    [
      'a client whose commands are its own properties',
      'has other methods too (del, expire',
      () => ({ get: noop, set: set3, del: noop, expire: noop }),
    ],
    [
      'Vercel KV, a proxy that answers to every name',
      'not as methods of the object or its class',
      () => new Proxy({}, { get: () => noop }),
    ],
    [
      'memjs',
      'has other methods too (add, replace, delete, touch and more',
      () => instanceWith('get add replace delete touch flush', set4),
    ],
    [
      'memcached',
      'has other methods too (',
      () => instanceWith('get add replace del touch flush stats', noop),
    ],
    [
      'node-cache',
      'has other methods too (',
      () => instanceWith('get mget mset del take ttl keys has flushAll close', set3),
    ],
    [
      'lru-cache',
      'a set() with fewer than three parameters',
      () => instanceWith('get has peek delete clear keys values entries forEach', set2),
    ],
    [
      'a mock of lru-cache',
      'has other methods too (',
      () => instanceWith('get has peek delete clear keys values entries forEach', noop),
    ],
    ['a Map', 'a set() with fewer than three parameters', () => new Map()],
    ['a WeakMap', 'a set() with fewer than three parameters', () => new WeakMap()],
    ['URLSearchParams', 'a set() with fewer than three parameters', () => new URLSearchParams()],
    [
      'a Keyv adapter whose set has no time to live',
      'a set() with fewer than three parameters',
      () => instanceWith('get getMany delete deleteMany clear has disconnect', set2),
    ],
    [
      'a cache whose class overrides set without a time to live',
      'a set() with fewer than three parameters',
      () => Object.assign(Object.create(instanceWith('get delete clear has', set3)) as object, { set: set2 }),
    ],
    [
      'cache-manager 4, which counts in seconds',
      'has other methods too (wrap, mget',
      () => instanceWith('wrap get mget mset del reset', set4),
    ],
    [
      'a session store with callbacks',
      'has other methods too (touch',
      () => instanceWith('get touch clear all', set3),
    ],
    [
      'a key-value service with get, set and list',
      'has other methods too (list',
      () => instanceWith('get list delete', set3),
    ],
  ])('%s is rejected, and the message shows the two methods to write', (_, reason, open) => {
    const problem = tokenStoreProblem(open());
    expect(problem).toContain(reason);
    expect(problem).toContain(adapter);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a string', 'redis://127.0.0.1'],
    ['a function with get and set', Object.assign(noop, { get: noop, set: noop })],
    ['an empty object', {}],
    ['an object without set', { get: noop }],
    ['an object without get', { set: noop }],
    ['an object whose get is not a function', { get: 1, set: noop }],
  ])('%s is rejected, and the message names the methods of a store', (_, value) => {
    expect(tokenStoreProblem(value)).toBe(
      'must be an object with the methods get and set, and optionally lock',
    );
  });

  it('a store whose lock is not a function is rejected', () => {
    expect(tokenStoreProblem({ get: noop, set: noop, lock: true })).toBe('has a lock that is not a function');
  });

  it('an object whose get and set come from a polluted Object.prototype is rejected', () => {
    const prototype = Object.prototype as Record<string, unknown>;
    Object.assign(prototype, { get: noop, set: noop });
    let problem: string | undefined;
    try {
      problem = tokenStoreProblem({ name: 'not a store' });
    } finally {
      delete prototype['get'];
      delete prototype['set'];
    }
    expect(problem).toContain('not as methods of the object or its class');
  });
});

it('the lines that tokenStoreProblem shows make stores that it accepts', () => {
  const client = createClient();
  expect(
    tokenStoreProblem(redisTokenStore({ sendCommand: (...args) => client.sendCommand(args) })),
  ).toBeUndefined();
  const other = instanceWith('get del expire', set3) as { get: typeof noop; set: typeof set3 };
  const adapter = {
    get: (_key: string) => other.get(),
    set: (key: string, value: string, ttlMs: number) => other.set(key, value, { px: ttlMs }),
  };
  expect(tokenStoreProblem(adapter)).toBeUndefined();
});

it.each<[string, object]>([
  ['an accessor', Object.defineProperty({ set: set3 }, 'get', { get: fail })],
  ['a proxy', new Proxy({}, { get: fail })],
  ['a proxy that only hides its members', new Proxy({ get: noop, set: set3 }, { ownKeys: fail })],
])('what %s throws is reported without being repeated', (_, store) => {
  expect(tokenStoreProblem(store)).toBe(
    'could not be read: one of its parts throws an error. Pass a plain object',
  );
});

it('tokenStoreProblem runs no getter', () => {
  const get = jest.fn(() => {
    throw new Error('a getter ran');
  });
  const store = Object.defineProperty({ get: noop, set: set3 }, 'connection', { get, enumerable: true });
  expect(tokenStoreProblem(store)).toBeUndefined();
  expect(get).not.toHaveBeenCalled();
});

function fail(): never {
  throw new Error('a secret');
}

function newKey(): { name: string; key: string } {
  return { name: 'test', key: randomBytes(32).toString('base64') };
}
