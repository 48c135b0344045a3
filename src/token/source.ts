import { type BipsyncAuthError, copyError, isBipsyncAuthError } from '../errors';
import type { AcquisitionReason, Emit } from '../events';
import type { TokenScope } from '../options/scopes';
import { type Acquire, type Deadline, startDeadline } from './acquisition';
import { type Instant, isPast, msUntil } from './clock';
import { type CoolDown, createCoolDown, type Failure, repeatFailure } from './cool-down';
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
  /** Resolves to the present token or the next one. Rejects with a BipsyncAuthError of the caller's own. */
  obtain(): Promise<Token>;
  /**
   * Whether `sent` would be used again if it was not refused. A token without a lifetime counts as used again: if it is
   * refused, a new one will not help either.
   */
  isCurrent(sent: Token): boolean;
  /** Whether `authorization` is the header of a token that this source has or had. */
  hasIssued(authorization: unknown): boolean;
  /** Retires a token that the API refused. */
  refuse(sent: Token): void;
  /** Retires everything that was there `at` that moment (epoch milliseconds), and ends the cool-down. */
  invalidate(at: number): void;
  /** Whether nothing would be lost if the source was dropped and made anew. */
  isIdle(): boolean;
}

/** What a source is made of. */
export interface TokenSourceParts {
  readonly scope: TokenScope;
  readonly acquire: Acquire;
  readonly tokenTimeoutMs: number;
  /** The cool-down of all sources of the client, after refused credentials. */
  readonly clientCoolDown: CoolDown;
  readonly emit: Emit;
  /** Tokens of a store from before that moment count as retired. Epoch milliseconds. */
  readonly invalidatedAt: number;
}

/** One acquisition under way. */
interface Flight {
  promise: Promise<Token | undefined>;
  readonly deadline: Instant;
  readonly probes: Failure | undefined;
  /** The client's last failure when it began. */
  readonly lastOfClient: Failure | undefined;
  /** A request waits for it, so it must not give up. */
  isUrgent: boolean;
  /** `invalidate()` came after it began: its token serves those who wait, and is not kept. */
  isOutdated: boolean;
}

/** The token in memory, and why the next one will be needed. */
interface Memory {
  readonly token: Token | undefined;
  readonly nextReason: AcquisitionReason;
}

/** A store may return a retired token. Those before the last few have long been overwritten there. */
const MAX_RETIRED = 8;
const noop = (): void => undefined;

