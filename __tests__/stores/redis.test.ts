import Redis from 'ioredis';
import { createClient, createClientPool, createCluster, createSentinel, RESP_TYPES } from 'redis';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';

import type { BipsyncAuthError } from '../../src/errors';
import { redisTokenStore } from '../../src/stores';
import type { SendRedisCommand } from '../../src/stores';
import { describeWithRedis, startRedisServer } from '../support/redis-server';
import type { RedisServer } from '../support/redis-server';

describe('redisTokenStore', () => {
  /** A client that records what it is asked and resolves to `reply`. */
  function client(reply: unknown): { sent: string[][]; sendCommand: SendRedisCommand } {
    const sent: string[][] = [];
    return { sent, sendCommand: async (...args) => (sent.push(args), reply) };
  }

  it('each step sends one command with one key, its name in lower case', async () => {
    const { sent, sendCommand } = client('OK');
    const store = redisTokenStore({ sendCommand });
    await store.get('k');
    await store.set('k', 'v', 1000);
    await (
      await store.lock('k', 500)
    )?.();
    const owner = sent[2]![2]!;
    expect(sent).toEqual([
      ['get', 'bipsync-auth:token:k'],
      ['set', 'bipsync-auth:token:k', 'v', 'PX', '1000'],
      ['set', 'bipsync-auth:lock:k', owner, 'NX', 'PX', '500'],
      ['eval', expect.stringContaining('KEYS[1]'), '1', 'bipsync-auth:lock:k', owner],
    ]);
  });

  it('every lock has its own random owner', async () => {
    const { sent, sendCommand } = client('OK');
    const store = redisTokenStore({ sendCommand });
    for (let i = 0; i < 100; i++) await store.lock('k', 500);
    const owners = sent.map((args) => args[2]!);
    expect(new Set(owners).size).toBe(100);
    expect(owners[0]!.length).toBeGreaterThanOrEqual(32);
  });

  it('every key begins with the keyPrefix', async () => {
    const { sent, sendCommand } = client('OK');
    const store = redisTokenStore({ sendCommand, keyPrefix: 'uat/' });
    await store.get('k');
    await store.lock('k', 500);
    expect(sent.map((args) => args[1])).toEqual(['uat/token:k', 'uat/lock:k']);
  });

  it.each([
    [1.9, '1'],
    [0.2, '1'],
    [0, '1'],
    [-5, '1'],
    [3_570_000.123, '3570000'],
  ])('a time to live of %d ms is sent as %s', async (ttlMs, wire) => {
    const { sent, sendCommand } = client('OK');
    const store = redisTokenStore({ sendCommand });
    await store.set('k', 'v', ttlMs);
    await store.lock('k', ttlMs);
    expect(sent.map((args) => args.at(-1))).toEqual([wire, wire]);
  });

  /** A view on bytes that are only a part of what its buffer holds, as clients reuse large buffers. */
  const viewOf = (text: string): Uint8Array => {
    const bytes = new TextEncoder().encode(text);
    return new Uint8Array([1, 2, 3, ...bytes, 4, 5, 6]).subarray(3, 3 + bytes.length);
  };
  /** Of another realm, so that `instanceof Uint8Array` is false, as in a worker of Jest or a vm. */
  const foreignBytes = (text: string): unknown =>
    runInNewContext('Uint8Array.from(codes)', { codes: [...new TextEncoder().encode(text)] });

  it.each<[string, (text: string) => unknown]>([
    ['strings', (text) => text],
    ['Buffers', (text) => Buffer.from(text)],
    ['Uint8Arrays', viewOf],
    ['Uint8Arrays of another realm', foreignBytes],
    ['DataViews', (text) => new DataView(Uint8Array.from(Buffer.from(text)).buffer)],
  ])('replies that are %s are understood', async (_, encode) => {
    expect(await redisTokenStore(options(encode('żółć'))).get('k')).toBe('żółć');
    expect(await redisTokenStore(options(encode('OK'))).lock('k', 500)).toBeDefined();
  });

  it('bytes are decoded where there is no TextDecoder, as in jsdom', async () => {
    const { TextDecoder } = globalThis;
    Reflect.deleteProperty(globalThis, 'TextDecoder');
    try {
      expect(await redisTokenStore(options(viewOf('żółć'))).get('k')).toBe('żółć');
    } finally {
      globalThis.TextDecoder = TextDecoder;
    }
  });

  it.each([null, undefined])('the reply %p means that there is no value and no lock', async (reply) => {
    expect(await redisTokenStore(options(reply)).get('k')).toBeUndefined();
    expect(await redisTokenStore(options(reply)).lock('k', 500)).toBeUndefined();
  });

  it('a lock that Redis answers with anything but OK is not taken', async () => {
    expect(await redisTokenStore(options('QUEUED')).lock('k', 500)).toBeUndefined();
  });

  it.each([0, 1, true, {}, ['OK'], new Error('a reply of Redis'), new ArrayBuffer(2)])(
    'the reply %p, which Redis cannot give, is an error and not "no value"',
    async (reply) => {
      const store = redisTokenStore(options(reply));
      const aboutTheReply = /for the command "[gs]et", sendCommand resolved to a value of type/;
      await expect(store.get('k')).rejects.toThrow(aboutTheReply);
      await expect(store.set('k', 'v', 1)).rejects.toThrow(aboutTheReply);
      await expect(store.lock('k', 1)).rejects.toThrow(aboutTheReply);
    },
  );

  it('a stand-in for Redis that knows commands in upper case alone is asked in upper case', async () => {
    const values = new Map<string, string>();
    const commands: string[] = [];
    /** Like a hand-written double: what it does not know is a deletion, which replies with a number. */
    const sendCommand: SendRedisCommand = async (command, key, value) => {
      commands.push(command);
      if (command === 'GET') return values.get(key!) ?? null;
      if (command === 'SET') return values.has(key!) ? null : (values.set(key!, value!), 'OK');
      return 0;
    };
    const store = redisTokenStore({ sendCommand });
    expect(await store.get('k')).toBeUndefined();
    await store.set('k', 'v', 1000);
    expect(await store.get('k')).toBe('v');
    await (
      await store.lock('k', 500)
    )?.();
    expect(commands).toEqual(['get', 'GET', 'SET', 'GET', 'SET', 'EVAL']);
  });

  it('an error about a reply does not quote it', async () => {
    const store = redisTokenStore(options({ value: 'a very secret access token' }));
    const error: unknown = await store.get('k').catch((reason: unknown) => reason);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secret');
  });

  it('options of a polluted Object.prototype are ignored', async () => {
    const { sent, sendCommand } = client(null);
    const prototype = Object.prototype as Record<string, unknown>;
    prototype['keyPrefix'] = 'stolen:';
    prototype['sendCommand'] = () => Promise.resolve('stolen');
    try {
      expect(await redisTokenStore({ sendCommand }).get('k')).toBeUndefined();
      expect(configError(() => redisTokenStore({} as never)).message).toContain('sendCommand must be');
    } finally {
      delete prototype['keyPrefix'];
      delete prototype['sendCommand'];
    }
    expect(sent).toEqual([['get', 'bipsync-auth:token:k']]);
  });

  it('every method rejects with the error of the client, thrown or rejected', async () => {
    const down = new Error('connection lost');
    const rejecting = redisTokenStore({ sendCommand: () => Promise.reject(down) });
    const throwing = redisTokenStore({
      sendCommand: () => {
        throw down;
      },
    });
    for (const store of [rejecting, throwing]) {
      await expect(store.get('k')).rejects.toBe(down);
      await expect(store.set('k', 'v', 1)).rejects.toBe(down);
      await expect(store.lock('k', 1)).rejects.toBe(down);
    }
  });

  it.each([
    ['undefined', undefined, ['options must be an object']],
    ['null', null, ['options must be an object']],
    [
      'options that are all wrong',
      { keyPrefix: 1, a: 1, b: 2 },
      [
        'redisTokenStore: sendCommand must be a function, for example (...args) => client.sendCommand(args); ' +
          'keyPrefix must be a string; unknown options: a, b',
      ],
    ],
    ['options without a sendCommand', {}, ['sendCommand must be a function']],
    [
      'options with two mistakes',
      { sendCommand: 'GET', keyPrefix: 1 },
      ['sendCommand must be', 'keyPrefix must be'],
    ],
    ['a misspelt option', { sendCommand: () => undefined, prefix: 'x' }, ['unknown options: prefix']],
    ['a node-redis client', createClient(), ['sendCommand must be a function']],
    ['an ioredis client', new Redis({ lazyConnect: true }), ['unknown options']],
  ])('%s instead of the options is rejected, and every mistake is named', (_, given, problems) => {
    const error = configError(() => redisTokenStore(given as never));
    for (const problem of problems) expect(error.message).toContain(problem);
    expect(error.message.length).toBeLessThan(300);
  });

  it('the line for every client of node-redis and ioredis compiles without a cast', () => {
    const single = createClient();
    const pool = createClientPool();
    const sentinel = createSentinel({ name: 'tokens', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] });
    const cluster = createCluster({ rootNodes: [] });
    const ioredis = new Redis({ lazyConnect: true });
    const ioredisCluster = new Redis.Cluster([], { lazyConnect: true });
    const senders: SendRedisCommand[] = [
      (...args) => single.sendCommand(args),
      (...args) => pool.sendCommand(args),
      (...args) => sentinel.sendCommand(false, args),
      (...args) => cluster.sendCommand(args[0] === 'eval' ? args[3] : args[1], false, args),
      (...args) => ioredis.call(...args),
      (...args) => ioredisCluster.call(...args),
      (...args) => ioredis.callBuffer(...args),
      async () => 'OK',
    ];
    for (const sendCommand of senders) expect(() => redisTokenStore({ sendCommand })).not.toThrow();
    // @ts-expect-error A client is not an options object, though it has a sendCommand.
    expect(() => redisTokenStore(single)).toThrow();
    // @ts-expect-error sendCommand is required.
    expect(() => redisTokenStore({ keyPrefix: 'x' })).toThrow();
  });

  function options(reply: unknown): { sendCommand: SendRedisCommand } {
    return { sendCommand: client(reply).sendCommand };
  }
});

