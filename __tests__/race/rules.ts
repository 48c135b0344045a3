import type { ApiAnswer, RequestPlan, TokenAnswer } from './scenario';

// The model: what an observer of the network, who knows nothing of the implementation, may demand of it. What such an
// observer cannot know for certain is demanded of nobody.
//
// The bound on token requests. An acquisition (the token requests that share one abort signal) begins only if somebody
// waits for it or its key's token is in the refresh window, and only if its key
//   - has no token, or the latest one is in its refresh window, past its margin or expired on either clock, or
//   - `invalidate()` has been called since the latest token came, or
//   - the API refused the latest token; but not while that resource pauses: if a replay with a new token was refused too,
//     it pauses for min(2^(n-1) s, 5 min) after n such renewals in a row. After five resources in a row, all of them pause.
// It begins while another one of the key is under way only if that one is past its deadline on either clock. It makes at most
// three token requests. After a failed one, none follows for min(2^(n-1) * 30 s, 5 min) (n refusals in a row), Retry-After
// (1 s to 5 min) or min(2^(n-1) s, 30 s) (n failures in a row), on the clock that gets there first. Refused credentials hold
// back all keys. `invalidate()` and a success end that; and what an acquisition comes to that was under way at an
// `invalidate()` says nothing about those that follow. A failed refresh holds back refreshes alone, and no request fails
// because of it, unless it was refused while a request waited for it.

export interface Moment {
  wall: number;
  monotonic: number;
}

/** One token as the server knows it; issued again, it starts anew. */
export interface Issued {
  value: string;
  /** Whether an earlier answer had the same value. */
  isAgain: boolean;
  key: string;
  serial: number;
  sentAt: Moment;
  lifetimeMs: number;
  revoked: boolean;
  /** Only those who waited before this event may use it: it was fetched by an acquisition that nobody could join any more. */
  closedAt: number | undefined;
  /** It may be that it was not kept. */
  isDoubtful: boolean;
  deliveredIn: number;
  invalidatedIn?: number;
  /** The API's 401 may have cost it its place. */
  mayBeRefused: boolean;
  /** And that 401 came outside a pause. */
  mayBeRenewed: boolean;
  /** The API's 401 must have cost it its place: nothing was there to make the plugin pause. */
  refusedIn?: number;
  /** Whose first attempts it was refused to. */
  refusedTo: Call[];
}

type Failure = Exclude<TokenAnswer, { kind: 'token' }> | { kind: 'timeout' };

interface Acquisition {
  key: string;
  attempts: number;
  inFlight: boolean;
  /** Whether it has ended; after an answer that may or may not be the last, nobody knows until something else happens. */
  isOver: boolean | 'maybe';
  /** Of the latest attempt. */
  sentAt: Moment;
  deadline: Moment;
  /** The event after which nobody could join it: `invalidate()`, or the next acquisition, since it was past its deadline. */
  closedAt?: number;
  /**
   * Nobody knows whether what it comes to counts: it began in the turn of an `invalidate()`, or is past its deadline, so that
   * another may have taken its place unseen.
   */
  isDoubtful: boolean;
  began: { event: number; period: number };
  failure?: Failure;
  failedAt: Moment;
  failedIn: { event: number; period: number };
  /** Its failure waits to be counted until it is clear who waited for it. */
  isPending: boolean;
  /** A request waited for it for certain. */
  isWanted: boolean;
  /** The key had a good token all the time, so that no request can have waited for it. */
  isForNobody: boolean;
  /** It began as a refresh. */
  isRefresh: boolean | 'maybe';
}

/** What failures of one key leave behind, or refused credentials for all keys. */
interface CoolDown {
  /** How many failures of a kind there were in a row, at least and at most. */
  streak: { isRefusal: boolean | undefined; least: number; most: number };
  until: Moment | undefined;
  /** Requests get to know of it for certain. */
  isShown: boolean;
  countedIn: number;
  /** The last failure: its event, and the period of that. */
  failed: { event: number; period: number };
}

/** A failure that requests may show. */
interface Told {
  code: string;
  /** `undefined`: all keys. */
  key: string | undefined;
  event: number;
  acquisition: Acquisition;
  until: Moment;
  endedIn?: number;
}

