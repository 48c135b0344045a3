import { createHash } from 'node:crypto';

import type { Acquire, Acquisition } from './acquisition';
import { isPast, later, now, pause } from './clock';
import type { Prepare } from './minting';
import type { SharedStore } from './shared-store';
import type { Token } from './token';

const MAX_LOCK_MS = 5000;
const MIN_POLL_MS = 50;
const POLL_JITTER_MS = 50;

/** storeKey names a token in a store without telling whose it is. */
export function storeKey(...parts: readonly unknown[]): string {
  return `bipsync-token-${createHash('sha256').update(JSON.stringify(parts)).digest('base64url')}`;
}

/** withoutSharing makes an Acquire of minting alone. */
export function withoutSharing(prepare: Prepare): Acquire {
  return async (acquisition) => (await prepare(acquisition))?.();
}

/**
 * withSharing puts a store around minting: first the store, then under the lock the store again, then the token endpoint,
 * whose token overwrites the stored one.
 *
 * The lock saves token requests, but it never stops a request. Who does not get it looks at the store and tries the lock
 * again every 50 to 100 ms. After the lock's lifetime, the token is requested without it.
 */
export function withSharing(
  prepare: Prepare,
  store: SharedStore,
  key: string,
  tokenTimeoutMs: number,
): Acquire {
  const lockMs = Math.min(MAX_LOCK_MS, tokenTimeoutMs / 2);

  async function read(acquisition: Acquisition): Promise<Token | undefined> {
    const stored = await store.read(key);
    return stored && acquisition.accepts(stored) ? stored : undefined;
  }

  return async (acquisition) => {
    const stored = await read(acquisition);
    if (stored) return stored;
    const mint = await prepare(acquisition);
    if (!mint) return undefined;

    const mintAndWrite = async (release?: () => void): Promise<Token> => {
      let written: Promise<void> | undefined;
      try {
        const token = await mint();
        written = store.write(key, token);
        return token;
      } finally {
        // The request does not wait for the write, but the lock does: the next holder must find the token.
        if (release) void Promise.resolve(written).then(release);
      }
    };

    const until = later(now(), lockMs);
    for (;;) {
      const lock = await store.lock(key, Math.ceil(lockMs));
      if (lock === undefined) return mintAndWrite();
      if (lock !== 'held') {
        const storedMeanwhile = await read(acquisition);
        if (storedMeanwhile === undefined) return mintAndWrite(lock.release);
        lock.release();
        return storedMeanwhile;
      }
      if (!acquisition.isUrgent()) return undefined;
      await pause(MIN_POLL_MS + POLL_JITTER_MS * Math.random());
      const storedByHolder = await read(acquisition);
      if (storedByHolder) return storedByHolder;
      if (isPast(until) || acquisition.deadline.signal.aborted) return mintAndWrite();
    }
  };
}
