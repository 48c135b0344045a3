import type { TokenStore } from '../../src';
import { type Clockwork, createClockwork, createRandom, type Machine } from '../fleet-sim/clockwork';
import { table } from '../fleet/fleet';
import { type Answer, scripted, type Scripted, tokenAnswer } from '../support/scripted';
import { memoryTokenStore } from './memory-store';

/**
 * What a fleet costs, counted. Each process is an installation with a memory of its own; they share a store that answers in a
 * millisecond and a token endpoint that takes 200 ms. docs/fleet.md has the table. `FLEET_COST=1` counts the last row for
 * 100 and 1,000 processes too, which takes minutes.
 */
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const MINT_MS = 200;
const isAtLength = process.env['FLEET_COST'] === '1';

interface Cost {
  tokenRequests: number;
  reads: number;
  writes: number;
  locks: number;
}

const rows: (string | number)[][] = [
  ['phase', 'processes', 'token requests', 'store reads', 'store writes', 'lock attempts'],
];
let clock: Clockwork;

beforeEach(() => {
  clock = createClockwork(createRandom(7));
});
afterEach(() => clock.restore());
afterAll(() => void process.stdout.write(`\n${table(rows)}\n\n`));

function openFleet(size: number) {
  const inner = memoryTokenStore();
  let minted = 0;
  let cost: Cost = { tokenRequests: 0, reads: 0, writes: 0, locks: 0 };
  const good = new Set<string>();
  let isSecretGood = true;

  const after = <T>(machine: Machine, ms: number, work: () => Promise<T>): Promise<T> =>
    new Promise((resolve) => clock.after(ms, machine, () => resolve(work())));

  const processes = Array.from({ length: size }, (_, index) => {
    const machine: Machine = {
      index,
      incarnation: 0,
      wallOffsetMs: 0,
      drift: 0,
      frozen: undefined,
      frozenMs: 0,
      suspendedMs: 0,
    };
    const tokenStore: TokenStore = {
      get(key) {
        cost.reads += 1;
        return after(machine, 1, () => inner.get(key));
      },
      set(key, value, ttlMs) {
        cost.writes += 1;
        return after(machine, 1, () => inner.set(key, value, ttlMs));
      },
      lock(key, ttlMs) {
        cost.locks += 1;
        return after(machine, 1, () => inner.lock(key, ttlMs));
      },
    };
    const state = scripted({ tokenStore });
    state.onToken = () => {
      cost.tokenRequests += 1;
      return after(machine, MINT_MS, async (): Promise<Answer> => {
        if (!isSecretGood) return { status: 401, body: { error: 'invalid_client' } };
        const accessToken = `token-${(minted += 1)}`;
        good.add(accessToken);
        return tokenAnswer(accessToken);
      });
    };
    state.onApi = ({ headers }) =>
      good.has(String(headers.get('Authorization')).slice('Bearer '.length)) ? {} : { status: 401 };
    return { machine, state };
  });

  return {
    each: (act: (state: Scripted) => Promise<unknown>): void => {
      for (const { machine, state } of processes) {
        clock.after(0, machine, () => void act(state).catch(() => undefined));
      }
    },
    revoke: () => good.clear(),
    spoilSecret: () => (isSecretGood = false),
    /** What was spent since the last time. */
    spent: (phase: string): Cost => {
      const spent = cost;
      cost = { tokenRequests: 0, reads: 0, writes: 0, locks: 0 };
      rows.push([phase, size, spent.tokenRequests, spent.reads, spent.writes, spent.locks]);
      return spent;
    },
  };
}

const pass = (ms: number): Promise<void> => clock.runUntil(clock.nowMs + ms);

test.each([1, 10, 100, 1000])(
  'a cold start, a revocation and a lifetime cost a fleet of %i one token each, and few store calls per process',
  async (size) => {
    const { each, revoke, spent } = openFleet(size);
    // One try and one read at once, and one of each every 50 to 100 ms for the 200 ms of the token request.
    const tries = 1 + Math.ceil((MINT_MS + 5) / 50);

    each(({ api }) => api.get('/v1/research'));
    await pass(2 * SECOND);
    const cold = spent('cold start');
    expect(cold).toMatchObject({ tokenRequests: 1, writes: 1 });
    expect(cold.locks).toBeLessThanOrEqual(1 + (size - 1) * tries);
    expect(cold.reads).toBeLessThanOrEqual(2 + (size - 1) * (1 + tries));

    revoke();
    each(({ api }) => api.get('/v1/research'));
    await pass(2 * SECOND);
    const revocation = spent('revocation');
    expect(revocation).toMatchObject({ tokenRequests: 1, writes: 1 });
    expect(revocation.locks).toBeLessThanOrEqual(1 + (size - 1) * tries);
    expect(revocation.reads).toBeLessThanOrEqual(2 + (size - 1) * (1 + tries));

    // One hour's token, traffic every half second in the minute in which its refresh window begins.
    await pass(54.9 * MINUTE);
    for (let elapsedMs = 0; elapsedMs < 1.2 * MINUTE; elapsedMs += 500) {
      each(({ auth }) => auth.getToken());
      await pass(500);
    }
    const lifetime = spent('rollover');
    expect(lifetime).toMatchObject({ tokenRequests: 1, writes: 1 });
    expect(lifetime.reads).toBeLessThanOrEqual(2 + 1.05 * size);
    expect(lifetime.locks).toBeLessThanOrEqual(1 + 0.05 * size);
  },
  120_000,
);

test.each([1, 10, ...(isAtLength ? [100, 1000] : [])])(
  'an hour of a wrong secret costs each process of a fleet of %i at most 16 token requests',
  async (size) => {
    const { each, spoilSecret, spent } = openFleet(size);
    spoilSecret();
    for (let elapsedMs = 0; elapsedMs < HOUR; elapsedMs += 15 * SECOND) {
      each(({ auth }) => auth.getToken());
      await pass(15 * SECOND);
    }
    const wrong = spent('hour of a wrong secret');
    // Cool-downs of 30 s, 1, 2, 4 and then 5 min.
    expect(wrong.tokenRequests).toBeLessThanOrEqual(16 * size);
    expect(wrong.writes).toBe(0);
  },
  isAtLength ? 1_200_000 : 120_000,
);