/** The pause of a resource, or of all of a key's: the one that is certain, and the longest that could be. */
interface Pause {
  inARow: number;
  until: Moment | undefined;
  countedIn: number;
  mayHaveBegun: number;
  /** The ends of the pauses that may run. After a jump of the wall clock, the one that began last need not end last. */
  mayLastUntil: Moment[];
  refusedIn: number;
  /** A renewal ended without a replay that shows what it was worth. */
  isUndecided: boolean;
}

interface Key {
  latest?: Issued;
  acquisition?: Acquisition;
  coolDown: CoolDown;
  highestSent: number;
  pauses: Map<string, Pause>;
  unhelped: Set<string>;
  mayBeUnhelped: Set<string>;
  ofAll: Pause;
  /** Calls of `getToken` that wait. */
  waiting: number;
  wantedIn: number;
}

export interface Call extends RequestPlan {
  id: number;
  key: string;
  pausesWith: string;
  /** Whether the plugin has a part in it. */
  hasPlugin: boolean;
  attempts: { token: Issued | undefined; serial: number; answer?: ApiAnswer; answeredIn?: number }[];
  waitsSince: number;
  /** The event, and the moment, since which it has needed a token. */
  needs: { event: number; at: Moment };
  /** Its 401 was the only one that can have forced a renewal. */
  forcedRenewal: boolean;
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
const DEADLINE_MS = 10_000;
const MAX_UNHELPED = 5;
const CODES = { 400: 'ERR_BIPSYNC_SCOPE', 401: 'ERR_BIPSYNC_CREDENTIALS', 403: 'ERR_BIPSYNC_IP_NOT_ALLOWED' };

export const marginOf = ({ lifetimeMs }: Issued): number => Math.min(MARGIN_MS, lifetimeMs * 0.05);
/** Its beginning is jittered by up to a fifth. */
export const windowOf = ({ lifetimeMs }: Issued): number => Math.min(WINDOW_MS, lifetimeMs * 0.2);

export function lifetimeMs(expiresIn: number | undefined): number {
  return Math.min(expiresIn ?? 3600, DAY_S) * SECOND;
}

const later = ({ wall, monotonic }: Moment, ms: number): Moment => ({
  wall: wall + ms,
  monotonic: monotonic + ms,
});
const earlier = (one: Moment, other: Moment): Moment => ({
  wall: Math.min(one.wall, other.wall),
  monotonic: Math.min(one.monotonic, other.monotonic),
});
const msBetween = (from: Moment, to: Moment): number =>
  Math.min(to.wall - from.wall, to.monotonic - from.monotonic);

const doubled = (firstMs: number, times: number, mostMs: number): number =>
  Math.min(2 ** Math.max(0, times - 1) * firstMs, mostMs);
const pauseMs = (inARow: number): number => doubled(SECOND, inARow, 300 * SECOND);

const newStreak = (): CoolDown['streak'] => ({ isRefusal: undefined, least: 0, most: 0 });
const newCoolDown = (): CoolDown => ({
  streak: newStreak(),
  until: undefined,
  isShown: false,
  countedIn: 0,
  failed: { event: -1, period: -1 },
});
const newPause = (): Pause => ({
  inARow: 0,
  until: undefined,
  countedIn: 0,
  mayHaveBegun: 0,
  mayLastUntil: [],
  refusedIn: -1,
  isUndecided: false,
});

function codeOf(failure: Failure): string {
  if (failure.kind === 'refusal') return CODES[failure.status];
  return failure.kind === 'rubbish' ? 'ERR_BIPSYNC_TOKEN_RESPONSE' : 'ERR_BIPSYNC_TOKEN_UNAVAILABLE';
}

function coolDownMs(failure: Failure, inARow: number): number {
  if (failure.kind === 'refusal') return doubled(30 * SECOND, inARow, 300 * SECOND);
  if (failure.kind === 'unavailable' && failure.retryAfterS !== undefined) {
    return Math.min(Math.max(failure.retryAfterS * SECOND, SECOND), 300 * SECOND);
  }
  return doubled(SECOND, inARow, 30 * SECOND);
}

/** Reading or writing, and the first two segments of the path. The origin is the same for all that get a token. */
const resourceOf = ({ method, path }: RequestPlan): string =>
  [method === 'get' ? 'read' : 'write', ...path.split('/').slice(1, 3)].join(' ');

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
  /** Somebody calls `getToken`; the function returned is to be called when that has ended. */
  tokenWanted(key: string): () => void;
  tokenRequested(key: string, signal: AbortSignal): void;
  /** Returns the token that the answer holds, if any. */
  tokenAnswered(key: string, signal: AbortSignal, answer: TokenAnswer): Issued | undefined;
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
  const acquisitions = new Map<AbortSignal, Acquisition>();
  const issued = new Map<string, Issued>();
  const client = newCoolDown();
  const told: Told[] = [];
  const startedAt = now();
  let period = 0;
  let event = 0;
  let isQuiet = true;
  let serial = 0;
  let latestToken: Issued | undefined;
  let latestFailed: CoolDown | undefined;
  let clientEndedIn = -1;
  let invalidatedIn = -1;
  /** To be true when all is quiet again. */
  let promises: (() => string | undefined)[] = [];
  /** To be done when all is quiet again. */
  let tasks: (() => void)[] = [];

