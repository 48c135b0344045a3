import { randomUUID } from 'node:crypto';

import { BipsyncAuthError } from '../errors';
import type { TokenStore } from '../options/token-store';

/**
 * Sends one command and resolves to its reply; bulk replies may be strings or Buffers. Every Redis client can do this
 * in one line, so none is a dependency:
 *
 * | client | `sendCommand` |
 * |---|---|
 * | node-redis | `(...args) => client.sendCommand(args)` |
 * | ioredis, and iovalkey for Valkey | `(...args) => redis.call(...args)` |
 * | Valkey GLIDE | `(...args) => client.customCommand(args)` |
 * | node-redis, cluster | `(...args) => cluster.sendCommand(args[0] === 'EVAL' ? args[3] : args[1], false, args)` |
 *
 * It must reject when the command fails. What time it takes is bounded by the plugin, not here.
 */
export type SendRedisCommand = (...args: [command: string, ...args: string[]]) => Promise<unknown>;

/** What {@link redisTokenStore} takes. */
export interface RedisTokenStoreOptions {
  /** How to send a command with the client that you have. Required. */
  sendCommand: SendRedisCommand;
  /**
   * What every Redis key starts with. Default `'bipsync-auth:'`. Processes share tokens only where it is the same:
   * choose one for each environment that lives on the same Redis.
   */
  keyPrefix?: string | undefined;
}

/**
 * redisTokenStore keeps tokens in Redis, Valkey or anything else that speaks their protocol (Redis 2.6.12 or newer),
 * with the lock that lets a whole fleet mint one token at a time.
 *
 * ```ts
 * // node-redis
 * const client = await createClient({ url }).on('error', log).connect();
 * const tokenStore = redisTokenStore({ sendCommand: (...args) => client.sendCommand(args) });
 *
 * // ioredis; for Valkey the same with `iovalkey`, or either of the two Redis clients
 * const redis = new Redis(url);
 * const tokenStore = redisTokenStore({ sendCommand: (...args) => redis.call(...args) });
 * ```
 *
 * A token lives under `{keyPrefix}token:{key}` and its lock under `{keyPrefix}lock:{key}`, so the two never collide,
 * and both vanish by themselves after their `ttlMs`. Every command names one key, as Redis Cluster demands. A user of
 * the ACL system needs `~{keyPrefix}* +get +set +del +eval`.
 *
 * `ttlMs` counts whole milliseconds: a fraction is cut off, less than 1 becomes 1, and a value that is no finite
 * number is refused by Redis. The store's methods reject with what `sendCommand` rejects with. Values are kept as they
 * are given, so that whoever can read the Redis can use the token: see {@link encryptedTokenStore}.
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`, naming every option that is missing, wrong or unknown.
 */
export function redisTokenStore(options: RedisTokenStoreOptions): Required<TokenStore> {
  checkOptions(options);
  const { sendCommand, keyPrefix = 'bipsync-auth:' } = options;
  const tokenKey = (key: string): string => `${keyPrefix}token:${key}`;
  const lockKey = (key: string): string => `${keyPrefix}lock:${key}`;

  return {
    async get(key) {
      return text(await sendCommand('GET', tokenKey(key)));
    },
    async set(key, value, ttlMs) {
      await sendCommand('SET', tokenKey(key), value, 'PX', wholeMs(ttlMs));
    },
    async lock(key, ttlMs) {
      const owner = randomUUID();
      const reply = await sendCommand('SET', lockKey(key), owner, 'NX', 'PX', wholeMs(ttlMs));
      if (text(reply) !== 'OK') return undefined;
      return async () => {
        await sendCommand('EVAL', releaseScript, '1', lockKey(key), owner);
      };
    },
  };
}

/** Only the owner may delete a lock: it can have expired and belong to somebody else by the time it is released. */
const releaseScript =
  "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

function text(reply: unknown): string | undefined {
  if (Buffer.isBuffer(reply)) return reply.toString();
  return typeof reply === 'string' ? reply : undefined;
}

/** Redis refuses fractions and zero. Rounding down, so that nothing outlives what was asked for. */
function wholeMs(ttlMs: number): string {
  return String(Math.max(1, Math.floor(ttlMs)));
}

/**
 * Only own properties count, and unknown ones are refused: so a client, passed where `{ sendCommand }` was meant, fails
 * here and not at its first use.
 */
function checkOptions(options: unknown): void {
  const problems: string[] = [];
  if (typeof options !== 'object' || options === null) {
    problems.push('options must be an object { sendCommand, keyPrefix? }');
  } else {
    const { sendCommand, keyPrefix, ...unknown } = { ...options } as Record<string, unknown>;
    if (typeof sendCommand !== 'function') {
      problems.push('sendCommand must be a function, like (...args) => client.sendCommand(args)');
    }
    if (keyPrefix !== undefined && typeof keyPrefix !== 'string') problems.push('keyPrefix must be a string');
    const names = Object.keys(unknown).slice(0, 5);
    if (names.length > 0) problems.push(`unknown options: ${names.join(', ')}`);
  }
  if (problems.length > 0) {
    throw new BipsyncAuthError('ERR_BIPSYNC_CONFIG', `redisTokenStore: ${problems.join('; ')}`);
  }
}
