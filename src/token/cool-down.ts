import { type BipsyncAuthError, copyError } from '../errors';
import { earlierOf, type Instant, isPast, later, msUntil, now } from './clock';

/**
 * CoolDown is the time after a failure in which the token endpoint is left alone.
 *
 * The rules: a refusal, which another try would not change, is followed by 30 s, doubling to 5 min. Any other failure is
 * followed by 1 s, doubling to 30 s, or by the server's `Retry-After` up to 5 min. Once a second one request may look
 * whether something has changed: a new secret, or a token in the store.
 */
export interface CoolDown {
  /** The failure that requests repeat until the cool-down ends. */
  active(): Failure | undefined;
  /** The last failure, unless something ended its cool-down before the time. */
  last(): Failure | undefined;
  /** Whether a background refresh has to wait. No request sees a failed
   * refresh, so this can be true while `active` returns undefined. */
  isResting(): boolean;
  /** Keeps background refreshes waiting for a second, after one that gave up without a failure. */
  rest(): void;
  /** Takes the one look that is allowed each second. */
  claimProbe(): boolean;
  /** Begins a cool-down and returns its length in milliseconds. */
  begin(failed: Failed): number;
  end(): void;
}

interface Failed {
  readonly error: BipsyncAuthError;
  /** The secret that was sent; undefined if it could not even be read. */
  readonly secret: string | undefined;
  /** The last failure of the cool-down when the acquisition began. Only if it is still the last one, the two are in a row. */
  readonly previous: Failure | undefined;
  /** The cool-down begins at this moment at the latest, so that a process that was frozen does not wake up in one. */
  readonly deadline: Instant;
  /** Whether this is the failure of a background refresh that requests do not see. It delays only the next background refresh. */
  readonly isHidden: boolean;
}

export interface Failure extends Failed {
  readonly until: Instant;
  /** How many failures of the same kind came in a row. */
  readonly streak: number;
}

const REFUSAL_MS = 30_000;
const MAX_REFUSAL_MS = 300_000;
const FIRST_MS = 1000;
const MAX_MS = 30_000;
const MAX_RETRY_AFTER_MS = 300_000;
const PROBE_INTERVAL_MS = 1000;

export function createCoolDown(): CoolDown {
  let failure: Failure | undefined;
  let restUntil: Instant | undefined;
  let nextProbe: Instant | undefined;

  const isAhead = (instant: Instant | undefined): boolean => instant !== undefined && !isPast(instant);

  return {
    active: () => (failure && !failure.isHidden && isAhead(failure.until) ? failure : undefined),
    last: () => failure,
    isResting: () => isAhead(restUntil) || isAhead(failure?.until),
    rest() {
      restUntil = later(now(), FIRST_MS);
    },
    claimProbe() {
      if (isAhead(nextProbe)) return false;
      nextProbe = later(now(), PROBE_INTERVAL_MS);
      return true;
    },
    begin(failed) {
      const { error, deadline, previous } = failed;
      const at = earlierOf(now(), deadline);
      const earlier = failure && isRefusal(failure.error) === isRefusal(error) ? failure.streak : 0;
      const streak = earlier > 0 && previous !== failure ? earlier : earlier + 1;
      const lengthMs = coolDownMs(error, streak);
      failure = { ...failed, streak, until: later(at, lengthMs) };
      nextProbe = later(at, PROBE_INTERVAL_MS);
      return lengthMs;
    },
    end() {
      failure = undefined;
      restUntil = undefined;
    },
  };
}

/** isRefusal tells an answer that another try would not change from a failure that may pass. */
export function isRefusal({ code }: BipsyncAuthError): boolean {
  return (
    code === 'ERR_BIPSYNC_CREDENTIALS' ||
    code === 'ERR_BIPSYNC_SCOPE' ||
    code === 'ERR_BIPSYNC_IP_NOT_ALLOWED' ||
    code === 'ERR_BIPSYNC_TOKEN_REQUEST'
  );
}

/** repeatFailure makes the error of a request that fails because of an earlier failure, without a token request. */
export function repeatFailure(failure: Failure): BipsyncAuthError {
  const { error } = failure;
  const retryAfterMs = msLeft(failure);
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  const message = `${error.message} This error is from an earlier attempt. No token was requested this time. The next attempt is possible in ${seconds} s.`;
  return copyError(error, { retryAfterMs }, message);
}

/** msLeft returns the milliseconds until the cool-down of a failure ends. */
export function msLeft({ until }: Failure): number {
  return Math.max(0, Math.ceil(msUntil(until)));
}

function coolDownMs(error: BipsyncAuthError, streak: number): number {
  const doublings = 2 ** (streak - 1);
  if (isRefusal(error)) return Math.min(REFUSAL_MS * doublings, MAX_REFUSAL_MS);
  if (error.retryAfterMs !== undefined) {
    return Math.min(Math.max(error.retryAfterMs, FIRST_MS), MAX_RETRY_AFTER_MS);
  }
  return Math.min(FIRST_MS * doublings, MAX_MS);
}