  const note = (line: string): void => {
    isQuiet = false;
    event += 1;
    const { wall, monotonic } = now();
    const skew = wall - startedAt.wall - (monotonic - startedAt.monotonic);
    trace.push(`${Math.round(monotonic - startedAt.monotonic)} ms${skew ? ` (wall ${skew})` : ''}: ${line}`);
    for (const key of keys.values()) {
      const { acquisition } = key;
      if (!acquisition || (acquisition.isOver === true && !acquisition.isPending)) continue;
      if (!good(key)) acquisition.isForNobody = false;
      if (!isAhead(acquisition.deadline)) acquisition.isDoubtful = true;
    }
  };
  const violate = (rule: string): void => {
    violations.push(rule);
    trace.push(`*** ${rule}`);
  };

  const isAhead = (moment: Moment | undefined): boolean =>
    moment !== undefined && msBetween(now(), moment) > 0;

  function keyOf(name: string): Key {
    let key = keys.get(name);
    if (!key) {
      key = {
        coolDown: newCoolDown(),
        highestSent: 0,
        pauses: new Map(),
        unhelped: new Set(),
        mayBeUnhelped: new Set(),
        ofAll: newPause(),
        waiting: 0,
        wantedIn: -1,
      };
      keys.set(name, key);
    }
    return key;
  }

  function remainingMs(token: Issued): number {
    return msBetween(now(), later(token.sentAt, token.lifetimeMs));
  }

  const isUsable = (token: Issued): boolean => remainingMs(token) > marginOf(token);

  /** The token that nothing speaks against. */
  function good(key: Key): Issued | undefined {
    const { latest } = key;
    return latest && mayBePresent(key) && !latest.mayBeRefused ? latest : undefined;
  }

  /** The latest token is there for all anybody knows; it may have been refused. */
  const mayBePresent = ({ latest }: Key): boolean =>
    latest !== undefined && latest.invalidatedIn === undefined && isUsable(latest);

  /** Whether the token is in its refresh window, for all anybody knows. */
  const mayBeDue = (key: Key): boolean =>
    key.latest !== undefined && mayBePresent(key) && remainingMs(key.latest) <= windowOf(key.latest);

  const needsToken = ({ hasPlugin, attempts, isSettled, isCancelled }: Call): boolean =>
    hasPlugin &&
    !isSettled &&
    !isCancelled &&
    (attempts.length === 0 || attempts.at(-1)?.answer !== undefined);

  // Pauses

  function pauseOf(key: Key, resource: string): Pause {
    let pause = key.pauses.get(resource);
    if (!pause) key.pauses.set(resource, (pause = newPause()));
    return pause;
  }

  /** New tokens did not help of late. What happens without a pause between may be seen in another order. */
  function isPausing(key: Key, resource: string): boolean {
    return [pauseOf(key, resource), key.ofAll].some(
      ({ until, countedIn }) => isAhead(until) && countedIn < period,
    );
  }

  const mayPause = (key: Key, resource: string): boolean =>
    [...pauseOf(key, resource).mayLastUntil, ...key.ofAll.mayLastUntil].some(isAhead);

  function mayForceRenewal(key: Key, resource: string): void {
    const pause = pauseOf(key, resource);
    pause.refusedIn = period;
    key.mayBeUnhelped.add(resource);
    const paused = key.mayBeUnhelped.size >= MAX_UNHELPED ? [pause, key.ofAll] : [pause];
    for (const each of paused) {
      each.mayHaveBegun += 1;
      each.mayLastUntil.push(later(now(), pauseMs(each.mayHaveBegun)));
    }
  }

