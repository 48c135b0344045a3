import { type BipsyncAuthError, copyError, isBipsyncAuthError } from '../errors';
import type { TokenScope } from '../options/scopes';
import { msUntil } from './clock';
import { createCoolDown, type Failure, msLeft, repeatFailure } from './cool-down';
import { createFlights, type FlightParts } from './flights';
import { createMemory } from './memory';
import { createRenewalPauses, type RenewalPauses } from './renewal-pauses';
import { isInRefreshWindow, isUsable, type Token } from './token';

/**
 * TokenSource decides which token to use now, for one team and one set of scopes.
 *
 * The rules:
 * 1. A usable token is returned at once. In its refresh window, one background refresh runs meanwhile.
 * 2. Without a usable token, everyone waits for the same acquisition.
 * 3. After a failed acquisition, requests fail at once until the cool-down ends. Once a second, one of them looks whether
 *    something has changed.
 * 4. A refused token is retired: it is neither sent again nor taken from a store.
 */
export interface TokenSource {
  readonly scope: TokenScope;
  /** When a 401 may force a renewal. */
  readonly pauses: RenewalPauses;
  /** Returns the present token if it can be sent, and starts a refresh when one is due. Never throws. */
  present(): Token | undefined;
  /**
   * Resolves to the present token or the next one. Rejects with a BipsyncAuthError of the caller's own. Whoever has stopped
   * waiting starts no further acquisition.
   */
  readonly obtain: (isWaiting?: () => boolean) => Promise<Token>;
  /**
   * Whether `sent` would be used again if it was not refused. A token without a lifetime counts as used again: if it is
   * refused, a new one will not help either.
   */
  isCurrent(sent: Token): boolean;
  /** Retires a token that the API refused. */
  refuse(sent: Token): void;
  /** Retires everything that was there `at` that moment (epoch milliseconds), and ends the cool-down. */
  invalidate(at: number): void;
  /** Whether nothing would be lost if the source was dropped and made anew. */
  isIdle(): boolean;
}

/** What a source is made of. */
interface TokenSourceParts extends Omit<FlightParts, 'memory' | 'ownCoolDown'> {
  /** Tokens of a store from before that moment count as retired. Epoch milliseconds. */
  readonly invalidatedAt: number;
}

const noop = (): void => undefined;

export function createTokenSource(parts: TokenSourceParts): TokenSource {
  const { scope, clientCoolDown } = parts;
  const ownCoolDown = createCoolDown();
  const memory = createMemory(parts.invalidatedAt);
  const flights = createFlights({ ...parts, memory, ownCoolDown });

  function present(): Token | undefined {
    const token = memory.token();
    if (token === undefined) return undefined;
    const remainingMs = msUntil(token.expiry);
    if (!isUsable(token, remainingMs)) return undefined;
    if (isInRefreshWindow(token, remainingMs) && !flights.live() && !isResting()) {
      flights.start('refresh').promise.catch(noop);
    }
    return token;
  }

  async function obtain(isWaiting = (): boolean => true): Promise<Token> {
    do {
      const usable = present();
      if (usable) return usable;
      const failure = activeFailure();
      if (failure && (flights.live() || !ownCoolDown.claimProbe())) throw repeatFailure(failure);
      const joined = flights.live() ?? flights.start(memory.nextReason(), failure);
      const wasOutdated = joined.isOutdated;
      joined.isUrgent = true;
      try {
        const token = await joined.promise;
        // There is none if a refresh failed, or gave up in the moment before it became urgent.
        if (token && !wasOutdated) return token;
      } catch (error) {
        if (!wasOutdated) throw isBipsyncAuthError(error) ? ownError(error) : error;
      }
      const unchanged = joined.probes && activeFailure();
      if (unchanged) throw repeatFailure(unchanged);
    } while (isWaiting());
    throw new Error('Nobody waits for this token any more.');
  }

  const activeFailure = (): Failure | undefined => clientCoolDown.active() ?? ownCoolDown.active();

  /** Each waiter gets an error object of its own, with what is left of the cool-down. */
  function ownError(error: BipsyncAuthError): BipsyncAuthError {
    const failure = activeFailure();
    return copyError(error, failure && { retryAfterMs: msLeft(failure) });
  }

  const isResting = (): boolean => ownCoolDown.isResting() || clientCoolDown.isResting();

  return {
    scope,
    pauses: createRenewalPauses(),
    present,
    obtain,
    isCurrent(sent) {
      const token = memory.token();
      return token?.accessToken === sent.accessToken && (isUsable(token) || sent.lifetimeMs <= 0);
    },
    refuse: memory.refuse,
    invalidate(at) {
      memory.invalidate(at);
      flights.outdate();
      ownCoolDown.end();
    },
    isIdle() {
      const token = memory.token();
      return !flights.live() && !isResting() && !(token && isUsable(token));
    },
  };
}
