import { asRecord } from '../values';

/**
 * TokenStore is where processes share tokens: the smallest thing that Keyv, cache-manager and Nest's `CACHE_MANAGER`
 * already are. Keys hold no secret; values hold an access token (see `encryptedTokenStore` in
 * `axios-bipsync-auth/stores`).
 */
export interface TokenStore {
  /** Resolves to the value last set under `key`, or to anything else when there is none. */
  get(key: string): Promise<unknown>;
  /** Keeps `value` under `key` for `ttlMs` milliseconds. */
  set(key: string, value: string, ttlMs: number): Promise<unknown>;
  /**
   * Takes the lock `key` for at most `ttlMs` milliseconds and resolves to the function that releases it, or to
   * `undefined` while someone else holds it. Without it up to one token per process is minted, with it one.
   */
  lock?(key: string, ttlMs: number): Promise<(() => Promise<void>) | undefined>;
}

/** tokenStoreProblem says what is wrong with a value given as a token store, or returns `undefined`. */
export function tokenStoreProblem(value: unknown): string | undefined {
  const { get, set, lock } = asRecord(value);
  const isStore = typeof get === 'function' && typeof set === 'function';
  return isStore && (lock === undefined || typeof lock === 'function')
    ? undefined
    : 'must have the methods get and set, and lock if it has one';
}