  /** A replay was refused too, for all anybody knows with a new token. */
  function mayNotHelp(key: Key, resource: string): void {
    const pause = pauseOf(key, resource);
    pause.refusedIn = period;
    for (const each of [pause, key.ofAll]) {
      if (each === pause || each.mayHaveBegun > 0) {
        each.mayLastUntil.push(later(now(), pauseMs(each.mayHaveBegun)));
      }
    }
  }

  /** A replay with a new token was refused too. */
  function didNotHelp(key: Key, { pausesWith, forcedRenewal }: Call): void {
    const pause = pauseOf(key, pausesWith);
    pause.isUndecided = false;
    if (forcedRenewal) {
      pause.inARow += 1;
      key.unhelped.add(pausesWith);
      if (key.unhelped.size >= MAX_UNHELPED) key.ofAll.inARow += 1;
    }
    for (const each of [pause, key.ofAll]) {
      if (each === pause || each.inARow > 0) {
        each.until = later(now(), pauseMs(each.inARow));
        each.countedIn = period;
      }
    }
  }

  function helped(key: Key, resource: string): void {
    for (const pause of [pauseOf(key, resource), key.ofAll]) {
      pause.inARow = 0;
      pause.until = undefined;
    }
    pauseOf(key, resource).isUndecided = false;
    key.unhelped.clear();
  }

  /** The replay of the request that forced a renewal was accepted: unless others are under way, nothing pauses any more. */
  function mayNotPause(name: string, resource: string): void {
    const key = keyOf(name);
    const isOpen = (call: Call): boolean =>
      call.key === name && !call.isSettled && call.attempts[0]?.answer?.startsWith('401') === true;
    const isLate = (pause: Pause): boolean => pause.refusedIn === period;
    if (calls.some(isOpen) || [...key.pauses.values()].some(isLate)) return;
    key.pauses.set(resource, newPause());
    key.mayBeUnhelped.clear();
    key.ofAll = newPause();
  }

  /** Whoever leaves after a 401 does not tell whether another token helps. */
  function leavesUndecided({ key, pausesWith, attempts }: Call): void {
    if (attempts[0]?.answer?.startsWith('401')) pauseOf(keyOf(key), pausesWith).isUndecided = true;
  }

  // Acquisitions and their failures

  function fail(name: string, acquisition: Acquisition, failure: Failure): void {
    acquisition.inFlight = false;
    acquisition.failure = failure;
    acquisition.failedAt = now();
    acquisition.failedIn = { event, period };
    acquisition.isOver = isOverAfter(acquisition, failure);
    if (acquisition.isOver === true) conclude(name, acquisition);
    else if (acquisition.isOver === 'maybe') tell(name, acquisition, keyOf(name).coolDown);
  }

  /** Another attempt is made only if it comes before the deadline. */
  function isOverAfter({ attempts, deadline }: Acquisition, failure: Failure): boolean | 'maybe' {
    if (failure.kind !== 'unavailable' && failure.kind !== 'network error') return true;
    if (attempts >= 3) return true;
    const leftMs = msBetween(now(), deadline);
    if (leastDelayMs(failure, attempts) >= leftMs) return true;
    return leastDelayMs(failure, attempts + 1) >= leftMs ? 'maybe' : false;
  }

  function leastDelayMs(failure: Failure, attempts: number): number {
    const retryAfterMs = failure.kind === 'unavailable' ? (failure.retryAfterS ?? 0) * SECOND : 0;
    return Math.max(125 * 2 ** (attempts - 1), retryAfterMs);
  }

  /** Who waited for it is clear when all is quiet. */
  function conclude(name: string, acquisition: Acquisition): void {
    acquisition.isOver = true;
    acquisition.isPending = true;
    const { coolDown } = keyOf(name);
    tell(name, acquisition, coolDown);
    if (isRefusedCredentials(acquisition)) tell(name, acquisition, client);
    tasks.push(() => countFailure(name, acquisition));
  }

  const isRefused = ({ failure }: Acquisition): boolean => failure?.kind === 'refusal';

  const isRefusedCredentials = ({ failure }: Acquisition): boolean =>
    failure?.kind === 'refusal' && failure.status === 401;

