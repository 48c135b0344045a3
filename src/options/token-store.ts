import { asRecord, isObject } from '../values';

/**
 * TokenStore is where processes share tokens. Keyv, cache-manager and Nest's `CACHE_MANAGER` can be used as they are.
 * Keys contain no secret. Values contain an access token (see `encryptedTokenStore` in `axios-bipsync-auth/stores`).
 *
 * @example
 * ```ts
 * const kept = new Map<string, string>();
 * const tokenStore: TokenStore = {
 *   get: async (key) => kept.get(key),
 *   set: async (key, value, ttlMs) => {
 *     kept.set(key, value);
 *     setTimeout(() => kept.delete(key), ttlMs).unref();
 *   },
 * };
 * ```
 */
export interface TokenStore {
  /** Resolves to the value that was last set under `key`. If there is none, resolves to `undefined` or `null`. */
  get(key: string): Promise<unknown>;
  /** Keeps `value` under `key` for `ttlMs` milliseconds. */
  set(key: string, value: string, ttlMs: number): Promise<unknown>;
  /**
   * Takes the lock `key` for at most `ttlMs` milliseconds and resolves to the function that releases the lock. If another
   * caller has the lock, resolves to `undefined`. Optional: without `lock`, each process may request its own token. With
   * `lock`, one process requests the token for all.
   */
  lock?(key: string, ttlMs: number): Promise<(() => Promise<void>) | undefined>;
}

/**
 * tokenStoreProblem returns what is wrong with a token store and the line to write instead, or `undefined` if nothing
 * is. The string continues a sentence that begins with the option's name, and quotes no value.
 *
 * Database clients and collections have `get` and `set` too, but their `set` ignores a time to live in third place, so
 * they would keep tokens for ever. This cannot be tried out without writing to them. So a store must look right: it has
 * the contract's methods, at most with those that remove entries, or it is a cache like Keyv and cache-manager. Everything
 * else counts as a client.
 */
export function tokenStoreProblem(store: unknown): string | undefined {
  try {
    return problemOf(store);
  } catch {
    // What a proxy or an accessor throws may hold anything, so it is not repeated.
    return 'could not be read: one of its parts throws an error. Pass a plain object';
  }
}

function problemOf(store: unknown): string | undefined {
  const { get, set, lock } = asRecord(store);
  if (!isObject(store) || typeof get !== 'function' || typeof set !== 'function') {
    return 'must be an object with the methods get and set, and optionally lock';
  }
  if (lock !== undefined && typeof lock !== 'function') return 'has a lock that is not a function';

  const methods = methodsOf(store);
  const others = [...methods.keys()].filter((name) => !isExpected(name));
  const isVisible = methods.has('get') && methods.has('set');
  const sendCommand = rawCommand(methods);
  const isSmall = set.length === 3 && others.every((name) => /^(del|delete|has|clear)$/.test(name));
  if (isVisible && (others.length === 0 || isSmall || isCache(methods))) return undefined;

  if (sendCommand) {
    return (
      'is a Redis client. Its set() would keep a token for ever. Write ' +
      `redisTokenStore({ sendCommand: (...args) => client.${sendCommand} }) from axios-bipsync-auth/stores`
    );
  }
  const reason = !isVisible
    ? 'has get and set, but not as methods of the object or its class'
    : set.length === 1 || set.length === 2
      ? 'has a set() with fewer than three parameters'
      : `has other methods too (${others.slice(0, 4).join(', ')}${others.length > 4 ? ' and more' : ''})`;
  return (
    `${reason}. Its set() may ignore the time to live and keep a token for ever. Write ` +
    '{ get: (key) => client.get(key), set: (key, value, ttlMs) => client.set(key, value, { px: ttlMs }) }. Replace px ' +
    "by the client's option for milliseconds. If the client has no such option, do not set tokenStore"
  );
}

type Methods = ReadonlyMap<string, { length: number }>;

/** The contract, and what has nothing to do with how values are kept: starting, ending, listening, private methods. */
const isExpected = (name: string): boolean =>
  /^(get|set|lock|connect|disconnect|close|destroy|on[A-Z]\w*|_\w*)$/.test(name);

/**
 * A cache can be emptied (`clear`), or it fills itself (`wrap`): no database client offers that next to `get` and `set`.
 * It does not list its `keys`, as databases and collections do. Its `set` has three parameters, not two, or four with
 * a callback.
 */
function isCache(methods: Methods): boolean {
  const { length } = methods.get('set') ?? {};
  return (
    (methods.has('delete') || methods.has('del')) &&
    (methods.has('clear') || methods.has('wrap')) &&
    !methods.has('keys') &&
    (length === 3 || length === 0)
  );
}

/** How a Redis client sends any command. Those of node-redis differ in parameters: client, Sentinel, cluster. */
function rawCommand(methods: Methods): string | undefined {
  if (methods.has('customCommand')) return 'customCommand(args)';
  if (methods.has('call')) return 'call(...args)';
  const sendCommand = methods.get('sendCommand');
  if (sendCommand?.length === 3) return 'sendCommand(false, args)';
  if (sendCommand?.length === 4) return "sendCommand(args[0] === 'eval' ? args[3] : args[1], false, args)";
  return sendCommand && 'sendCommand(args)';
}

/** An object's own and inherited methods, without those that every object has. No getter runs. */
function methodsOf(store: object): Methods {
  const methods = new Map<string, { length: number }>();
  for (let object: object | null = store; object; object = Object.getPrototypeOf(object) as object | null) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
      const member: unknown = descriptor.value;
      if (typeof member === 'function' && !(name in Object.prototype) && !methods.has(name)) {
        methods.set(name, member);
      }
    }
  }
  return methods;
}
