import type { Clockwork, Machine } from './clockwork';
import { DENIED, isCalm, type RequestPlan, type Scenario, type Team } from './scenario';

// What an observer of the network, the store and the clocks demands of a fleet. The numbers in brackets are those of the
// guarantees in docs/architecture.md.
//
// Every request settles once, within two waits and two answers [9, 12]. A wait is an acquisition of 10 s, and another one if
// the first was a refresh that fails [2]. A request fails for want of a token only because of a token request of its own
// process that it can have waited for, or in the cool-down after one [1, 10]. A 401 of a path that is allowed surfaces only if
// a second token was refused too, or if its resource pauses [14]. A token that a process gave up is not sent again [22], nor
// one of another team. One acquisition is under way in a process, unless it is past its deadline [1]. Who waits for the lock
// tries it again every 50 to 100 ms, and requests a token without it after 5 s [23].
//
// How many token requests may there be? Let L be a token's lifetime, w = min(L / 5, 5 min) its refresh window, D the time and
// R the revocations. A fleet with a lock that meets nothing but revocations makes 1 + R + D / (L - w) for each team [24].
// In any other, each process may be on its own [25]. For each team it needs a token at each start, each revocation, each
// rollover, each time it is frozen, its clock jumps or it is told to `invalidate()`, and twice for each fault of the store,
// which may return retired tokens and lose new ones. Each of those costs up to three attempts. While the endpoint fails for W
// seconds, cool-downs of 1, 2, 4 … 30 s let through another 6 + W / 30 acquisitions [10]. A denied resource costs
// 2 + log2(1 + D / 1 s) renewals, and as many again after each renewal that helped and each token of another process [14].

export interface Member extends Machine {
  readonly name: string;
  /** When it was last frozen, restarted, told to invalidate or had its clock changed. */
  disturbedMs: number;
  disturbances: number;
}

export interface Issued {
  value: string;
  team: Team;
  mintedBy: Machine;
  mintedMs: number;
  expiresMs: number;
  revokedMs: number;
}

export interface Call {
  id: number;
  member: Member;
  incarnation: number;
  plan: RequestPlan;
  beganMs: number;
  began: Moment;
  frozenMs: number;
  attempts: { token: Issued; sentMs: number; status?: number }[];
  isSettled: boolean;
}

interface Moment {
  wall: number;
  monotonic: number;
}

export type Outcome =
  | { kind: 'answer'; status: number; cause: string | undefined }
  | { kind: 'auth error'; code: string }
  | { kind: 'timeout' | 'body' | 'connection' }
  | { kind: 'other'; what: string };

/** Token requests that share a signal. */
interface Acquisition {
  member: Member;
  incarnation: number;
  team: Team;
  sentMs: number;
  began: Moment;
  inFlight: boolean;
  failures: { atMs: number; isOfClient: boolean }[];
}

/** What is known of one process and one team. */
interface Holding {
  acquisitions: Acquisition[];
  present: Issued | undefined;
  presentSinceMs: number;
  lastSentMs: number;
  retired: Issued[];
  forcedMs: number[];
  /** How often it took a token that another process had made. */
  borrowed: number;
  wait: { sinceMs: number; askedMs: number } | undefined;
  hasLock: boolean;
  /** The 401s of each resource since a renewal last helped it. */
  refusals: Map<string, { call: Call; atMs: number }[]>;
  tokenRequests: number;
}

const SECOND = 1000;
const ACQUISITION_MS = 10 * SECOND;
const ANSWER_MS = 2 * SECOND;
const LOCK_MS = 5 * SECOND;
const POLL_MS = 100;
/** What store and timers of a healthy world add to that. */
const SLACK_MS = 30;
const MAX_COOL_DOWN_MS = 300 * SECOND;
const MAX_RETIRED = 8;

export type Rules = ReturnType<typeof createRules>;