  /** Returns the cool-down that the failure begins, if that is clear. */
  function countFailure(name: string, acquisition: Acquisition): CoolDown | undefined {
    if (!acquisition.isPending) return undefined;
    acquisition.isPending = false;
    if (acquisition.closedAt !== undefined) return undefined;
    const own = keyOf(name).coolDown;
    const isOfClient = isRefusedCredentials(acquisition) && !acquisition.isForNobody;
    const isUnclear = isOfClient && (!acquisition.isWanted || clientEndedIn === period);
    if (isUnclear || acquisition.isDoubtful) {
      doubt(own);
      if (isOfClient) doubt(client);
      return undefined;
    }
    const coolDown = isOfClient ? client : own;
    count(coolDown, acquisition);
    for (const failure of told) {
      if (failure.acquisition === acquisition) {
        failure.until = coolDownEnd(acquisition, coolDown.streak.most);
      }
    }
    coolDown.until = coolDownEnd(acquisition, coolDown.streak.least);
    coolDown.isShown = acquisition.isWanted && (acquisition.isRefresh === false || isRefused(acquisition));
    coolDown.countedIn = period;
    latestFailed = coolDown;
    return coolDown;
  }

  /** What was under way when another one failed is not one more in a row. In the same period nobody knows which came first. */
  function count({ streak, failed }: CoolDown, { failure, began, failedIn }: Acquisition): void {
    const isRefusal = failure!.kind === 'refusal';
    const isSame = streak.isRefusal === isRefusal;
    const least = isSame ? streak.least : 0;
    const most = isSame || streak.isRefusal === undefined ? streak.most : 0;
    streak.least = Math.max(1, began.period > failed.period ? least + 1 : least);
    streak.most = Math.max(1, began.event < failed.event ? most : most + 1);
    streak.isRefusal = isRefusal;
    Object.assign(failed, failedIn);
  }

  /** Perhaps there was a failure that counts. */
  function doubt(coolDown: CoolDown): void {
    coolDown.streak = { isRefusal: undefined, least: 0, most: coolDown.streak.most + 1 };
    coolDown.until = undefined;
  }

  const coolDownEnd = ({ failure, failedAt, deadline }: Acquisition, inARow: number): Moment =>
    later(earlier(failedAt, deadline), coolDownMs(failure!, inARow));

  function tell(name: string, acquisition: Acquisition, coolDown: CoolDown): void {
    told.push({
      code: codeOf(acquisition.failure!),
      key: coolDown === client ? undefined : name,
      event,
      acquisition,
      until: coolDownEnd(acquisition, coolDown.streak.most + 1),
    });
  }

  function endCoolDown(coolDown: CoolDown, name: string | undefined): void {
    coolDown.streak = newStreak();
    coolDown.until = undefined;
    coolDown.failed = { event: -1, period: -1 };
    for (const failure of told) {
      if (failure.key === name && !failure.acquisition.isPending) failure.endedIn ??= period;
    }
    if (coolDown === client) clientEndedIn = period;
  }

  /** Whether something that failed explains that this request fails with this code. */
  function isExplained({ key, needs, waitsSince }: Call, code: string): boolean {
    return told.some(({ acquisition, endedIn = Infinity, until, ...failure }) => {
      if (failure.code !== code || acquisition.isForNobody) return false;
      if (acquisition.isRefresh === true && !isRefused(acquisition)) return false;
      if (failure.key !== undefined && failure.key !== key) return false;
      if (needs.event >= (acquisition.closedAt ?? Infinity)) return false;
      return failure.event >= needs.event || (waitsSince <= endedIn && msBetween(needs.at, until) > 0);
    });
  }

  const isCoolingDown = (key: Key): boolean =>
    [key.coolDown, client].some(({ until, isShown }) => isShown && isAhead(until));

