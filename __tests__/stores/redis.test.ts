import Redis from 'ioredis';
import { createClient, createCluster, RESP_TYPES } from 'redis';
import { inspect } from 'node:util';

import type { BipsyncAuthError } from '../../src/errors';
import { redisTokenStore } from '../../src/stores';
import type { SendRedisCommand } from '../../src/stores';
import { describeWithRedis, startRedisServer } from '../support/redis-server';
import type { RedisServer } from '../support/redis-server';

describe('redisTokenStore', () => {
  /** A client that notes what it is asked and answers with `reply`. */
  function client(reply: unknown): { sent: string[][]; sendCommand: SendRedisCommand } {
    const sent: string[][] = [];
    return { sent, sendCommand: async (...args) => (sent.push(args), reply) };
  }

  it('sends one command with one key for each step', async () => {
    const { sent, sendCommand } = client('OK');
    const store = redisTokenStore({ sendCommand });
    await store.get('k');
    await store.set('k', 'v', 1000);
    await (
      await store.lock('k', 500)
    )?.();
    const owner = sent[2]![2]!;
    expect(sent).toEqual([
      ['GET', 'bipsync-auth:token:k'],
      ['SET', 'bipsync-auth:token:k', 'v', 'PX', '1000'],
      ['SET', 'bipsync-auth:lock:k', owner, 'NX', 'PX', '500'],
      ['EVAL', expect.stringContaining('KEYS[1]'), '1', 'bipsync-auth:lock:k', owner],
    ]);
  });

  it('owns every lock under another random name', async () => {
    const { sent, sendCommand } = client('OK');
    const store = redisTokenStore({ sendCommand });
    for (let i = 0; i < 100; i++) await store.lock('k', 500);
    const owners = sent.map((args) => args[2]!);
    expect(new Set(owners).size).toBe(100);
    expect(owners[0]!.length).toBeGreaterThanOrEqual(32);
  });

  it('puts keyPrefix before every key', async () => {
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
  ])('sends a time to live of %d ms as %s', async (ttlMs, wire) => {
    const { sent, sendCommand } = client('OK');
    const store = redisTokenStore({ sendCommand });
    await store.set('k', 'v', ttlMs);
    await store.lock('k', ttlMs);
    expect(sent.map((args) => args.at(-1))).toEqual([wire, wire]);
  });

  it('reads replies that are Buffers', async () => {
    expect(await redisTokenStore(options(Buffer.from('żółć'))).get('k')).toBe('żółć');
    expect(await redisTokenStore(options(Buffer.from('OK'))).lock('k', 500)).toBeDefined();
  });

  it.each([null, undefined, 0, [], {}, true])('takes the reply %p for nothing', async (reply) => {
    expect(await redisTokenStore(options(reply)).get('k')).toBeUndefined();
    expect(await redisTokenStore(options(reply)).lock('k', 500)).toBeUndefined();
  });

  it('rejects with what the client fails with, thrown or rejected', async () => {
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
    ['nothing', undefined, ['options must be an object']],
    ['null', null, ['options must be an object']],
    [
      'everything wrong',
      { keyPrefix: 1, a: 1, b: 2 },
      [
        'redisTokenStore: sendCommand must be a function, like (...args) => client.sendCommand(args); ' +
          'keyPrefix must be a string; unknown options: a, b',
      ],
    ],
    ['no sendCommand', {}, ['sendCommand must be a function']],
    ['two mistakes', { sendCommand: 'GET', keyPrefix: 1 }, ['sendCommand must be', 'keyPrefix must be']],
    ['a misspelt option', { sendCommand: () => undefined, prefix: 'x' }, ['unknown options: prefix']],
    ['a node-redis client itself', createClient(), ['sendCommand must be a function']],
    ['an ioredis client itself', new Redis({ lazyConnect: true }), ['unknown options']],
  ])('refuses %s', (_, given, problems) => {
    const error = configError(() => redisTokenStore(given as never));
    for (const problem of problems) expect(error.message).toContain(problem);
    expect(error.message.length).toBeLessThan(300);
  });

  it('compiles with every kind of client, without a cast', () => {
    const single = createClient();
    const cluster = createCluster({ rootNodes: [] });
    const ioredis = new Redis({ lazyConnect: true });
    const ioredisCluster = new Redis.Cluster([], { lazyConnect: true });
    const senders: SendRedisCommand[] = [
      (...args) => single.sendCommand(args),
      (...args) => cluster.sendCommand(args[0] === 'EVAL' ? args[3] : args[1], false, args),
      (...args) => ioredis.call(...args),
      (...args) => ioredisCluster.call(...args),
      (...args) => ioredis.callBuffer(...args),
      async () => 'OK',
    ];
    for (const sendCommand of senders) expect(() => redisTokenStore({ sendCommand })).not.toThrow();
    // @ts-expect-error A client is no options object, though it has a sendCommand.
    expect(() => redisTokenStore(single)).toThrow();
    // @ts-expect-error Nor is one of them without a command.
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

  it('works over clients that answer with Buffers', async () => {
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

  it('needs no more rights than the four that its documentation names', async () => {
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

  it.each([NaN, Infinity])('rejects a time to live of %d', async (ttlMs) => {
    const store = redisTokenStore({ sendCommand: (...args) => redis.call(...args) });
    await expect(store.set('k', 'v', ttlMs)).rejects.toThrow('not an integer');
    await expect(store.lock('never', ttlMs)).rejects.toThrow('not an integer');
  });

  it('works again after Redis was killed and came back empty', async () => {
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
