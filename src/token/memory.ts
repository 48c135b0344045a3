import type { AcquisitionReason } from '../events';
import { msUntil } from './clock';
import { isUsable, type Token } from './token';

/** Memory is what a token source knows of its tokens: the present one, and those that must not be used again. */
export interface Memory {
  token(): Token | undefined;
  /** Why the next token will be needed. */
  nextReason(): AcquisitionReason;
  keep(token: Token): void;
  /** Retires a token that the API refused. */
  readonly refuse: (sent: Token) => void;
  /** Retires the present token, and the stored ones from before that moment (epoch milliseconds). */
  invalidate(at: number): void;
  /** Whether a token from the store is worth having. */
  readonly accepts: (stored: Token) => boolean;
}

/** The token in memory, and why the next one will be needed. */
interface Held {
  readonly token: Token | undefined;
  readonly nextReason: AcquisitionReason;
}

/** A store may return a retired token. Those before the last few have long been overwritten there. */
const MAX_RETIRED = 8;

/** createMemory makes an empty memory. Tokens of a store from before `staleUntil` (epoch milliseconds) count as retired. */
export function createMemory(staleUntil: number): Memory {
  let held: Held = { token: undefined, nextReason: 'first' };
  let retired: readonly string[] = [];

  function retire({ accessToken }: Token): void {
    retired = [...retired.filter((other) => other !== accessToken), accessToken].slice(-MAX_RETIRED);
  }

  return {
    token: () => held.token,
    nextReason: () => held.nextReason,
    keep(token) {
      if (held.token) retire(held.token);
      // A server may issue the same token again. Then it is worth another try.
      retired = retired.filter((accessToken) => accessToken !== token.accessToken);
      held = { token, nextReason: 'expired' };
    },
    refuse(sent) {
      retire(sent);
      if (held.token?.accessToken === sent.accessToken) held = { token: undefined, nextReason: 'refused' };
    },
    invalidate(at) {
      const { token } = held;
      if (token) retire(token);
      // A token that was not in memory may still be in the store.
      if (!token || !isUsable(token)) staleUntil = at;
      held = { token: undefined, nextReason: 'invalidated' };
    },
    accepts(stored) {
      if (retired.includes(stored.accessToken)) return false;
      // If the clock was set back after invalidate(), that moment lies in the future and says nothing about a token's age.
      const issuedAt = stored.expiry.wall - stored.lifetimeMs;
      if (issuedAt <= staleUntil && staleUntil <= Date.now()) return false;
      const { token } = held;
      if (token === undefined) return true;
      return stored.accessToken !== token.accessToken && msUntil(stored.expiry) > msUntil(token.expiry);
    },
  };
}