  function beginAcquisition(name: string, key: Key, signal: AbortSignal): void {
    const { acquisition: previous, latest } = key;
    // Of the key's own failure, unlike one of another key, it is clear that it came first.
    const begun = previous && countFailure(name, previous);
    if (previous && previous.isOver !== true) {
      const isOutlived = !isAhead(previous.deadline);
      if (isOutlived) {
        // Nobody knows whether its failure was seen before the next acquisition began.
        if (previous.isOver === 'maybe') doubt(key.coolDown);
        previous.closedAt ??= event;
      } else if (previous.isOver === 'maybe') {
        conclude(name, previous);
        countFailure(name, previous);
      } else {
        violate(`a token request for ${name} while another acquisition is under way`);
      }
    }
    for (const coolDown of [key.coolDown, client]) {
      const { until, isShown, countedIn } = coolDown;
      const isKnown = countedIn < period || coolDown === begun;
      if (isAhead(until) && isKnown && (isShown || good(key))) {
        violate(
          `a token request for ${name} ${Math.round(msBetween(now(), until!))} ms before its cool-down ends`,
        );
      }
    }
    if (!isNeeded(name, key)) violate(`a token request for ${name} that nobody needs`);
    if (latest && latest.invalidatedIn === undefined && remainingMs(latest) > windowOf(latest)) {
      if (!latest.mayBeRefused) violate(`a token request for ${name} although ${latest.value} is good`);
      else if (!latest.mayBeRenewed) {
        violate(`a token request for ${name} forced by a 401 although new tokens do not help`);
      }
    }
    const acquisition: Acquisition = {
      key: name,
      attempts: 0,
      inFlight: false,
      isOver: false,
      sentAt: now(),
      deadline: later(now(), DEADLINE_MS),
      isDoubtful: invalidatedIn === period,
      began: { event, period },
      failedAt: now(),
      failedIn: { event, period },
      isPending: false,
      isWanted: !mayBePresent(key),
      isForNobody: good(key) !== undefined,
      isRefresh: good(key) ? true : mayBeDue(key) && 'maybe',
    };
    key.acquisition = acquisition;
    acquisitions.set(signal, acquisition);
    signal.addEventListener('abort', () => {
      if (acquisition.isOver === true) return;
      note(`acquisition for ${name} timed out`);
      fail(name, acquisition, { kind: 'timeout' });
    });
  }

  /** A request waits, or used the key a moment ago; or one that has gone waited for an acquisition that it could not use. */
  function isNeeded(name: string, { waiting, wantedIn }: Key): boolean {
    const mayBeGone = [...acquisitions.values()].some(
      ({ key, closedAt, isDoubtful, isRefresh, failure }) =>
        key === name &&
        (isDoubtful || closedAt !== undefined || (isRefresh !== false && failure !== undefined)),
    );
    const isWaiting = waiting > 0 || calls.some((call) => call.key === name && needsToken(call));
    return isWaiting || wantedIn === period || mayBeGone;
  }

  function repeat(name: string, { attempts, failure, isOver, inFlight, failedAt }: Acquisition): void {
    if (inFlight) violate(`two token requests in flight for ${name}`);
    if (isOver === true) violate(`a token request for ${name} repeated after ${failure?.kind ?? 'success'}`);
    // A millisecond, since timers round.
    else if (failure && now().monotonic - failedAt.monotonic < leastDelayMs(failure, attempts) - 1) {
      violate(`a token request for ${name} repeated too soon`);
    }
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
      return latestFailed?.until?.monotonic;
    },
    get isIdle() {
      return [...acquisitions.values()].every(({ isOver }) => isOver === true);
    },

    began(plan, hasPlugin) {
      const call: Call = {
        ...plan,
        id: calls.length,
        key: plan.team,
        pausesWith: resourceOf(plan),
        hasPlugin,
        attempts: [],
        waitsSince: period,
        needs: { event, at: now() },
        forcedRenewal: false,
        mustReplay: false,
        isCancelled: false,
        isSettled: false,
      };
      calls.push(call);
      const key = keyOf(call.key);
      const wasQuiet = isQuiet;
      note(
        `request ${call.id} for ${call.key}, ${call.method} ${call.path}${hasPlugin ? '' : ', not the plugin’s'}`,
      );
      if (!hasPlugin) return call;
      key.wantedIn = period;
      if (!wasQuiet) return call;
      const { acquisition } = key;
      if (good(key)) {
        promises.push(() =>
          call.attempts.length === 0 && !call.isCancelled
            ? `request ${call.id} waits although ${key.latest?.value ?? ''} is good`
            : undefined,
        );
      } else if (isCoolingDown(key) && !mayBePresent(key)) {
        // Ended while the request asks whether the secret has changed, the cool-down lets it go on.
        promises.push(() =>
          call.isSettled || told.some(({ endedIn }) => endedIn === period)
            ? undefined
            : `request ${call.id} sleeps in a cool-down`,
        );
      } else if (acquisition?.inFlight && !isAhead(acquisition.deadline) && !mayBePresent(key)) {
        promises.push(() =>
          call.isSettled || key.acquisition !== acquisition || !acquisition.inFlight
            ? undefined
            : `request ${call.id} waits for an acquisition that is past its deadline`,
        );
      }
      return call;
    },

