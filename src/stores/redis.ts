import { randomUUID } from 'node:crypto';

import { BipsyncAuthError } from '../errors';
import type { TokenStore } from '../options/token-store';
import { isObject, ownRecord } from '../values';

/**
 * Sends one command and resolves to the reply. Command names are in lower case. Bulk replies can be strings, Buffers or
 * Uint8Arrays. Every Redis client can do this in one line, so this package does not depend on a client:
 *
 * | client | `sendCommand` |
 * |---|---|
 * | node-redis 4 to 6: `createClient`, `createClientPool` | `(...args) => client.sendCommand(args)` |
 * | node-redis 4 to 6: `createCluster` | `(...args) => cluster.sendCommand(args[0] === 'eval' ? args[3] : args[1], false, args)` |
 * | node-redis 5 and 6: `createSentinel` | `(...args) => sentinel.sendCommand(false, args)` |
 * | ioredis 5 and 6: `Redis` (with `sentinels` too) and `Cluster`; iovalkey | `(...args) => redis.call(...args)` |
 * | Valkey GLIDE | `(...args) => client.customCommand(args)` |
 * | Upstash, created with `automaticDeserialization: false` | `(...args) => redis.exec(args)` |
 *
 * The function must reject if the command fails. The plugin does not wait longer than a second for the reply.
 */
export type SendRedisCommand = (...args: [command: string, ...args: string[]]) => Promise<unknown>;

/** The options of {@link redisTokenStore}. */
export interface RedisTokenStoreOptions {
  /** Sends a command with your Redis client. Required. */
  sendCommand: SendRedisCommand;
  /**
   * The beginning of every Redis key. Default: `'bipsync-auth:'`. Only processes with the same prefix share tokens. If
   * several environments use the same Redis, give each one its own prefix.
   */
  keyPrefix?: string | undefined;
}

/**
 * redisTokenStore keeps tokens in Redis, Valkey or another server with the same protocol (Redis 2.6.12 or newer). With its
 * lock, only one process of a fleet requests a token at a time.
 *
 * For clusters, Sentinel and other clients see {@link SendRedisCommand}.
 *
 * A token is stored under `{keyPrefix}token:{key}`, and its lock under `{keyPrefix}lock:{key}`. Both expire after their
 * `ttlMs`. Every command uses one key, as Redis Cluster requires. A Redis user with an ACL needs
 * `~{keyPrefix}* +get +set +del +eval`.
 *
 * `ttlMs` is rounded down to whole milliseconds, but is at least 1. Redis rejects a value that is not a finite number. The
 * store's methods reject with the error of `sendCommand`, or with a `TypeError` if `sendCommand` resolves to a value that is
 * not a Redis reply. Values are stored unencrypted, so anyone who can read the Redis can use the token: see
 * {@link encryptedTokenStore}.
 *
 * @example
 * ```ts
 * // node-redis. connect() is not awaited: while Redis is down it may never settle, and the plugin works without Redis.
 * const client = createClient({ url });
 * client.on('error', log);
 * client.connect().catch(log);
 * const tokenStore = redisTokenStore({ sendCommand: (...args) => client.sendCommand(args) });
 * ```
 *
 * @example
 * ```ts
 * // ioredis, with or without its own keyPrefix; iovalkey likewise
 * const redis = new Redis(url);
 * redis.on('error', log);
 * const tokenStore = redisTokenStore({ sendCommand: (...args) => redis.call(...args) });
 * ```
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`, listing every option that is missing, wrong or unknown.
 */
export function redisTokenStore(options: RedisTokenStoreOptions): Required<TokenStore> {
  const { sendCommand, keyPrefix = 'bipsync-auth:' } = checkOptions(options);
  const tokenKey = (key: string): string => `${keyPrefix}token:${key}`;
  const lockKey = (key: string): string => `${keyPrefix}lock:${key}`;

  // Redis takes both. Older versions of ioredis add their keyPrefix to commands in lower case alone; a stand-in for Redis
  // in a test suite may know upper case alone.
  let isUpperCase = false;
  const send: SendRedisCommand = (command, ...args) =>
    sendCommand(isUpperCase ? command.toUpperCase() : command, ...args);

  return {
    async get(key) {
      let reply = await send('get', tokenKey(key));
      if (!isReply(reply)) {
        isUpperCase = !isUpperCase;
        reply = await send('get', tokenKey(key));
      }
      return text('get', reply);
    },
    async set(key, value, ttlMs) {
      text('set', await send('set', tokenKey(key), value, 'PX', wholeMs(ttlMs)));
    },
    async lock(key, ttlMs) {
      const owner = randomUUID();
      const reply = await send('set', lockKey(key), owner, 'NX', 'PX', wholeMs(ttlMs));
      if (text('set', reply) !== 'OK') return undefined;
      return async () => {
        await send('eval', releaseScript, '1', lockKey(key), owner);
      };
    },
  };
}

/** Only the owner may delete a lock: when it is released it can have expired, and another process can hold it. */
const releaseScript =
  "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

type Reply = string | ArrayBufferView | null | undefined;

/** Whether Redis can have given this reply to `get` or `set`. */
function isReply(reply: unknown): reply is Reply {
  return typeof reply === 'string' || ArrayBuffer.isView(reply) || reply === null || reply === undefined;
}

/**
 * The string of a reply, or `undefined` if there is none. A reply that Redis cannot have given is an error: taken for
 * "no value", it would switch off sharing without a word.
 */
function text(command: string, reply: unknown): string | undefined {
  if (!isReply(reply)) {
    throw new TypeError(
      `redisTokenStore: for the command "${command}", sendCommand resolved to a value of type ${typeof reply}. ` +
        'It must resolve to what Redis replied: a string, a Buffer, a Uint8Array or null.',
    );
  }
  if (!ArrayBuffer.isView(reply)) return reply ?? undefined;
  return Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength).toString();
}

/** Redis rejects fractions and zero. Rounded down, so that nothing is kept longer than asked for. */
function wholeMs(ttlMs: number): string {
  return String(Math.max(1, Math.floor(ttlMs)));
}

/**
 * Only own properties count, and unknown ones are rejected: a client passed instead of `{ sendCommand }` fails here and
 * not at its first use.
 */
function checkOptions(given: unknown): RedisTokenStoreOptions {
  const problems: string[] = [];
  const options = ownRecord(given);
  const { sendCommand, keyPrefix, ...unknown } = options;
  if (!isObject(given)) {
    problems.push('options must be an object { sendCommand, keyPrefix? }');
  } else {
    if (typeof sendCommand !== 'function') {
      problems.push('sendCommand must be a function, for example (...args) => client.sendCommand(args)');
    }
    if (keyPrefix !== undefined && typeof keyPrefix !== 'string') problems.push('keyPrefix must be a string');
    const names = Object.keys(unknown).slice(0, 5);
    if (names.length > 0) problems.push(`unknown options: ${names.join(', ')}`);
  }
  if (problems.length > 0) {
    throw new BipsyncAuthError('ERR_BIPSYNC_CONFIG', `redisTokenStore: ${problems.join('; ')}`);
  }
  return options as unknown as RedisTokenStoreOptions;
}
