import type { StoreFailedEvent } from '../events';
import type { TokenStore } from '../options/token-store';
import { asRecord, parseJson } from '../values';
import { readScopes } from './answers';
import { isPast, later, now } from './clock';
import {
  createToken,
  isAccessToken,
  isUsable,
  MAX_LIFETIME_MS,
  type Token,
  type TokenWindows,
} from './token';

type Operation = StoreFailedEvent['operation'];
type Reason = StoreFailedEvent['reason'];

type OnStoreFailure = (operation: Operation, reason: Reason) => void;

/** A lock that was obtained, one that another process holds, or `undefined`: no lock is available, continue without it. */
type LockOutcome = { release: () => void } | 'held' | undefined;

/** SharedStore is the token store as a token source uses it: nothing throws, and nothing takes longer than the bound. */
export interface SharedStore {
  read(key: string): Promise<Token | undefined>;
  write(key: string, token: Token): Promise<void>;
  lock(key: string, ttlMs: number): Promise<LockOutcome>;
}

const MAX_CALL_MS = 1000;
/** After a failure the store is left alone for this long, so that requests do not all wait for the bound. */
const REST_MS = 5000;
const MAX_VALUE_LENGTH = 16_384;

/**
 * createSharedStore makes a store of the user's safe to use: it may be slow, down, wrong, full or without a lock. All sources
 * of an installation share the result, so that they leave a failing store alone together.
 */
export function createSharedStore(
  store: TokenStore,
  windows: TokenWindows & { readonly tokenTimeoutMs: number },
): (onFailure: OnStoreFailure, scopes: readonly string[]) => SharedStore {
  // Even if the store is read, locked and polled, and slow at all of that, time is left for the token endpoint.
  const attempt = createAttempt(Math.min(MAX_CALL_MS, windows.tokenTimeoutMs / 10));

  return (onFailure, scopes) => {
    let isUnreadable = false;
    return {
      async read(key) {
        const value = await attempt('get', onFailure, () => store.get(key));
        if (value === undefined || value === null) return undefined;
        const token = parseToken(value, scopes, windows);
        // The store is not left alone for this, because the next token overwrites the value. It is reported once, however
        // often it is read.
        if (token === undefined && !isUnreadable) onFailure('get', 'unreadable');
        isUnreadable = token === undefined;
        return token && isUsable(token) ? token : undefined;
      },

      async write(key, { accessToken, expiry, lifetimeMs, scopes: granted }) {
        const expiresAt = expiry.wall;
        const ttlMs = Math.floor(Math.min(expiresAt - Date.now(), lifetimeMs));
        if (ttlMs <= 0) return;
        const value = JSON.stringify({ v: 1, accessToken, expiresAt, lifetimeMs, scope: granted.join(' ') });
        await attempt('set', onFailure, () => store.set(key, value, ttlMs));
      },

      async lock(key, ttlMs) {
        if (store.lock === undefined) return undefined;
        const lock = store.lock.bind(store);
        // A release is neither bounded nor left out while the store rests: nobody waits for it, but others wait for the lock.
        const release = (unlock: () => Promise<void>): void => {
          new Promise((released) => released(unlock())).catch(() => onFailure('release', 'error'));
        };
        const answer = await attempt(
          'lock',
          onFailure,
          async () => ({ unlock: await lock(key, ttlMs) }),
          // A lock that comes too late helps nobody, so others should not have to wait for its end.
          ({ unlock }) => unlock && release(unlock),
        );
        if (answer === undefined) return undefined;
        const { unlock } = answer;
        return unlock ? { release: () => release(unlock) } : 'held';
      },
    };
  };
}

/** Makes the function that calls a store. A call that fails or takes too long is reported, and resolves to `undefined`. */
function createAttempt(timeoutMs: number) {
  let restUntil = now();

  return <T>(
    operation: Operation,
    onFailure: OnStoreFailure,
    call: () => Promise<T>,
    /** A call that was given up may still end. This gets what it returns then. */
    onLate?: (late: T) => void,
  ): Promise<T | undefined> => {
    if (!isPast(restUntil)) return Promise.resolve(undefined);
    return new Promise<T | undefined>((resolve) => {
      let isGivenUp = false;
      const giveUp = (reason: Reason): void => {
        isGivenUp = true;
        clearTimeout(timer);
        restUntil = later(now(), REST_MS);
        onFailure(operation, reason);
        resolve(undefined);
      };
      const timer = setTimeout(giveUp, timeoutMs, 'time-out');
      // A store may throw before it returns a promise.
      new Promise<T>((started) => started(call())).then(
        (value) => {
          if (isGivenUp) return onLate?.(value);
          clearTimeout(timer);
          resolve(value);
        },
        () => {
          if (!isGivenUp) giveUp('error');
        },
      );
    });
  };
}

/** A store is trusted with the token, but not with what it says about it. */
function parseToken(value: unknown, asked: readonly string[], windows: TokenWindows): Token | undefined {
  if (typeof value === 'string' && value.length > MAX_VALUE_LENGTH) return undefined;
  try {
    const { v, accessToken, expiresAt, lifetimeMs, scope } = asRecord(parseJson(value));
    if (v !== 1 || !isAccessToken(accessToken)) return undefined;
    if (typeof expiresAt !== 'number' || typeof lifetimeMs !== 'number') return undefined;
    if (!(lifetimeMs > 0 && lifetimeMs <= MAX_LIFETIME_MS)) return undefined;
    const at = now();
    const remainingMs = Math.min(expiresAt - at.wall, lifetimeMs);
    if (Number.isNaN(remainingMs)) return undefined;
    const scopes = readScopes(scope) ?? asked;
    const issuedAt = later(at, remainingMs - lifetimeMs);
    return createToken({ accessToken, lifetimeMs, scopes, issuedAt, origin: 'store' }, windows);
  } catch {
    // Its members throw.
    return undefined;
  }
}