    cancelled(call) {
      note(`cancel ${call.id}`);
      call.isCancelled = true;
      leavesUndecided(call);
      promises.push(() => (call.isSettled ? undefined : `request ${call.id} goes on although cancelled`));
    },

    settled(call, outcome) {
      note(`request ${call.id} ends: ${JSON.stringify(outcome)}`);
      if (call.isSettled) violate(`request ${call.id} settles twice`);
      call.isSettled = true;
      if (call.attempts[1]?.answer === undefined || outcome.kind === 'network error') leavesUndecided(call);
      const complaint = complaintAbout(call, outcome, isExplained);
      if (complaint !== undefined) violate(`request ${call.id} ${complaint}`);
    },

    shown({ id, attempts }) {
      const token = attempts.at(-1)?.token;
      // On this clock alone, since one that jumped ahead leaves the token as good as it was.
      if (token && now().monotonic < token.sentAt.monotonic + token.lifetimeMs) {
        violate(`the error of request ${id} shows ${token.value}`);
      }
    },

    tokenWanted(name) {
      note(`get token for ${name}`);
      const key = keyOf(name);
      key.waiting += 1;
      key.wantedIn = period;
      return () => (key.waiting -= 1);
    },

    tokenRequested(name, signal) {
      const key = keyOf(name);
      note(`token request for ${name}`);
      const known = acquisitions.get(signal);
      if (known) repeat(name, known);
      else beginAcquisition(name, key, signal);
      const acquisition = acquisitions.get(signal)!;
      acquisition.attempts += 1;
      acquisition.inFlight = true;
      acquisition.isOver = false;
      acquisition.sentAt = now();
    },

    tokenAnswered(name, signal, answer) {
      const key = keyOf(name);
      const acquisition = acquisitions.get(signal)!;
      note(`token answer for ${name}: ${JSON.stringify(answer)}`);
      if (answer.kind !== 'token') {
        fail(name, acquisition, answer);
        return undefined;
      }
      const { closedAt, isDoubtful } = acquisition;
      const isClosed = closedAt !== undefined;
      acquisition.inFlight = false;
      acquisition.isOver = true;
      serial += 1;
      const again = answer.sameAgain && !isClosed ? key.latest?.value : undefined;
      const token: Issued = {
        value: again ?? `${name}-${serial}`,
        isAgain: again !== undefined,
        key: name,
        serial,
        sentAt: acquisition.sentAt,
        lifetimeMs: lifetimeMs(answer.expiresIn),
        revoked: false,
        closedAt,
        isDoubtful,
        deliveredIn: period,
        mayBeRefused: isDoubtful,
        mayBeRenewed: isDoubtful,
        refusedTo: [],
      };
      issued.set(token.value, token);
      trace.push(`    it is ${token.value}`);
      if (isClosed) return token;
      key.latest = latestToken = token;
      if (isDoubtful) {
        doubt(key.coolDown);
        doubt(client);
        clientEndedIn = period;
      } else {
        endCoolDown(key.coolDown, name);
        endCoolDown(client, undefined);
      }
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
      const { refusedIn = Infinity, closedAt, deliveredIn } = token;
      const { invalidatedIn = -1 } = token;
      // A request that waited may have been given the token a moment before.
      const wasGivenBefore = invalidatedIn === period && call.waitsSince < period;
      if (deliveredIn < invalidatedIn && !wasGivenBefore)
        violate(`${token.value} is sent although invalidated`);
      if (period > refusedIn) violate(`${token.value} is sent although refused`);
      if (closedAt === undefined) {
        if (token.serial < key.highestSent) violate(`${token.value} is sent after a newer token`);
        if (!token.isDoubtful) key.highestSent = Math.max(key.highestSent, token.serial);
      } else if (call.needs.event >= closedAt) {
        violate(`request ${call.id} is sent with ${token.value}, for which it cannot have waited`);
      }
      const waitedForIt = call.waitsSince <= deliveredIn && deliveredIn === period;
      if (!(closedAt === undefined && isUsable(token)) && !waitedForIt)
        violate(`${token.value} is sent past its margin`);
      if (attempts.length === 2) {
        const [{ answer, token: first }] = attempts as [Call['attempts'][0]];
        if (!REPLAYED.has(answer)) violate(`request ${call.id} is replayed after ${answer ?? 'no answer'}`);
        const isOrdered = first?.closedAt === undefined && closedAt === undefined;
        // The first attempt may have had the same token from an earlier answer than the one that issued it again just now.
        const mayBeNewer = token.isAgain && token.deliveredIn === period;
        if (isOrdered && !mayBeNewer && token.serial <= attempts[0]!.serial)
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
      call.attempts[attempt]!.answeredIn = period;
      if (!call.hasPlugin || !token) return;
      const { pausesWith } = call;
      const key = keyOf(call.key);
      const { latest } = key;
      call.waitsSince = period;
      call.needs = { event, at: now() };
      key.wantedIn = period;
      if (!answer.startsWith('401')) {
        if (answer === 'network error') return;
        if (attempt === 1) {
          helped(key, pausesWith);
          if (call.forcedRenewal) tasks.push(() => mayNotPause(call.key, pausesWith));
        } else if (pauseOf(key, pausesWith).isUndecided) helped(key, pausesWith);
        return;
      }
      if (attempt === 1) {
        mayNotHelp(key, pausesWith);
        if (token.deliveredIn > call.attempts[0]!.answeredIn!) {
          didNotHelp(key, call);
        } else if (latest?.value === token.value) {
          // Perhaps the first that is heard against it.
          latest.mayBeRefused = true;
          latest.mayBeRenewed ||= !isPausing(key, pausesWith);
          mayForceRenewal(key, pausesWith);
          pauseOf(key, pausesWith).isUndecided = true;
        }
        return;
      }
      if (answer === '401 insufficient_scope') return;
      const mightPause = mayPause(key, pausesWith);
      mayForceRenewal(key, pausesWith);
      if (call.oneShotBody) pauseOf(key, pausesWith).isUndecided = true;
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
      } else if (latest?.value === token.value) {
        latest.mayBeRefused = true;
        latest.mayBeRenewed ||= !isPausing(key, pausesWith);
        latest.refusedTo.push(call);
        tasks.push(() => (call.forcedRenewal = latest.refusedTo.length === 1 && key.latest === latest));
        // A 401 that is late may mean an earlier issue of the same token.
        if (!mightPause && call.attempts[0]!.serial === latest.serial) {
          latest.refusedIn ??= period;
          call.mustReplay = !call.oneShotBody;
        }
      }
    },