describeWithRedis('redisTokenStore on a real Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedisServer();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    await redis.quit();
    await server.stop();
  });

  it('clients that reply with Buffers share values and set client or baseURL, not both from locks', async () => {
    const bufferClient = createClient({ url: server.url }).withTypeMapping({
      [RESP_TYPES.BLOB_STRING]: Buffer,
    });
    await bufferClient.connect();
    const stores = [
      redisTokenStore({ sendCommand: (...args) => bufferClient.sendCommand(args), keyPrefix: 'a:' }),
      redisTokenStore({ sendCommand: (...args) => redis.callBuffer(...args), keyPrefix: 'b:' }),
    ];
    for (const store of stores) {
      await store.set('k', 'żółć', 60_000);
      expect(await store.get('k')).toBe('żółć');
      const release = await store.lock('k', 60_000);
      expect(await store.lock('k', 60_000)).toBeUndefined();
      await release?.();
      expect(await store.lock('k', 60_000)).toBeDefined();
    }
    await bufferClient.close();
  });

  it('a Redis user with the four documented rights can use the store', async () => {
    await redis.call(
      'ACL',
      'SETUSER',
      'tokens',
      'on',
      '>pw',
      '~bipsync-auth:*',
      '+get',
      '+set',
      '+del',
      '+eval',
    );
    const limited = new Redis(server.port, '127.0.0.1', {
      username: 'tokens',
      password: 'pw',
      enableReadyCheck: false,
      disableClientInfo: true,
    });
    const store = redisTokenStore({ sendCommand: (...args) => limited.call(...args) });
    await store.set('k', 'v', 60_000);
    expect(await store.get('k')).toBe('v');
    await (
      await store.lock('k', 60_000)
    )?.();
    expect(await redis.exists('bipsync-auth:lock:k')).toBe(0);
    limited.disconnect();
  });

  it('ioredis puts its own keyPrefix before every key', async () => {
    const prefixed = new Redis(server.url, { keyPrefix: 'app1:' });
    const store = redisTokenStore({ sendCommand: (...args) => prefixed.call(...args) });
    await store.set('prefixed', 'v', 60_000);
    expect(await store.get('prefixed')).toBe('v');
    const release = await store.lock('prefixed', 60_000);
    expect((await redis.keys('*prefixed')).sort()).toEqual([
      'app1:bipsync-auth:lock:prefixed',
      'app1:bipsync-auth:token:prefixed',
    ]);
    await release?.();
    expect(await redis.keys('*lock:prefixed')).toEqual([]);
    await prefixed.quit();
  });

  it.each([NaN, Infinity])('Redis rejects a time to live of %d', async (ttlMs) => {
    const store = redisTokenStore({ sendCommand: (...args) => redis.call(...args) });
    await expect(store.set('k', 'v', ttlMs)).rejects.toThrow('not an integer');
    await expect(store.lock('never', ttlMs)).rejects.toThrow('not an integer');
  });

  it('a store works again after its Redis was killed and came back empty', async () => {
    const mortal = await startRedisServer();
    const client = new Redis(mortal.url, { retryStrategy: () => 20 }).on('error', () => undefined);
    const store = redisTokenStore({ sendCommand: (...args) => client.call(...args) });
    await store.set('k', 'v', 60_000);
    await mortal.kill();
    const early = store.set('k', 'queued', 60_000);
    await mortal.restart();
    await early;
    expect(await store.get('k')).toBe('queued');
    await client.quit();
    await mortal.stop();
  });
});

function configError(act: () => unknown): BipsyncAuthError {
  try {
    act();
  } catch (error) {
    expect(error).toMatchObject({ name: 'BipsyncAuthError', code: 'ERR_BIPSYNC_CONFIG' });
    return error as BipsyncAuthError;
  }
  throw new Error(`nothing was refused: ${inspect(act)}`);
}
