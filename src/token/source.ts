import { askAgain, type ClientSecret, type Deadline, mintToken, startDeadline } from './minting';
import type { ResolvedConfig } from '../options/config';
import { type BipsyncAuthError, copyError, isBipsyncAuthError } from '../errors';
import type { AcquisitionReason, Emit } from '../events';
import type { TokenScope } from '../options/scopes';
import { createToken, isInRefreshWindow, isUsable, remainingMs, type Token } from './token';
import { isRefusal, type TokenEndpoint } from './endpoint';
import { type OnStoreFailure, type SharedTokens, storeKey } from './store';
import { pause } from '../request/waiting';

/**
 * TokenSource says which token to use now, for one team and one set of scopes.
 *
 * The rules: a usable token is given at once; in its refresh window one background refresh runs beside it; without one,
 * everybody waits for the same acquisition; after a failed one, requests fail at once until its cool-down ends.
 */
export interface TokenSource {
  readonly scope: TokenScope;
  /** The present token, if it can be sent; starts a refresh when one is due. Never throws. */
  present(): Token | undefined;
  /** The present token, or the next one. Rejects with a BipsyncAuthError of the caller's own. */
  obtain(): Promise<Token>;
  /** Whether only a refusal could make the next request use another token than `accessToken`. */
  isCurrent(accessToken: string): boolean;
  /** Whether `accessToken` came from the store, which cannot know yet that it was revoked. */
  isBorrowed(accessToken: string): boolean;
  /** Gives `accessToken` up: from now on it is neither sent nor taken from a store. */
  refuse(accessToken: string): void;
  /** Gives up what was there `at` that moment, epoch milliseconds, and ends a cool-down. */
  invalidate(at: number): void;
}

/** One acquisition under way. */
interface Flight {
  promise: Promise<Token | undefined>;
  /** Somebody waits for it, so that it may not give up. */
  urgent: boolean;
  /** The error of the cool-down in which it merely asks for another secret or a stored token; nobody else waits for that. */
  coolDown: BipsyncAuthError | undefined;
}

/** What a failed acquisition leaves behind. Times are milliseconds on the monotonic clock. */
interface Failure {
  /** Absent where a usable token was left: as long as there is one, nobody need hear of a failed refresh. */
  error: BipsyncAuthError | undefined;
  retryAt: number;
  /** From when on a secret function and a store may be asked again during a cool-down. */
  probeAt: number;
}

interface Found {
  token: Token;
  source: 'endpoint' | 'store';
}

const REFUSAL_COOL_DOWN_MS = 30_000;
const FIRST_COOL_DOWN_MS = 1000;
const MAX_COOL_DOWN_MS = 30_000;
const MAX_RETRY_AFTER_MS = 300_000;
const PROBE_INTERVAL_MS = 1000;
const MAX_LOCK_MS = 5000;
const MIN_POLL_MS = 50;
const POLL_JITTER_MS = 50;
/** A store may bring back a token that was given up; those before the last few have long been overwritten. */
const MAX_RETIRED = 8;

const noop = (): void => undefined;

/** What the sources of one installation have in common. */
export interface TokenSourceOptions {
  config: ResolvedConfig;
  endpoint: TokenEndpoint;
  clientSecret: ClientSecret;
  /** What other processes share. */
  shared: (onFailure: OnStoreFailure) => SharedTokens;
  emit: Emit;
  /** Told of every token that may be sent. */
  onToken: (token: Token) => void;
}