    invalidated() {
      note('invalidate');
      invalidatedIn = period;
      for (const [name, key] of keys) {
        if (key.latest) key.latest.invalidatedIn ??= period;
        endCoolDown(key.coolDown, name);
        const { acquisition } = key;
        if (acquisition && (acquisition.isOver !== true || acquisition.isPending))
          acquisition.closedAt ??= event;
      }
      endCoolDown(client, undefined);
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
      for (const task of tasks) task();
      promises = [];
      tasks = [];
      for (const [name, { acquisition, waiting }] of keys) {
        const isAlone = [...acquisitions.values()].filter(({ isOver }) => isOver !== true).length === 1;
        if (
          acquisition &&
          isAlone &&
          (waiting > 0 || calls.some((call) => call.key === name && needsToken(call)))
        )
          acquisition.isWanted = true;
      }
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
function complaintAbout(
  call: Call,
  outcome: Outcome,
  isExplained: (call: Call, code: string) => boolean,
): string | undefined {
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
      if (call.attempts.length > 0) return 'fails for want of a token although the API answered';
      return isExplained(call, outcome.code)
        ? undefined
        : `fails with ${outcome.code}, which no token request explains`;
    case 'network error':
      return last?.answer === 'network error' ? undefined : 'fails with a network error that never was';
    case 'response':
    case 'http error': {
      if (last?.answer === undefined || outcome.attempt !== call.attempts.length - 1) {
        return 'ends with an answer that is not its last';
      }
      const causeCode = outcome.kind === 'http error' ? outcome.causeCode : undefined;
      if (isTokenFailure(causeCode)) {
        return isExplained(call, causeCode)
          ? undefined
          : `has ${causeCode} as its cause, which no token request explains`;
      }
      if (
        outcome.kind === 'http error' &&
        outcome.status === 401 &&
        call.mustReplay &&
        call.attempts.length === 1
      ) {
        return `surfaces a 401 (cause ${causeCode ?? 'none'}) instead of trying another token`;
      }
      return undefined;
    }
  }
}

function isTokenFailure(causeCode: string | undefined): causeCode is string {
  return causeCode !== undefined && causeCode !== 'ERR_BIPSYNC_ACCESS_DENIED';
}