export function createTokenSource(parts: TokenSourceParts): TokenSource {
  const { scope, acquire, tokenTimeoutMs, clientCoolDown, emit } = parts;
  const ownCoolDown = createCoolDown();
  const pauses = createRenewalPauses();
  let memory: Memory = { token: undefined, nextReason: 'first' };
  let flight: Flight | undefined;
  let retired: readonly string[] = [];
  let staleUntil = parts.invalidatedAt;

  function present(): Token | undefined {
    const { token } = memory;
    if (token === undefined) return undefined;
    const remainingMs = msUntil(token.expiry);
    if (!isUsable(token, remainingMs)) return undefined;
    if (isInRefreshWindow(token, remainingMs) && !liveFlight() && !isResting()) {
      start('refresh').promise.catch(noop);
    }
    return token;
  }

  async function obtain(): Promise<Token> {
    for (;;) {
      const usable = present();
      if (usable) return usable;
      const failure = activeFailure();
      if (failure && (liveFlight() || !ownCoolDown.claimProbe())) throw repeatFailure(failure);
      const joined = liveFlight() ?? start(memory.nextReason, failure);
      const wasOutdated = joined.isOutdated;
      joined.isUrgent = true;
      try {
        const token = await joined.promise;
        // A refresh may give up in the moment before it becomes urgent.
        if (token && !wasOutdated) return token;
      } catch (error) {
        if (!wasOutdated) throw isBipsyncAuthError(error) ? ownError(error) : error;
      }
      const unchanged = joined.probes && activeFailure();
      if (unchanged) throw repeatFailure(unchanged);
    }
  }

  const activeFailure = (): Failure | undefined => clientCoolDown.active() ?? ownCoolDown.active();

  /** Each waiter gets an error object of its own, with what is left of the cool-down. */
  function ownError(error: BipsyncAuthError): BipsyncAuthError {
    const failure = activeFailure();
    return copyError(error, failure && { retryAfterMs: Math.max(0, Math.ceil(msUntil(failure.until))) });
  }

  /** A flight that outlived its deadline belongs to a process that was frozen, and is joined by nobody. */
  const liveFlight = (): Flight | undefined => (flight && !isPast(flight.deadline) ? flight : undefined);

  const isResting = (): boolean => ownCoolDown.isResting() || clientCoolDown.isResting();

  function start(reason: AcquisitionReason, probes?: Failure): Flight {
    const deadline = startDeadline(tokenTimeoutMs);
    const started: Flight = {
      promise: Promise.resolve(undefined),
      deadline: deadline.at,
      probes,
      lastOfClient: clientCoolDown.last(),
      isUrgent: false,
      isOutdated: false,
    };
    flight = started;
    started.promise = fly(started, reason, deadline).finally(() => {
      deadline.end();
      if (flight === started) flight = undefined;
    });
    return started;
  }

  async function fly(own: Flight, reason: AcquisitionReason, deadline: Deadline): Promise<Token | undefined> {
    const startedAt = performance.now();
    const acquisition = {
      deadline,
      probes: own.probes,
      isUrgent: () => own.isUrgent,
      accepts: isNews,
      secret: undefined as string | undefined,
    };
    try {
      const token = await Promise.race([acquire(acquisition), deadline.passed]);
      if (token === undefined) {
        if (!own.probes) ownCoolDown.rest();
        return undefined;
      }
      if (flight === own && !own.isOutdated) keep(token);
      const missingScopes = scope.scopes.filter((asked) => !token.scopes.includes(asked));
      emit(scope, {
        type: 'token-acquired',
        reason,
        source: token.origin,
        durationMs: Math.round(performance.now() - startedAt),
        expiresAt: token.expiry.wall,
        missingScopes,
      });
      return token;
    } catch (error) {
      if (flight === own && !own.isOutdated && isBipsyncAuthError(error)) {
        fail(error, reason, own, acquisition.secret);
      }
      throw error;
    }
  }

  /** Whether a token from the store is worth having. */
  function isNews(stored: Token): boolean {
    if (retired.includes(stored.accessToken)) return false;
    // If the clock was set back after invalidate(), that moment lies in the future and says nothing about a token's age.
    const issuedAt = stored.expiry.wall - stored.lifetimeMs;
    if (issuedAt <= staleUntil && staleUntil <= Date.now()) return false;
    const { token } = memory;
    if (token === undefined) return true;
    return stored.accessToken !== token.accessToken && msUntil(stored.expiry) > msUntil(token.expiry);
  }

  function keep(token: Token): void {
    if (memory.token) retire(memory.token);
    // A server may issue the same token again. Then it is worth another try.
    retired = retired.filter((accessToken) => accessToken !== token.accessToken);
    memory = { token, nextReason: 'expired' };
    ownCoolDown.end();
    if (token.origin === 'endpoint') clientCoolDown.end();
  }

  function retire({ accessToken }: Token): void {
    retired = [...retired.filter((other) => other !== accessToken), accessToken].slice(-MAX_RETIRED);
  }

  function fail(
    error: BipsyncAuthError,
    reason: AcquisitionReason,
    { isUrgent, deadline, lastOfClient }: Flight,
    secret: string | undefined,
  ): void {
    const isOfClient = error.code === 'ERR_BIPSYNC_CREDENTIALS' && isUrgent;
    const coolDown = isOfClient ? clientCoolDown : ownCoolDown;
    const previous = isOfClient ? lastOfClient : ownCoolDown.last();
    const retryInMs = coolDown.begin({ error, secret, deadline, previous, isHidden: !isUrgent });
    const { code, message, tokenEndpointStatus } = error;
    emit(scope, {
      type: 'token-failed',
      reason,
      code,
      message,
      ...(tokenEndpointStatus !== undefined && { tokenEndpointStatus }),
      retryInMs,
    });
  }

  return {
    scope,
    pauses,
    present,
    obtain,
    isCurrent: (sent) =>
      memory.token?.accessToken === sent.accessToken && (isUsable(memory.token) || sent.lifetimeMs <= 0),
    hasIssued: (authorization) =>
      authorization === memory.token?.authorization ||
      retired.some((accessToken) => authorization === `Bearer ${accessToken}`),
    refuse(sent) {
      retire(sent);
      if (memory.token?.accessToken === sent.accessToken)
        memory = { token: undefined, nextReason: 'refused' };
    },
    invalidate(at) {
      const { token } = memory;
      if (token) retire(token);
      // A token that was not in memory may still be in the store.
      if (!token || !isUsable(token)) staleUntil = at;
      if (flight) flight.isOutdated = true;
      memory = { token: undefined, nextReason: 'invalidated' };
      ownCoolDown.end();
    },
    isIdle: () => !liveFlight() && !isResting() && !(memory.token && isUsable(memory.token)),
  };
}
