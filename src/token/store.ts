import { createHash } from 'node:crypto';

import type { TokenStore } from '../options/token-store';
import { asRecord, parseJson } from '../values';
import { createToken, isUsable, now, type Token, type TokenWindows } from './token';
import { isAccessToken } from './endpoint';

export type StoreOperation = 'get' | 'set' | 'lock' | 'release';

/** A lock that was obtained, one that someone else holds, or none to be had: then one goes on without. */
export type LockOutcome = { release: () => void } | 'held' | undefined;

/** The store as the token source uses it: nothing here throws, and nothing takes longer than the bound. */
export interface SharedTokens {
  read(key: string): Promise<Token | undefined>;
  write(key: string, token: Token): Promise<void>;
  lock(key: string, ttlMs: number): Promise<LockOutcome>;
  /** Whether the store failed a moment ago and is left alone. */
  isResting(): boolean;
}

export type OnStoreFailure = (operation: StoreOperation) => void;

const MAX_STORE_TIMEOUT_MS = 1000;
/** After a failure the store is left alone for this long, so that requests do not each wait out the bound. */
const STORE_REST_MS = 5000;
const DAY_MS = 86_400_000;

/** storeKey names a token in a store without telling whose it is. */
export function storeKey(...parts: readonly unknown[]): string {
  return `bipsync-token-${createHash('sha256').update(JSON.stringify(parts)).digest('base64url')}`;
}

/** createSharedTokens makes of somebody's store one that can be slow, down, wrong, full or missing without harm. */
export function createSharedTokens(
  store: TokenStore | undefined,
  windows: TokenWindows & { tokenTimeoutMs: number },
): (onFailure: OnStoreFailure) => SharedTokens {
  // Read, locked, polled for half of the time and slow at all of that, it leaves time for the token endpoint.
  const timeoutMs = Math.min(MAX_STORE_TIMEOUT_MS, windows.tokenTimeoutMs / 10);
  let restUntil = 0;
  const isResting = (): boolean => performance.now() < restUntil;

  /** A call that was given up on may still run: what it yields late goes to `onLate`. */
  function attempt<T>(
    operation: StoreOperation,
    onFailure: OnStoreFailure,
    call: (store: TokenStore) => Promise<T>,
    onLate?: (late: T) => void,
  ): Promise<T | undefined> {
    if (!store || isResting()) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      let givenUp = false;
      const giveUp = (): void => {
        givenUp = true;
        clearTimeout(timer);
        restUntil = performance.now() + STORE_REST_MS;
        onFailure(operation);
        resolve(undefined);
      };
      const timer = setTimeout(giveUp, timeoutMs);
      // A store may throw before it returns a promise.
      new Promise<T>((started) => started(call(store))).then(
        (value) => {
          if (givenUp) return onLate?.(value);
          clearTimeout(timer);
          resolve(value);
        },
        () => {
          if (!givenUp) giveUp();
        },
      );
    });
  }

  return (onFailure) => {
    let isRubbish = false;
    return {
      isResting,

      async read(key) {
        const value = await attempt('get', onFailure, (store) => store.get(key));
        if (value === undefined || value === null) return undefined;
        const token = parseToken(value, windows);
        // Not left alone for this: the next token overwrites what cannot be read. Told once, however often it is polled.
        if (token === undefined && !isRubbish) onFailure('get');
        isRubbish = token === undefined;
        return token && isUsable(token) ? token : undefined;
      },

      async write(key, { accessToken, expiresAt, lifetimeMs }) {
        const ttlMs = Math.floor(Math.min(expiresAt - Date.now(), lifetimeMs));
        if (ttlMs <= 0) return;
        const value = JSON.stringify({ v: 1, accessToken, expiresAt, lifetimeMs });
        await attempt('set', onFailure, (store) => store.set(key, value, ttlMs));
      },

      async lock(key, ttlMs) {
        if (store?.lock === undefined) return undefined;
        const lock = store.lock.bind(store);
        // Neither bounded nor left out while the store rests: nobody waits for it, but others wait for the lock.
        const release = (unlock: () => Promise<void>): void => {
          new Promise((released) => released(unlock())).catch(() => onFailure('release'));
        };
        const answer = await attempt(
          'lock',
          onFailure,
          async () => ({ unlock: await lock(key, ttlMs) }),
          // Nobody wants a lock obtained late, so nobody else should have to wait for its end.
          ({ unlock }) => unlock && release(unlock),
        );
        if (answer === undefined) return undefined;
        const { unlock } = answer;
        return unlock ? { release: () => release(unlock) } : 'held';
      },
    };
  };
}

/** A store is trusted with the token, not with anything it says about it. */
function parseToken(value: unknown, windows: TokenWindows): Token | undefined {
  try {
    const { v, accessToken, expiresAt, lifetimeMs } = asRecord(parseJson(value));
    if (v !== 1 || !isAccessToken(accessToken)) return undefined;
    if (typeof expiresAt !== 'number' || typeof lifetimeMs !== 'number') return undefined;
    if (!(lifetimeMs > 0 && lifetimeMs <= DAY_MS)) return undefined;
    const { wall, monotonic } = now();
    const elapsedMs = lifetimeMs - Math.min(expiresAt - wall, lifetimeMs);
    const issuedAt = { wall: wall - elapsedMs, monotonic: monotonic - elapsedMs };
    return createToken(accessToken, lifetimeMs, issuedAt, windows);
  } catch {
    // Its members throw.
  }
  return undefined;
}