export function createRules(clock: Clockwork, scenario: Scenario, members: readonly Member[]) {
  const violations: string[] = [];
  const trace: string[] = [];
  const calls: Call[] = [];
  const holdings = new Map<string, Holding>();
  const acquisitions = new Map<AbortSignal, Acquisition>();
  const minted: Issued[] = [];
  let revocations = 0;
  let storeFaults = 0;
  let storeTroubleMs = -Infinity;
  let endpointFaultMs = 0;
  let endpointFaults = 0;

  const note = (line: string): void => void trace.push(`${clock.nowMs.toFixed(0)} ms ${line}`);
  const violate = (rule: string): void => {
    violations.push(rule);
    note(`*** ${rule}`);
  };

  const momentOf = (member: Member): Moment => ({
    wall: clock.wall(member),
    monotonic: clock.monotonic(member),
  });
  const msSince = (from: Moment, to: Moment): number =>
    Math.max(to.wall - from.wall, to.monotonic - from.monotonic);
  const resourceOf = ({ path, body }: RequestPlan): string =>
    [body ? 'write' : 'read', ...path.split('/').slice(1, 3)].join(' ');

  function holdingOf(member: Member, team: Team): Holding {
    const key = `${member.index} ${member.incarnation} ${team}`;
    let holding = holdings.get(key);
    if (!holding) {
      holding = {
        acquisitions: [],
        present: undefined,
        presentSinceMs: 0,
        lastSentMs: -Infinity,
        retired: [],
        forcedMs: [],
        borrowed: 0,
        wait: undefined,
        hasLock: false,
        refusals: new Map(),
        tokenRequests: 0,
      };
      holdings.set(key, holding);
    }
    return holding;
  }

  const lifetimeMs = scenario.expiresIn * SECOND;
  const windowMs = Math.min(lifetimeMs / 5, 300 * SECOND);
  const isGood = (token: Issued | undefined): token is Issued =>
    token !== undefined && clock.nowMs < token.expiresMs - windowMs && clock.nowMs < token.revokedMs;

  /** Two that were sent within so short a time are both within their deadline. */
  function checkSingleFlight(member: Member, team: Team, { acquisitions: others }: Holding): void {
    const at = momentOf(member);
    const isCertain = clock.nowMs - member.disturbedMs > ACQUISITION_MS;
    const other = others.find(({ inFlight, began }) => inFlight && msSince(began, at) < 4 * SECOND);
    if (other && isCertain) violate(`${member.name} has two acquisitions for team ${team} under way`);
  }

  function checkLock(member: Member, { wait, hasLock }: Holding): void {
    const isHealthy = clock.nowMs - Math.max(storeTroubleMs, member.disturbedMs) > ACQUISITION_MS;
    if (!wait || hasLock || !isHealthy) return;
    const waitedMs = clock.nowMs - wait.sinceMs;
    if (clock.nowMs - wait.askedMs > POLL_MS + SLACK_MS) {
      violate(`${member.name} waits without trying the lock again`);
    } else if (waitedMs > LOCK_MS + 4 * POLL_MS + 2 * SLACK_MS) {
      // Up to 300 ms may lie between a refresh that gave up and the acquisition that waits.
      violate(`${member.name} waits for the lock for ${waitedMs.toFixed(0)} ms`);
    }
  }

  /** A renewal that only a 401 can have forced: the token was good and in use. */
  function checkRenewals(member: Member, holding: Holding): void {
    const { present, presentSinceMs, lastSentMs, acquisitions: earlier, forcedMs } = holding;
    const latestMs = earlier.at(-1)?.sentMs ?? -Infinity;
    if (!isGood(present) || lastSentMs < latestMs || member.disturbedMs >= presentSinceMs) return;
    forcedMs.push(clock.nowMs);
    const seconds = (clock.nowMs - forcedMs[0]!) / SECOND;
    const most = (1 + revocations + holding.borrowed) * (2 + Math.log2(1 + seconds));
    if (forcedMs.length > most) {
      violate(
        `${member.name} renews a good token for the ${forcedMs.length}th time in ${seconds.toFixed(0)} s`,
      );
    }
  }

  function isExplained(
    { member, team }: { member: Member; team: Team },
    beganMs: number,
    began: Moment,
  ): boolean {
    if (member.disturbedMs >= beganMs) return true;
    return [...acquisitions.values()].some((acquisition) => {
      if (acquisition.member !== member || acquisition.incarnation !== member.incarnation) return false;
      return acquisition.failures.some(({ atMs, isOfClient }) => {
        // Refused credentials hold back every team of the process.
        if (acquisition.team !== team) return isOfClient && beganMs - atMs <= MAX_COOL_DOWN_MS;
        if (atMs < beganMs) return beganMs - atMs <= MAX_COOL_DOWN_MS;
        return msSince(acquisition.began, began) < ACQUISITION_MS;
      });
    });
  }

  function refusalsOf({ member, plan }: Call): { call: Call; atMs: number }[] {
    const { refusals } = holdingOf(member, plan.team);
    const resource = resourceOf(plan);
    const known = refusals.get(resource) ?? [];
    refusals.set(resource, known);
    return known;
  }

  function complaintAbout(call: Call, outcome: Outcome): string | undefined {
    const { member, plan, attempts, beganMs, began } = call;
    const activeMs = clock.nowMs - beganMs - (member.frozenMs - call.frozenMs);
    const waitMs = plan.timeoutMs ?? 2 * (ACQUISITION_MS + SLACK_MS);
    if (activeMs > 2 * (waitMs + ANSWER_MS)) return `takes ${activeMs.toFixed(0)} ms`;
    switch (outcome.kind) {
      case 'other':
        return `ends in an unknown way: ${outcome.what}`;
      case 'timeout':
        return plan.timeoutMs === undefined ? 'times out without a timeout' : undefined;
      case 'body':
        return plan.body === 'ends early' ? undefined : 'ends as if its body had';
      case 'connection':
        return member.disturbedMs >= beganMs ? undefined : 'fails as if its connection had';
      case 'auth error':
        if (attempts.length > 0) return 'fails for want of a token although the API answered';
        return isExplained({ member, team: plan.team }, beganMs, began)
          ? undefined
          : `fails with ${outcome.code}, which no token request explains`;
      case 'answer': {
        if (outcome.status !== 401 || attempts.length !== 1 || plan.body !== undefined) return undefined;
        const isDenied = (DENIED as readonly string[]).includes(plan.path);
        if (isDenied || member.disturbedMs >= beganMs) return undefined;
        if (outcome.cause !== 'ERR_BIPSYNC_ACCESS_DENIED') {
          return isExplained({ member, team: plan.team }, beganMs, began)
            ? undefined
            : `surfaces a 401 (cause ${outcome.cause ?? 'none'}) without trying another token`;
        }
        const mayPause = refusalsOf(call).some(
          (refusal) => refusal.call !== call && clock.nowMs - refusal.atMs <= MAX_COOL_DOWN_MS + ANSWER_MS,
        );
        return mayPause ? undefined : 'surfaces a 401 although nothing says that another token does not help';
      }
    }
  }

  return {
    violations,
    trace,
    calls,
    note,
    violate,

    began(member: Member, plan: RequestPlan): Call {
      const call: Call = {
        id: calls.length,
        member,
        incarnation: member.incarnation,
        plan,
        beganMs: clock.nowMs,
        began: momentOf(member),
        frozenMs: member.frozenMs,
        attempts: [],
        isSettled: false,
      };
      calls.push(call);
      note(`${member.name} request ${call.id} for team ${plan.team} ${plan.path} ${plan.body ?? ''}`);
      return call;
    },

    settled(call: Call, outcome: Outcome): void {
      note(`${call.member.name} request ${call.id} ends: ${JSON.stringify(outcome)}`);
      if (call.isSettled) violate(`request ${call.id} settles twice`);
      call.isSettled = true;
      const complaint = complaintAbout(call, outcome);
      if (complaint !== undefined) violate(`request ${call.id} ${complaint}`);
    },

    apiRequested(call: Call, token: Issued | undefined): void {
      const { member, plan, attempts } = call;
      note(`${member.name} request ${call.id} is sent with ${token?.value ?? 'no token'}`);
      if (token?.team !== plan.team) {
        violate(`request ${call.id} for team ${plan.team} is sent with ${token?.value ?? 'no token'}`);
        return;
      }
      const holding = holdingOf(member, plan.team);
      const { retired } = holding;
      const first = attempts[0]?.token;
      if (first && first !== token && !retired.includes(first)) {
        retired.push(first);
        if (retired.length > MAX_RETIRED) retired.shift();
      }
      if (retired.includes(token)) violate(`${member.name} sends ${token.value} again, which was refused`);
      if (holding.present !== token) {
        holding.present = token;
        holding.presentSinceMs = clock.nowMs;
        holding.wait = undefined;
        if (token.mintedBy !== member) holding.borrowed += 1;
      }
      holding.lastSentMs = clock.nowMs;
      attempts.push({ token, sentMs: clock.nowMs });
      if (attempts.length > (plan.body ? 1 : 2))
        violate(`request ${call.id} is sent ${attempts.length} times`);
    },

    apiAnswered(call: Call, status: number): void {
      const { attempts, member, plan } = call;
      attempts.at(-1)!.status = status;
      note(`answer to ${call.id}: ${status}`);
      const refusals = refusalsOf(call);
      if (status === 401) refusals.push({ call, atMs: clock.nowMs });
      else if (attempts.length === 2) {
        const open = refusals.filter((refusal) => refusal.call !== call && !refusal.call.isSettled);
        holdingOf(member, plan.team).refusals.set(resourceOf(plan), open);
      }
    },

    tokenRequested(member: Member, team: Team, signal: AbortSignal): void {
      note(`${member.name} requests a token for team ${team}`);
      const holding = holdingOf(member, team);
      holding.tokenRequests += 1;
      let acquisition = acquisitions.get(signal);
      if (!acquisition) {
        checkSingleFlight(member, team, holding);
        checkLock(member, holding);
        checkRenewals(member, holding);
        acquisition = {
          member,
          incarnation: member.incarnation,
          team,
          sentMs: clock.nowMs,
          began: momentOf(member),
          inFlight: true,
          failures: [],
        };
        const own = acquisition;
        acquisitions.set(signal, own);
        holding.acquisitions.push(own);
        signal.addEventListener('abort', () => {
          own.inFlight = false;
          own.failures.push({ atMs: clock.nowMs, isOfClient: false });
        });
      }
      acquisition.inFlight = true;
      holding.wait = undefined;
    },

    /** The answer arrives; a token was issued a moment before. */
    tokenAnswered(member: Member, signal: AbortSignal, answer: string, succeeds: boolean): void {
      note(`${member.name} token answer: ${answer}`);
      const acquisition = acquisitions.get(signal)!;
      acquisition.inFlight = false;
      if (!succeeds) acquisition.failures.push({ atMs: clock.nowMs, isOfClient: answer === '401' });
    },

    issued(token: Issued): void {
      minted.push(token);
    },

    lockAsked(member: Member, team: Team): void {
      const holding = holdingOf(member, team);
      const { wait } = holding;
      // A refresh that gave up waits for nothing. The next acquisition waits anew.
      if (wait && clock.nowMs - wait.askedMs > 3 * POLL_MS) holding.wait = undefined;
      else if (wait) wait.askedMs = clock.nowMs;
    },

    lockAnswered(member: Member, team: Team, isHeld: boolean): void {
      note(`${member.name} ${isHeld ? 'finds the lock held' : 'has the lock'} of team ${team}`);
      const holding = holdingOf(member, team);
      holding.hasLock = !isHeld;
      if (!isHeld) holding.wait = undefined;
      else holding.wait ??= { sinceMs: clock.nowMs, askedMs: clock.nowMs };
    },

    released(member: Member, team: Team): void {
      note(`${member.name} releases the lock of team ${team}`);
      holdingOf(member, team).hasLock = false;
    },

    revoked(): void {
      note('every token is revoked');
      revocations += 1;
      for (const token of minted) token.revokedMs = Math.min(token.revokedMs, clock.nowMs);
    },

    disturbed(member: Member): void {
      member.disturbedMs = clock.nowMs;
      member.disturbances += 1;
    },

    /** Until `storeMended`. */
    storeTroubled(): void {
      storeFaults += 1;
      storeTroubleMs = Infinity;
    },

    /** The store is well again from now on. */
    storeMended(): void {
      storeTroubleMs = clock.nowMs;
    },

    endpointTroubled(forMs: number): void {
      endpointFaults += 1;
      endpointFaultMs += forMs;
    },

    /** The last fault is over: what did it cost? */
    checkCost(): void {
      const spentMs = clock.nowMs;
      const rollovers = Math.floor(spentMs / (lifetimeMs - windowMs));
      const forced = [...holdings.values()].reduce((sum, { forcedMs }) => sum + forcedMs.length, 0);
      for (const team of ['a', 'b'] as const) {
        const count = minted.filter((token) => token.team === team).length;
        const most = 1 + revocations + rollovers + forced;
        if (scenario.hasLock && isCalm(scenario) && count > most) {
          violate(`${count} tokens for team ${team} instead of ${most}`);
        }
      }
      const needs = 1 + revocations + rollovers + 2 * storeFaults;
      for (const [key, { tokenRequests, forcedMs }] of holdings) {
        const member = members[Number(key.split(' ')[0])]!;
        const failingMs = scenario.processes[member.index]!.hasOldSecret ? spentMs : endpointFaultMs;
        const failing = 6 * (endpointFaults + 1) + failingMs / (30 * SECOND);
        const most = 3 * (needs + failing + member.disturbances + forcedMs.length);
        if (tokenRequests > most)
          violate(`${tokenRequests} token requests by ${member.name} instead of ${most}`);
      }
    },

    /** Since `fromMs` there was no fault, and before it time enough to recover. */
    checkSharing(fromMs: number): void {
      for (const call of calls) {
        const isGone = call.member.incarnation !== call.incarnation;
        if (!call.isSettled && !isGone) violate(`request ${call.id} never settles`);
        if (call.beganMs > fromMs && call.attempts.at(-1)?.status !== 200) {
          violate(`request ${call.id} fails although all is well`);
        }
      }
      if (!scenario.hasLock) return;
      for (const team of ['a', 'b'] as const) {
        const count = minted.filter((token) => token.team === team && token.mintedMs > fromMs).length;
        const most = 1 + Math.ceil((clock.nowMs - fromMs) / (lifetimeMs - windowMs));
        if (count > most) violate(`${count} tokens for team ${team} although all is well`);
        const recent = members
          .map((member) => holdingOf(member, team))
          .filter(({ lastSentMs }) => lastSentMs > clock.nowMs - 5 * SECOND)
          .map(({ present }) => present!);
        const newest = Math.max(...recent.map(({ mintedMs }) => mintedMs));
        // The others may still be in the refresh window of the one before.
        const strangers = recent.filter(
          ({ mintedMs, expiresMs }) => mintedMs < newest && clock.nowMs < expiresMs - windowMs - SECOND,
        );
        if (strangers.length > 0) violate(`team ${team} does not share one token again`);
      }
    },
  };
}
