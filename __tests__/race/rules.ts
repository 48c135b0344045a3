import type { ApiAnswer, RequestPlan, TokenAnswer } from './scenario';

// The model: what an observer of the network, who knows nothing of the implementation, may demand of it.
//
// The bound on token requests. An acquisition (the token requests that share one abort signal) begins only if its key
//   - has no token, or the latest one is in its refresh window, past its margin or expired on either clock, or
//   - `invalidate()` has been called since the latest token came, or
//   - the API refused the latest token on a first attempt; after n unhelpful replays in a row not within
//     min(2^(n-1) s, 5 min) of the latest, or within 1 s where the API said `invalid_token`;
// it makes at most three token requests, and after a failed one, unless `invalidate()` was called, none follows for
// 30 s (refusal), Retry-After (1 s to 5 min) or min(2^(n-1) s, 30 s) (n failures in a row). A failed refresh, that left
// a token, holds back refreshes alone: once that token is gone, one acquisition may begin at once.

export interface Moment {
  wall: number;
  monotonic: number;
}

/** One token as the server knows it; issued again, it starts anew. */
export interface Issued {
  value: string;
  key: string;
  serial: number;
  sentAt: Moment;
  lifetimeMs: number;
  revoked: boolean;
  /** One that came too late serves those who wait for it and nobody else, whatever the clocks do later. */
  isKept: boolean;
  deliveredIn: number;
  invalidatedIn?: number;
  /** The API's 401 may have cost it its place. */
  mayBeRefused: boolean;
  /** And that 401 came outside a pause. */
  mayBeRenewed: boolean;
  /** The API's 401 must have cost it its place: nothing was there to make the plugin pause. */
  refusedIn?: number;
}

interface Acquisition {
  signal: AbortSignal;
  attempts: number;
  inFlight: boolean;
  succeeded: boolean;
  /** Of the latest attempt. */
  sentAt: Moment;
  /** Monotonic milliseconds. */
  endedAt: number;
  /** It failed beside a token that could still be sent: the next refresh waits, a request in need does not. */
  leftAToken: boolean;
  failure?: Exclude<TokenAnswer, { kind: 'token' }> | { kind: 'timeout' };
}

interface Key {
  latest?: Issued;
  acquisition?: Acquisition;
  /** `invalidate()` since the latest acquisition failed or succeeded. */
  coolDownEnded: boolean;
  invalidations: number;
  failuresInARow: number;
  highestSent: number;
  unhelpful: { inARow: number; at: number; countedIn: number; judged: Set<Issued> };
  sawInvalidToken: boolean;
  /** A new token did not help, or nobody could see whether it did: from now on a 401 need not be followed by another. */
  mayPause: boolean;
}

export interface Call extends RequestPlan {
  id: number;
  key: string;
  /** Whether the plugin has a part in it. */
  hasPlugin: boolean;
  attempts: { token: Issued | undefined; serial: number; answer?: ApiAnswer }[];
  waitsSince: number;
  mustReplayWith?: Issued;
  mustReplay: boolean;
  isCancelled: boolean;
  isSettled: boolean;
}

export type Outcome =
  | { kind: 'response'; status: number; attempt: number }
  | { kind: 'http error'; status: number; attempt: number; causeCode: string | undefined }
  | { kind: 'network error' | 'cancelled' | 'timeout' }
  | { kind: 'auth error'; code: string }
  | { kind: 'other'; what: string };

const REPLAYED = new Set<ApiAnswer | undefined>(['401', '401 invalid_token']);
const SECOND = 1000;
const MARGIN_MS = 30_000;
const WINDOW_MS = 300_000;
const DAY_S = 86_400;

export const marginOf = ({ lifetimeMs }: Issued): number => Math.min(MARGIN_MS, lifetimeMs * 0.05);
/** Its beginning is jittered by up to a fifth. */
export const windowOf = ({ lifetimeMs }: Issued): number => Math.min(WINDOW_MS, lifetimeMs * 0.2);

export function lifetimeMs(expiresIn: number | undefined): number {
  return Math.min(expiresIn ?? 3600, DAY_S) * SECOND;
}

