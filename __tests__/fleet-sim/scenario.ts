/** What a fleet is, and what happens to it. Everything comes from one generator, so that a seed says it all. */
export interface Scenario {
  processes: ProcessPlan[];
  /** Seconds that a token lives. */
  expiresIn: number;
  mintMs: number;
  hasLock: boolean;
  steps: Step[];
  /** When the last fault is over. */
  endMs: number;
}

interface ProcessPlan {
  team: Team;
  /** Which of two encryption keys it knows; `undefined`: tokens are stored as they are. */
  keys: readonly KeyName[] | undefined;
  hasOldSecret: boolean;
}

export type Team = 'a' | 'b';
export type KeyName = 'old' | 'new';

const ALLOWED = '/v1/research';
/** The API refuses every token here, since no scope of it covers this. One of them is in the resource of an allowed path. */
export const DENIED = ['/v1/user/7', '/v1/research/7/private'] as const;

export interface RequestPlan {
  path: string;
  team: Team;
  /** A body that can be read once; it may end before anybody has read it. */
  body?: 'stream' | 'ends early';
  timeoutMs?: number;
}

export type StoreMode = 'slow' | 'hanging' | 'down' | 'full' | 'read-only' | 'old values';
export type EndpointMode = 'down' | 'overloaded' | 'slow' | 'silent' | 'refuses some';

export type Step = { atMs: number } & (
  | { kind: 'request'; process: number; plan: RequestPlan }
  | { kind: 'stop' | 'start' | 'invalidate'; process: number }
  | { kind: 'freeze'; process: number; isSuspended: boolean; losesAnswers: boolean; forMs: number }
  | { kind: 'jump'; process: number; ms: number }
  | { kind: 'store'; mode: StoreMode; forMs: number }
  | { kind: 'endpoint'; mode: EndpointMode; forMs: number }
  | { kind: 'revoke' }
  | { kind: 'locks expire' }
  | { kind: 'new keys' | 'new secret'; process: number }
);

const SECOND = 1000;
const MINUTE = 60 * SECOND;

export function createScenario(random: () => number): Scenario {
  const chance = (share: number): boolean => random() < share;
  const between = (low: number, high: number): number => Math.floor(low + random() * (high - low));
  const oneOf = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;

  const size = between(3, 13);
  const expiresIn = oneOf([120, 600, 3600]);
  const endMs = between(2 * MINUTE, expiresIn * 2 * SECOND);
  /** Some fleets meet nothing but revocations: what they cost is known exactly. */
  const isCalm = chance(0.2);
  const isEncrypted = chance(0.3);
  const hasTwoTeams = chance(0.3);
  const processes = Array.from({ length: size }, (): ProcessPlan => {
    const hasOldKeys = isEncrypted && !isCalm && chance(0.3);
    return {
      team: hasTwoTeams && chance(0.4) ? 'b' : 'a',
      keys: isEncrypted ? (hasOldKeys ? ['old'] : ['new', 'old']) : undefined,
      hasOldSecret: !isCalm && chance(0.08),
    };
  });
  const someone = (): number => between(0, size);
  const sometime = (): number => between(0, endMs);
  const aWhile = (): number => oneOf([200, 2 * SECOND, 7 * SECOND, 20 * SECOND, 2 * MINUTE]);

  const faults: (() => Step)[] = [
    () => ({ atMs: sometime(), kind: 'stop', process: someone() }),
    () => ({ atMs: sometime(), kind: 'start', process: someone() }),
    () => ({ atMs: sometime(), kind: 'invalidate', process: someone() }),
    () => ({
      atMs: sometime(),
      kind: 'freeze',
      process: someone(),
      isSuspended: chance(0.5),
      losesAnswers: chance(0.7),
      forMs: aWhile(),
    }),
    () => ({
      atMs: sometime(),
      kind: 'jump',
      process: someone(),
      ms: oneOf([-3_600_000, -60_000, -500, 500, 20_000, 3_600_000]),
    }),
    () => ({
      atMs: sometime(),
      kind: 'store',
      mode: oneOf<StoreMode>(['slow', 'hanging', 'down', 'full', 'read-only', 'old values']),
      forMs: aWhile(),
    }),
    () => ({
      atMs: sometime(),
      kind: 'endpoint',
      mode: oneOf<EndpointMode>(['down', 'overloaded', 'slow', 'silent', 'refuses some']),
      forMs: aWhile(),
    }),
    () => ({ atMs: sometime(), kind: 'locks expire' }),
    () => ({ atMs: sometime(), kind: 'new keys', process: someone() }),
    () => ({ atMs: sometime(), kind: 'new secret', process: someone() }),
  ];

  const steps: Step[] = [];
  const request = (atMs: number, process: number): void => {
    const { team } = processes[process]!;
    const plan: RequestPlan = {
      path: ALLOWED,
      team: hasTwoTeams && chance(0.1) ? oneOf<Team>(['a', 'b']) : team,
      ...(chance(0.04) && { body: oneOf(['stream', 'ends early'] as const) }),
      ...(chance(0.1) && { timeoutMs: 3000 }),
    };
    steps.push({ atMs, kind: 'request', process, plan });
  };
  /** All at once is the hardest; else requests come when they like. */
  const burst = (atMs: number): void => {
    for (let process = 0; process < size; process += 1) request(atMs + between(0, 50), process);
  };
  burst(0);
  for (let index = between(1, 4); index > 0; index -= 1) burst(sometime());
  for (let index = between(2, 6) * size; index > 0; index -= 1) request(sometime(), someone());
  for (let index = between(0, 3); index > 0; index -= 1) {
    const atMs = sometime();
    steps.push({ atMs, kind: 'revoke' });
    if (chance(0.7)) burst(atMs + 1);
  }
  for (let index = isCalm ? 0 : between(1, 8); index > 0; index -= 1) {
    const fault = oneOf(faults)();
    steps.push(fault);
    // What makes a moment matter is a request in it.
    const lengthMs = 'forMs' in fault ? fault.forMs : 0;
    const target = 'process' in fault ? fault.process : someone();
    if (chance(0.5)) request(fault.atMs - between(0, 300), target);
    if (chance(0.5)) request(fault.atMs + lengthMs + between(1, 300), target);
  }
  if (chance(0.25)) {
    // Somebody asks every second for what nobody may have.
    const process = someone();
    const path = oneOf(DENIED);
    const { team } = processes[process]!;
    const startMs = sometime();
    for (let atMs = startMs; atMs < Math.min(endMs, startMs + MINUTE); atMs += SECOND) {
      steps.push({ atMs, kind: 'request', process, plan: { path, team } });
      if (chance(0.5)) request(atMs + between(0, 400), process);
    }
  }
  return {
    processes,
    expiresIn,
    mintMs: oneOf([60, 200, 900]),
    hasLock: isCalm || chance(0.85),
    steps: steps.filter(({ atMs }) => atMs >= 0).sort((one, other) => one.atMs - other.atMs),
    endMs,
  };
}

/** A fleet that meets nothing but revocations. */
export function isCalm({ steps, processes }: Scenario): boolean {
  return (
    processes.every(({ hasOldSecret, keys }) => !hasOldSecret && keys?.[0] !== 'old') &&
    steps.every(({ kind }) => kind === 'request' || kind === 'revoke')
  );
}
