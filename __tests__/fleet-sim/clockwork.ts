/**
 * Virtual time for many processes in one. Every event belongs to one machine, and everything that it sets off runs before the
 * next event: so whose code is running is always known, and `Date.now`, `performance.now` and the timers can be that machine's.
 */
export interface Machine {
  readonly index: number;
  /** What was meant for an earlier incarnation never arrives. */
  incarnation: number;
  /** Milliseconds that the wall clock is off, and how many it gains in a second. */
  wallOffsetMs: number;
  drift: number;
  frozen: { isSuspended: boolean; sinceMs: number } | undefined;
  /** How long it was frozen in all, and for how much of that its monotonic clock stood still. */
  frozenMs: number;
  suspendedMs: number;
}

export interface Clockwork {
  /** True time, in milliseconds. */
  readonly nowMs: number;
  readonly random: () => number;
  wall(machine: Machine): number;
  monotonic(machine: Machine): number;
  /** Runs something after `ms`, for a machine or, without one, for the world outside. */
  after(ms: number, machine: Machine | undefined, run: () => void): () => void;
  freeze(machine: Machine, isSuspended: boolean): void;
  thaw(machine: Machine): void;
  /** Lets everything happen that is due until `endMs`. */
  runUntil(endMs: number): Promise<void>;
  restore(): void;
}

interface Due {
  atMs: number;
  order: number;
  machine: Machine | undefined;
  incarnation: number;
  isTimer: boolean;
  isCancelled: boolean;
  run: () => void;
}

const EPOCH = Date.UTC(2026, 0, 1);
const everythingElse = setImmediate;

/** One generator makes the scenario, the jitter of the code under test and everything else that is random. */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Takes the place of the global clocks, timers and randomness until `restore`. */
export function createClockwork(random: () => number): Clockwork {
  const real = {
    setTimeout,
    clearTimeout,
    dateNow: Date.now,
    now: performance.now.bind(performance),
    random: Math.random,
  };
  const queue: Due[] = [];
  const held = new Map<Machine, Due[]>();
  let nowMs = 0;
  let order = 0;
  let current: Machine | undefined;

  const wall = ({ wallOffsetMs, drift }: Machine): number =>
    EPOCH + Math.floor(nowMs * (1 + drift) + wallOffsetMs);
  const monotonic = ({ index, suspendedMs }: Machine): number => 1000 * index + nowMs - suspendedMs;

  function schedule(ms: number, machine: Machine | undefined, run: () => void, isTimer: boolean): Due {
    order += 1;
    const due: Due = {
      atMs: nowMs + ms,
      order,
      machine,
      incarnation: machine?.incarnation ?? 0,
      isTimer,
      isCancelled: false,
      run,
    };
    insert(due);
    return due;
  }

  function insert(due: Due): void {
    let low = 0;
    let high = queue.length;
    // The next to come is the last.
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = queue[middle]!;
      const isLater = other.atMs > due.atMs || (other.atMs === due.atMs && other.order > due.order);
      if (isLater) low = middle + 1;
      else high = middle;
    }
    queue.splice(low, 0, due);
  }

  Object.assign(globalThis, {
    setTimeout: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
      schedule(Math.max(1, ms), current, () => run(...args), true),
    clearTimeout: (due?: Due) => {
      if (due) due.isCancelled = true;
    },
  });
  Date.now = () => (current ? wall(current) : EPOCH + nowMs);
  performance.now = () => (current ? monotonic(current) : nowMs);
  Math.random = random;

  return {
    get nowMs() {
      return nowMs;
    },
    random,
    wall,
    monotonic,
    after(ms, machine, run) {
      const due = schedule(ms, machine, run, false);
      return () => (due.isCancelled = true);
    },
    freeze(machine, isSuspended) {
      machine.frozen = { isSuspended, sinceMs: nowMs };
      held.set(machine, []);
    },
    thaw(machine) {
      const { sinceMs, isSuspended } = machine.frozen!;
      const lengthMs = nowMs - sinceMs;
      machine.frozen = undefined;
      machine.frozenMs += lengthMs;
      if (isSuspended) {
        machine.suspendedMs += lengthMs;
        // Timers stood still too, those that are due later as well.
        const later = queue.filter((due) => due.machine === machine && due.isTimer);
        for (const due of later) queue.splice(queue.indexOf(due), 1);
        for (const due of later) insert(Object.assign(due, { atMs: due.atMs + lengthMs }));
      }
      for (const due of held.get(machine) ?? []) {
        insert(Object.assign(due, { atMs: isSuspended && due.isTimer ? due.atMs + lengthMs : nowMs }));
      }
      held.delete(machine);
    },
    async runUntil(endMs) {
      for (let due = queue.pop(); due; due = queue.pop()) {
        if (due.atMs > endMs) {
          queue.push(due);
          break;
        }
        nowMs = Math.max(nowMs, due.atMs);
        const { machine } = due;
        if (due.isCancelled || (machine && machine.incarnation !== due.incarnation)) continue;
        if (machine?.frozen) {
          held.get(machine)!.push(due);
          continue;
        }
        current = machine;
        due.run();
        if (machine) await new Promise((resolve) => everythingElse(resolve));
        current = undefined;
      }
      nowMs = endMs;
    },
    restore() {
      Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
      Date.now = real.dateNow;
      performance.now = real.now;
      Math.random = real.random;
    },
  };
}