export interface Rules {
  readonly violations: string[];
  readonly trace: string[];
  readonly calls: Call[];
  readonly latestToken: Issued | undefined;
  /** Monotonic milliseconds at which the latest failed acquisition may be followed by another. */
  readonly retryAt: number | undefined;
  /** Every acquisition has ended for certain. */
  readonly isIdle: boolean;
  note(line: string): void;
  began(plan: RequestPlan, hasPlugin: boolean): Call;
  cancelled(call: Call): void;
  settled(call: Call, outcome: Outcome): void;
  /** The error that `call` ended with holds the token it was sent with. */
  shown(call: Call): void;
  tokenRequested(key: string, signal: AbortSignal): void;
  /** Returns the token that the answer holds, if any. */
  tokenAnswered(key: string, answer: TokenAnswer): Issued | undefined;
  apiRequested(call: Call, token: string | undefined): Issued | undefined;
  apiAnswered(call: Call, attempt: number, answer: ApiAnswer): void;
  invalidated(): void;
  revoked(): void;
  /** Everything that could run without time passing has run. */
  quiet(): void;
  /** Nothing is left to happen at all. */
  over(timersLeft: number): void;
}

export function createRules(now: () => Moment): Rules {
  const violations: string[] = [];
  const trace: string[] = [];
  const calls: Call[] = [];
  const keys = new Map<string, Key>();
  const issued = new Map<string, Issued>();
  const startedAt = now();
  let period = 0;
  let isQuiet = true;
  let serial = 0;
  let latestToken: Issued | undefined;
  let latestFailed: Key | undefined;
  /** To be true when all is quiet again. */
  let promises: (() => string | undefined)[] = [];

  const note = (line: string): void => {
    isQuiet = false;
    const { wall, monotonic } = now();
    const skew = wall - startedAt.wall - (monotonic - startedAt.monotonic);
    trace.push(`${Math.round(monotonic - startedAt.monotonic)} ms${skew ? ` (wall ${skew})` : ''}: ${line}`);
  };
  const violate = (rule: string): void => {
    violations.push(rule);
    trace.push(`*** ${rule}`);
  };

  function keyOf(name: string): Key {
    let key = keys.get(name);
    if (!key) {
      key = {
        coolDownEnded: false,
        invalidations: 0,
        failuresInARow: 0,
        highestSent: 0,
        unhelpful: { inARow: 0, at: -Infinity, countedIn: 0, judged: new Set() },
        sawInvalidToken: false,
        mayPause: false,
      };
      keys.set(name, key);
    }
    return key;
  }

  function remainingMs(token: Issued): number {
    const { wall, monotonic } = now();
    const ageMs = Math.max(wall - token.sentAt.wall, monotonic - token.sentAt.monotonic);
    return token.lifetimeMs - ageMs;
  }

  /** Whoever leaves after a 401 does not tell whether another token helps. */
  function leavesUnproven({ key, attempts }: Call): void {
    if (attempts[0]?.answer?.startsWith('401')) keyOf(key).mayPause = true;
  }

  /** New tokens did not help of late. What happens without a pause between may be seen in another order. */
  function isPausing({ unhelpful: { inARow, at, countedIn }, sawInvalidToken }: Key): boolean {
    const pauseMs = sawInvalidToken ? SECOND : Math.min(2 ** (inARow - 1) * SECOND, 300 * SECOND);
    return inARow > 0 && countedIn < period && now().monotonic < at + pauseMs;
  }

  const isUsable = (token: Issued): boolean => remainingMs(token) > marginOf(token);

  /** The token that nothing speaks against. */
  function good(key: Key): Issued | undefined {
    const { latest } = key;
    return latest?.isKept && latest.invalidatedIn === undefined && !latest.mayBeRefused && isUsable(latest)
      ? latest
      : undefined;
  }

  /** The latest token is there for all anybody knows; it may have been refused, or invalidated before it had come. */
  const mayBePresent = ({ latest }: Key): boolean =>
    latest !== undefined &&
    latest.isKept &&
    (latest.invalidatedIn ?? latest.deliveredIn) === latest.deliveredIn &&
    isUsable(latest);

  function coolDownMs(key: Key, failure: NonNullable<Acquisition['failure']>): number {
    if (failure.kind === 'refusal') return 30 * SECOND;
    if (failure.kind === 'unavailable' && failure.retryAfterS !== undefined) {
      return Math.min(Math.max(failure.retryAfterS * SECOND, SECOND), 300 * SECOND);
    }
    return Math.min(2 ** (key.failuresInARow - 1) * SECOND, 30 * SECOND);
  }

  /** When the key may have another acquisition, after a failure that is still held against it. */
  function coolDownEnd(key: Key): number | undefined {
    const { acquisition } = key;
    if (!acquisition?.failure || key.coolDownEnded) return undefined;
    if (acquisition.leftAToken && !good(key)) return undefined;
    return acquisition.endedAt + coolDownMs(key, acquisition.failure);
  }

  const isCoolingDown = (key: Key): boolean =>
    key.acquisition !== undefined && isOver(key.acquisition) && now().monotonic < (coolDownEnd(key) ?? 0);

  function isOver({ failure, attempts, inFlight, succeeded }: Acquisition): boolean {
    if (
      succeeded ||
      failure?.kind === 'refusal' ||
      failure?.kind === 'rubbish' ||
      failure?.kind === 'timeout'
    )
      return true;
    return !inFlight && attempts >= 3;
  }

  function fail(key: Key, acquisition: Acquisition, failure: NonNullable<Acquisition['failure']>): void {
    acquisition.inFlight = false;
    acquisition.failure = failure;
    acquisition.endedAt = now().monotonic;
    acquisition.leftAToken = mayBePresent(key);
    latestFailed = key;
    if (isOver(acquisition)) countFailure(key, acquisition);
  }

  const counted = new Set<Acquisition>();

  function countFailure(key: Key, acquisition: Acquisition): void {
    if (counted.has(acquisition)) return;
    counted.add(acquisition);
    key.coolDownEnded = false;
    if (acquisition.failure?.kind !== 'refusal') key.failuresInARow += 1;
  }

  function beginAcquisition(name: string, key: Key, signal: AbortSignal): void {
    const { acquisition: previous, latest } = key;
    const at = now().monotonic;
    if (previous) {
      if (previous.inFlight) violate(`two token requests in flight for ${name}`);
      // One whose next attempt would come too late is over as well.
      if (previous.failure && !key.coolDownEnded) countFailure(key, previous);
      const end = coolDownEnd(key);
      if (end !== undefined && at < end) {
        violate(`a token request for ${name} ${Math.round(end - at)} ms before its cool-down ends`);
      }
    }
    if (latest?.isKept && latest.invalidatedIn === undefined && remainingMs(latest) > windowOf(latest)) {
      if (!latest.mayBeRefused) violate(`a token request for ${name} although ${latest.value} is good`);
      else if (!latest.mayBeRenewed) {
        violate(`a token request for ${name} forced by a 401 although new tokens do not help`);
      }
    }
    const acquisition: Acquisition = {
      signal,
      attempts: 0,
      inFlight: false,
      succeeded: false,
      sentAt: now(),
      endedAt: 0,
      leftAToken: false,
    };
    key.acquisition = acquisition;
    key.coolDownEnded = false;
    signal.addEventListener('abort', () => {
      if (acquisition.succeeded || counted.has(acquisition)) return;
      note(`acquisition for ${name} timed out`);
      fail(key, acquisition, { kind: 'timeout' });
    });
  }

  function repeat(name: string, { attempts, failure, inFlight, endedAt }: Acquisition): void {
    if (inFlight) violate(`two token requests in flight for ${name}`);
    if (attempts >= 3) violate(`a fourth token request in one acquisition for ${name}`);
    const isPassing = failure?.kind === 'unavailable' || failure?.kind === 'network error';
    if (!isPassing) violate(`a token request for ${name} repeated after ${failure?.kind ?? 'success'}`);
    const retryAfterMs = failure?.kind === 'unavailable' ? (failure.retryAfterS ?? 0) * SECOND : 0;
    const leastMs = Math.max(125 * 2 ** (attempts - 1), retryAfterMs);
    // A millisecond, since timers round.
    if (now().monotonic - endedAt < leastMs - 1) violate(`a token request for ${name} repeated too soon`);
  }

  return {
    violations,
    trace,
    calls,
    note,
    get latestToken() {
      return latestToken;
    },
    get retryAt() {
      return latestFailed && coolDownEnd(latestFailed);
    },
    get isIdle() {
      return [...keys.values()].every(({ acquisition }) => !acquisition || isOver(acquisition));
    },

    began(plan, hasPlugin) {
      const call: Call = {
        ...plan,
        id: calls.length,
        key: plan.team,
        hasPlugin,
        attempts: [],
        waitsSince: period,
        mustReplay: false,
        isCancelled: false,
        isSettled: false,
      };
      calls.push(call);
      const key = keyOf(call.key);
      const wasQuiet = isQuiet;
      note(`request ${call.id} for ${call.key}${hasPlugin ? '' : ', not the plugin’s'}`);
      if (!wasQuiet || !hasPlugin) return call;
      if (good(key)) {
        promises.push(() =>
          call.attempts.length === 0 && !call.isCancelled
            ? `request ${call.id} waits although ${key.latest?.value ?? ''} is good`
            : undefined,
        );
      } else if (isCoolingDown(key) && !mayBePresent(key)) {
        const { invalidations } = key;
        // Ended while the request asks whether the secret has changed, the cool-down lets it go on.
        promises.push(() =>
          call.isSettled || key.invalidations > invalidations
            ? undefined
            : `request ${call.id} sleeps in a cool-down`,
        );
      }
      return call;
    },

    cancelled(call) {
      note(`cancel ${call.id}`);
      call.isCancelled = true;
      leavesUnproven(call);
      promises.push(() => (call.isSettled ? undefined : `request ${call.id} goes on although cancelled`));
    },

    settled(call, outcome) {
      note(`request ${call.id} ends: ${JSON.stringify(outcome)}`);
      if (call.isSettled) violate(`request ${call.id} settles twice`);
      call.isSettled = true;
      if (outcome.kind === 'timeout') leavesUnproven(call);
      const complaint = complaintAbout(call, outcome);
      if (complaint !== undefined) violate(`request ${call.id} ${complaint}`);
    },

    shown({ id, attempts }) {
      const token = attempts.at(-1)?.token;
      // On this clock alone, since one that jumped ahead leaves the token as good as it was.
      if (token && now().monotonic < token.sentAt.monotonic + token.lifetimeMs) {
        violate(`the error of request ${id} shows ${token.value}`);
      }
    },

    tokenRequested(name, signal) {
      const key = keyOf(name);
      note(`token request for ${name}`);
      if (key.acquisition?.signal === signal) repeat(name, key.acquisition);
      else beginAcquisition(name, key, signal);
      const acquisition = key.acquisition!;
      acquisition.attempts += 1;
      acquisition.inFlight = true;
      acquisition.sentAt = now();
    },

    tokenAnswered(name, answer) {
      const key = keyOf(name);
      const acquisition = key.acquisition!;
      note(`token answer for ${name}: ${JSON.stringify(answer)}`);
      if (answer.kind !== 'token') {
        fail(key, acquisition, answer);
        return undefined;
      }
      acquisition.inFlight = false;
      acquisition.succeeded = true;
      delete acquisition.failure;
      key.failuresInARow = 0;
      serial += 1;
      const token: Issued = {
        value: answer.sameAgain && key.latest ? key.latest.value : `${name}-${serial}`,
        key: name,
        serial,
        sentAt: acquisition.sentAt,
        lifetimeMs: lifetimeMs(answer.expiresIn),
        revoked: false,
        isKept: false,
        deliveredIn: period,
        mayBeRefused: false,
        mayBeRenewed: false,
      };
      token.isKept = isUsable(token);
      issued.set(token.value, token);
      key.latest = latestToken = token;
      trace.push(`    it is ${token.value}`);
      return token;
    },

    apiRequested(call, value) {
      const token = value === undefined ? undefined : issued.get(value);
      const { attempts, key: name } = call;
      note(`request ${call.id} sent with ${value ?? 'nothing'}`);
      attempts.push({ token, serial: token?.serial ?? 0 });
      if (call.isCancelled) violate(`request ${call.id} is sent although cancelled`);
      if (attempts.length > (call.oneShotBody ? 1 : 2)) violate(`request ${call.id} is replayed too often`);
      if (!call.hasPlugin) {
        if (value !== undefined) violate(`request ${call.id} takes a token where none may go`);
        return token;
      }
      if (!token || token.key !== name) {
        violate(`request ${call.id} is sent with ${value ?? 'no token'}, which is not of ${name}`);
        return token;
      }
      const key = keyOf(name);
      const { invalidatedIn = Infinity, refusedIn = Infinity, deliveredIn } = token;
      if (deliveredIn < invalidatedIn && invalidatedIn !== Infinity)
        violate(`${token.value} is sent although invalidated`);
      if (period > refusedIn) violate(`${token.value} is sent although refused`);
      if (token.serial < key.highestSent) violate(`${token.value} is sent after a newer token`);
      key.highestSent = Math.max(key.highestSent, token.serial);
      const waitedForIt = call.waitsSince <= deliveredIn && deliveredIn === period;
      if (!isUsable(token) && !waitedForIt) violate(`${token.value} is sent past its margin`);
      if (attempts.length === 2) {
        const { answer } = attempts[0]!;
        if (!REPLAYED.has(answer)) violate(`request ${call.id} is replayed after ${answer ?? 'no answer'}`);
        if (token.serial <= attempts[0]!.serial)
          violate(`request ${call.id} is replayed with a refused token`);
        const expected = call.mustReplayWith;
        if (expected && good(key) === expected && token !== expected) {
          violate(`request ${call.id} is replayed with ${token.value} instead of ${expected.value}`);
        }
      }
      return token;
    },

    apiAnswered(call, attempt, answer) {
      note(`answer to ${call.id}: ${answer}`);
      const { token } = call.attempts[attempt]!;
      call.attempts[attempt]!.answer = answer;
      if (!call.hasPlugin || !token) return;
      const key = keyOf(call.key);
      call.waitsSince = period;
      const { unhelpful } = key;
      const isRefusal = answer.startsWith('401');
      if (attempt === 1) {
        if (isRefusal || answer === 'network error') key.mayPause = true;
        if (!isRefusal) {
          unhelpful.inARow = 0;
          unhelpful.judged.clear();
          return;
        }
        unhelpful.at = now().monotonic;
        unhelpful.countedIn = period;
        if (unhelpful.judged.has(token)) return;
        unhelpful.judged.add(token);
        unhelpful.inARow += 1;
        return;
      }
      if (!isRefusal || answer === '401 insufficient_scope') return;
      if (answer === '401 invalid_token') key.sawInvalidToken = true;
      const { mayPause } = key;
      if (call.oneShotBody) key.mayPause = true;
      const newer = good(key);
      if (newer && newer.value !== token.value && newer.deliveredIn < period) {
        if (!call.oneShotBody) {
          call.mustReplay = true;
          call.mustReplayWith = newer;
          promises.push(() =>
            call.attempts.length === 1 && !call.isCancelled
              ? `request ${call.id} is not replayed although ${newer.value} is good`
              : undefined,
          );
        }
      } else if (key.latest?.value === token.value) {
        key.latest.mayBeRefused = true;
        key.latest.mayBeRenewed ||= !isPausing(key);
        // A 401 that is late may mean an earlier issue of the same token.
        if (!mayPause && call.attempts[0]!.serial === key.latest.serial) {
          key.latest.refusedIn ??= period;
          call.mustReplay = !call.oneShotBody;
        }
      }
    },

    invalidated() {
      note('invalidate');
      for (const key of keys.values()) {
        if (key.latest) key.latest.invalidatedIn ??= period;
        key.coolDownEnded = true;
        key.invalidations += 1;
        key.failuresInARow = 0;
      }
    },

    revoked() {
      note('revoke');
      for (const token of issued.values()) token.revoked = true;
    },

    quiet() {
      for (const promise of promises) {
        const broken = promise();
        if (broken !== undefined) violate(broken);
      }
      promises = [];
      period += 1;
      isQuiet = true;
    },

    over(timersLeft) {
      for (const call of calls) if (!call.isSettled) violate(`request ${call.id} never settles`);
      if (timersLeft > 0) violate(`${timersLeft} timers are left`);
    },
  };
}