/** createTokenSource makes the source of the tokens for `scope`; a store's from before `invalidatedAt` are given up. */
export function createTokenSource(
  scope: TokenScope,
  options: TokenSourceOptions,
  invalidatedAt: number,
): TokenSource {
  const { config, endpoint, clientSecret, emit, onToken } = options;
  const shared = options.shared((operation) => emit(scope, { type: 'store-failed', operation }));
  const key = storeKey(config.origin, config.tokenUrl.href, config.clientId, scope.scopes);
  /** Given up: neither sent any more nor taken from a store. */
  let retired: readonly string[] = [];
  let token: Token | undefined;
  let flight: Flight | undefined;
  let failure: Failure | undefined;
  let failures = 0;
  /** Why the next token will be needed. */
  let nextReason: AcquisitionReason = 'first';
  /** The secret of the last token request; none where there was not even one to be had. */
  let triedSecret: string | undefined;
  /** What was invalidated without being held here may still come from the store. Epoch milliseconds. */
  let staleUntil = invalidatedAt;
  let borrowed: string | undefined;

  function present(): Token | undefined {
    if (token === undefined) return undefined;
    const remaining = remainingMs(token);
    if (!isUsable(token, remaining)) return undefined;
    if (isInRefreshWindow(token, remaining) && flight === undefined && !presentCoolDown()) {
      start('refresh').promise.catch(noop);
    }
    return token;
  }

  async function obtain(): Promise<Token> {
    for (;;) {
      const usable = present();
      if (usable) return usable;
      const coolDown = presentCoolDown();
      if (coolDown?.error && (flight || performance.now() < coolDown.probeAt)) throw ownError(coolDown.error);
      const current = flight ?? start(nextReason);
      current.urgent = true;
      const obtained = await current.promise.catch((error: unknown) => {
        throw isBipsyncAuthError(error) ? ownError(error) : error;
      });
      // A refresh may have given up in the moment before it became urgent.
      if (obtained) return obtained;
    }
  }

  function start(reason: AcquisitionReason): Flight {
    const coolDown = presentCoolDown();
    if (coolDown) coolDown.probeAt = performance.now() + PROBE_INTERVAL_MS;
    const started: Flight = { promise: Promise.resolve(undefined), urgent: false, coolDown: coolDown?.error };
    flight = started;
    started.promise = acquire(reason, started).finally(() => (flight = undefined));
    return started;
  }

  async function acquire(reason: AcquisitionReason, own: Flight): Promise<Token | undefined> {
    const startedAt = performance.now();
    const deadline = startDeadline(config.tokenTimeoutMs);
    try {
      const found = await Promise.race([find(own, deadline), deadline.passed]);
      if (found === undefined) {
        failure = { error: undefined, retryAt: performance.now() + FIRST_COOL_DOWN_MS, probeAt: 0 };
        return undefined;
      }
      keep(found.token);
      borrowed = found.source === 'store' ? found.token.accessToken : undefined;
      onToken(found.token);
      const durationMs = Math.round(performance.now() - startedAt);
      emit(scope, {
        type: 'token-acquired',
        reason,
        source: found.source,
        durationMs,
        expiresAt: found.token.expiresAt,
      });
      return found.token;
    } catch (error) {
      if (isBipsyncAuthError(error) && error !== own.coolDown) fail(error, reason);
      throw error;
    } finally {
      deadline.end();
    }
  }

  /** Store, then lock, then the store again, then the token endpoint. Gives up only where nobody waits. */
  async function find(own: Flight, deadline: Deadline): Promise<Found | undefined> {
    const stored = await readStored();
    if (stored) return stored;

    const secret = await readSecret(own.coolDown);
    const lockMs = Math.min(MAX_LOCK_MS, config.tokenTimeoutMs / 2);
    const lock = await shared.lock(key, Math.ceil(lockMs));
    let written: Promise<void> | undefined;
    try {
      if (lock === 'held' && !own.urgent) return undefined;
      const storedMeanwhile =
        lock === 'held' ? await pollStored(lockMs, deadline.signal) : lock && (await readStored());
      if (storedMeanwhile) return storedMeanwhile;

      const { accessToken, lifetimeMs, sentAt } = await mintToken(
        endpoint,
        clientSecret,
        secret,
        scope.scopes,
        deadline,
        (next) => (triedSecret = next),
      );
      const minted = createToken(accessToken, lifetimeMs, sentAt, config);
      written = shared.write(key, minted);
      return { token: minted, source: 'endpoint' };
    } finally {
      // Nobody waits for the write, but the lock does: whoever gets it next shall find the token.
      if (typeof lock === 'object') void Promise.resolve(written).then(lock.release);
    }
  }

  async function readStored(): Promise<Found | undefined> {
    const stored = await shared.read(key);
    if (stored === undefined || retired.includes(stored.accessToken)) return undefined;
    // Nothing is older than a moment that a clock set back has made the future.
    if (stored.expiresAt - stored.lifetimeMs <= staleUntil && staleUntil <= Date.now()) return undefined;
    const isOld =
      token !== undefined &&
      (stored.accessToken === token.accessToken || remainingMs(stored) <= remainingMs(token));
    return isOld ? undefined : { token: stored, source: 'store' };
  }

  async function pollStored(forMs: number, signal: AbortSignal): Promise<Found | undefined> {
    const until = performance.now() + forMs;
    while (performance.now() < until && !signal.aborted && !shared.isResting()) {
      await pause(MIN_POLL_MS + POLL_JITTER_MS * Math.random());
      const stored = await readStored();
      if (stored) return stored;
    }
    return undefined;
  }

  /** During a cool-down only another secret than the one that failed is worth a token request. */
  async function readSecret(coolDown: BipsyncAuthError | undefined): Promise<string> {
    if (coolDown) {
      // Whoever asks now is not to wait for long.
      const patienceMs = Math.min(PROBE_INTERVAL_MS, config.tokenTimeoutMs / 2);
      const secret = await askAgain(clientSecret, triedSecret, patienceMs);
      if (presentCoolDown()?.error === coolDown) {
        if (secret === undefined || secret === triedSecret) throw coolDown;
        return secret;
      }
    }
    triedSecret = undefined;
    return await clientSecret();
  }

  function keep(next: Token): void {
    if (token) retire(token.accessToken);
    // A server may give the same token again; then it is worth another try.
    retired = retiredBut(next.accessToken);
    // One that is not usable even now still serves those who wait for it.
    token = isUsable(next) ? next : undefined;
    nextReason = 'expired';
    failure = undefined;
    failures = 0;
  }

  function retire(accessToken: string): void {
    retired = [...retiredBut(accessToken), accessToken].slice(-MAX_RETIRED);
  }

  const retiredBut = (accessToken: string): string[] => retired.filter((other) => other !== accessToken);

  function fail(error: BipsyncAuthError, reason: AcquisitionReason): void {
    const retryMs = coolDownMs(error);
    const isHidden = token !== undefined && isUsable(token);
    const at = performance.now();
    failure = { error: isHidden ? undefined : error, retryAt: at + retryMs, probeAt: at + PROBE_INTERVAL_MS };
    emit(scope, { type: 'token-failed', reason, code: error.code, retryInMs: retryMs });
  }

  function coolDownMs(error: BipsyncAuthError): number {
    if (isRefusal(error)) return REFUSAL_COOL_DOWN_MS;
    failures += 1;
    if (error.retryAfterMs !== undefined) {
      return Math.min(Math.max(error.retryAfterMs, FIRST_COOL_DOWN_MS), MAX_RETRY_AFTER_MS);
    }
    return Math.min(FIRST_COOL_DOWN_MS * 2 ** (failures - 1), MAX_COOL_DOWN_MS);
  }

  const presentCoolDown = (): Failure | undefined =>
    failure && performance.now() < failure.retryAt ? failure : undefined;

  function ownError(error: BipsyncAuthError): BipsyncAuthError {
    const retryAfterMs = failure && Math.max(0, Math.ceil(failure.retryAt - performance.now()));
    return copyError(error, { retryAfterMs });
  }

  return {
    scope,
    present,
    obtain,
    isCurrent(accessToken) {
      if (token) return token.accessToken === accessToken && isUsable(token);
      return !retired.includes(accessToken);
    },
    isBorrowed: (accessToken) => accessToken === borrowed,
    refuse(accessToken) {
      retire(accessToken);
      if (token?.accessToken !== accessToken) return;
      token = undefined;
      nextReason = 'refused';
    },
    invalidate(at) {
      if (token) retire(token.accessToken);
      if (!token || !isUsable(token)) staleUntil = at;
      token = undefined;
      nextReason = 'invalidated';
      failure = undefined;
      failures = 0;
    },
  };
}