/** Every end of a request has to have a reason. */
function complaintAbout(call: Call, outcome: Outcome): string | undefined {
  const last = call.attempts.at(-1);
  switch (outcome.kind) {
    case 'other':
      return `fails in an unknown way: ${outcome.what}`;
    case 'cancelled':
      return call.isCancelled ? undefined : 'ends as cancelled, but nobody cancelled it';
    case 'timeout':
      return call.timeoutMs !== undefined ? undefined : 'times out without a timeout';
    case 'auth error':
      if (!call.hasPlugin) return 'fails for want of a token it does not need';
      return call.attempts.length === 0 ? undefined : 'fails for want of a token although the API answered';
    case 'network error':
      return last?.answer === 'network error' ? undefined : 'fails with a network error that never was';
    case 'response':
    case 'http error': {
      if (last?.answer === undefined || outcome.attempt !== call.attempts.length - 1) {
        return 'ends with an answer that is not its last';
      }
      const mayStop = outcome.kind === 'response' || tokenFailed(outcome.causeCode);
      if (outcome.status === 401 && call.mustReplay && call.attempts.length === 1 && !mayStop) {
        return `surfaces a 401 (cause ${outcome.causeCode ?? 'none'}) instead of trying another token`;
      }
      return undefined;
    }
  }
}

const tokenFailed = (causeCode: string | undefined): boolean =>
  causeCode !== undefined && causeCode !== 'ERR_BIPSYNC_ACCESS_DENIED';
