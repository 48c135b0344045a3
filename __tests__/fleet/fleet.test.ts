import Redis from 'ioredis';
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

import { type BipsyncEmulator, startBipsyncEmulator } from '../../src/testing';
import { describeWithRedis, type RedisServer, startRedisServer } from '../support/redis-server';
import { buildWorker, startWorker, table, type Worker } from './fleet';
import type { Report, WorkerOptions } from './worker';

const PROCESSES = Math.max(8, Number(process.env['FLEET_PROCESSES'] ?? 8));
/** More processes on the same cores need more time for the same. */
const SLOWNESS = Math.ceil(PROCESSES / 8);
const TRAFFIC = { do: 'start', everyMs: 100 * SLOWNESS } as const;
const TOKEN_TIMEOUT_MS = 4000;
const LOCK_MS = TOKEN_TIMEOUT_MS / 2;
const STORE_REST_MS = 5000;
/** A token is refreshed a fifth of its life before its end, so that it serves four fifths at least. */
const LEAST_USED = 0.79;
/** A token is not sent in the last twentieth of its life; what is longer on its way than that can be refused. */
const MARGIN = 0.05;

jest.setTimeout(60_000 * SLOWNESS);

describeWithRedis(`a fleet of ${PROCESSES} processes on one Redis`, () => {
  const rows: (string | number)[][] = [
    [
      'phase',
      'processes',
      'requests',
      'failed',
      'API 401s',
      'token requests',
      'store reads',
      'store writes',
      'lock attempts',
      'store failures',
      'slowest ms',
    ],
  ];
  let server: RedisServer;
  let bipsync: BipsyncEmulator;
  let bundle: ReturnType<typeof buildWorker>;
  let workers: Worker[] = [];

  beforeAll(async () => {
    bundle = buildWorker();
    [server, bipsync] = await Promise.all([
      startRedisServer(),
      startBipsyncEmulator({ record: true, tokenDelayMs: 100 }),
    ]);
    workers = await Promise.all(Array.from({ length: PROCESSES }, (_, index) => startOne(index)));
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
    await Promise.all([bipsync.close(), server.stop()]);
    bundle.remove();
    process.stdout.write(`\n${table(rows)}\n\n`);
  });

  const encryptionKey = randomBytes(32).toString('base64');
  function startOne(index: number): Promise<Worker> {
    const { url: baseURL, clientId, clientSecret, teamId } = bipsync;
    const options: WorkerOptions = {
      redis: index % 2 === 0 ? 'node-redis' : 'ioredis',
      redisUrl: server.url,
      encryptionKey,
      auth: { baseURL, clientId, clientSecret, teamId, tokenTimeoutMs: TOKEN_TIMEOUT_MS },
    };
    return startWorker(bundle.path, options);
  }

  const all = (command: Parameters<Worker['ask']>[0]): Promise<unknown[]> =>
    Promise.all(workers.map((worker) => worker.ask(command)));

  /** Everything that happened since the last report, as one row of the table and in detail. */
  async function report(phase: string) {
    const reports = await Promise.all(workers.map((worker) => worker.report()));
    const sum = (count: (report: Report) => number): number =>
      reports.reduce((total, each) => total + count(each), 0);
    const phaseReport = {
      reports,
      requests: sum(({ requests }) => requests),
      failures: reports.flatMap(({ failures }) => failures),
      unauthorized: bipsync.requests.filter(({ status }) => status === 401).length,
      tokenRequests: bipsync.tokenRequests,
      reads: sum(({ reads }) => reads),
      writes: sum(({ writes }) => writes),
      locks: sum(({ locks }) => locks),
      storeFailures: sum(({ storeFailed }) => storeFailed.length),
      slowestMs: Math.max(...reports.map(({ slowestMs }) => slowestMs)),
    };
    bipsync.resetCounters();
    rows.push([
      phase,
      PROCESSES,
      phaseReport.requests,
      phaseReport.failures.length,
      phaseReport.unauthorized,
      phaseReport.tokenRequests,
      phaseReport.reads,
      phaseReport.writes,
      phaseReport.locks,
      phaseReport.storeFailures,
      phaseReport.slowestMs,
    ]);
    return phaseReport;
  }

  /** The tokens that came from the endpoint, by when they expire. */
  const minted = (reports: readonly Report[]): number[] =>
    reports
      .flatMap(({ acquired }) => acquired.filter(({ source }) => source === 'endpoint'))
      .map(({ expiresAt }) => expiresAt)
      .sort((one, other) => one - other);

  /** The 401s that no delay on the way explains. */
  const promptRefusals = (reports: readonly Report[], lifetimeMs: number): number[] =>
    reports.flatMap(({ refusedAfterMs }) => refusedAfterMs.filter((ms) => ms < MARGIN * lifetimeMs));

  const shortestGap = (times: readonly number[]): number =>
    Math.min(...times.slice(1).map((time, index) => time - times[index]!));

  /** From now on tokens live this long, and every process has one of these. */
  async function switchLifetime(expiresIn: number): Promise<void> {
    bipsync.expiresIn = expiresIn;
    bipsync.revokeTokens();
    await all({ do: 'request', count: 1 });
    await Promise.all(workers.map((worker) => worker.report()));
    bipsync.resetCounters();
  }

  async function until(condition: () => Promise<boolean>, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!(await condition())) {
      if (performance.now() > deadline) throw new Error('it did not happen in time');
      await wait(100);
    }
  }

  it('a fleet makes one token request on a cold start', async () => {
    await all({ do: 'request', count: 20 });
    expect(await report('cold start')).toMatchObject({
      requests: 20 * PROCESSES,
      failures: [],
      unauthorized: 0,
      tokenRequests: 1,
      writes: 1,
      storeFailures: 0,
    });
  });

  it('a fleet keeps no secret and no unencrypted token in Redis, and nothing there lives for ever', async () => {
    const { accessToken } = (await workers[0]!.ask({ do: 'token' })) as { accessToken: string };
    const redis = new Redis(server.url);
    try {
      const keys = await redis.keys('*');
      expect(keys.length).toBeGreaterThan(0);
      for (const key of keys) {
        const entry = `${key} ${await redis.get(key)}`;
        expect(await redis.pttl(key)).toBeGreaterThan(0);
        for (const secret of [accessToken, bipsync.clientSecret, bipsync.clientId]) {
          expect(entry.includes(secret)).toBe(false);
        }
      }
    } finally {
      redis.disconnect();
    }
  });

  it('a fleet makes one token request after a revocation', async () => {
    bipsync.revokeTokens();
    await all({ do: 'request', count: 20 });
    expect(await report('revocation')).toMatchObject({
      failures: [],
      tokenRequests: 1,
      writes: 1,
      storeFailures: 0,
    });
  });

  it('a fleet under traffic makes one token request per lifetime, without a 401 or a failed request', async () => {
    const lifetimeMs = 2000 * SLOWNESS;
    await switchLifetime(lifetimeMs / 1000);
    await all(TRAFFIC);
    await wait(2.5 * lifetimeMs);
    await all({ do: 'stop' });
    const rollover = await report('rollover, 2.5 lifetimes');
    expect(rollover).toMatchObject({ failures: [], storeFailures: 0 });
    expect(promptRefusals(rollover.reports, lifetimeMs)).toEqual([]);
    const tokens = minted(rollover.reports);
    expect(tokens.length).toBeGreaterThanOrEqual(2);
    // The last refresh may be under way still.
    expect([tokens.length, tokens.length + 1]).toContain(rollover.tokenRequests);
    expect(shortestGap(tokens)).toBeGreaterThan(LEAST_USED * lifetimeMs);
  });

  it('a process that dies with the lock delays the fleet for no longer than the lock lasts', async () => {
    bipsync.expiresIn = 3600;
    const scopes = ['users:read', 'rest_api:read'];
    const victim = await startOne(PROCESSES);
    bipsync.failTokenRequests('stall');
    void victim.ask({ do: 'request', count: 1, scopes });
    await until(async () => bipsync.tokenRequests === 1, 5000);
    await victim.kill();
    await all({ do: 'request', count: 5, scopes });
    const orphaned = await report('holder of the lock dies');
    expect(orphaned).toMatchObject({ failures: [], unauthorized: 0, storeFailures: 0 });
    expect(orphaned.slowestMs).toBeLessThan(TOKEN_TIMEOUT_MS);
    expect(orphaned.tokenRequests).toBeLessThanOrEqual(1 + PROCESSES);
  });

  it('a process with the lock whose token request is refused delays the fleet only for a moment', async () => {
    const scopes = ['groups:read', 'rest_api:read'];
    const refused = await startOne(PROCESSES + 1);
    // The credentials of one process are out of date, and the token endpoint takes its time to say so.
    bipsync.failTokenRequests({ status: 401, body: { error: 'invalid_client' }, delayMs: 500 }, 1);
    const failed = refused.ask({ do: 'request', count: 1, scopes }).then(() => performance.now());
    await until(async () => bipsync.tokenRequests === 1, 5000);
    const answered = workers.map(async (worker) => {
      await worker.ask({ do: 'request', count: 1, scopes });
      return performance.now();
    });
    const [failedAt, ...answeredAt] = await Promise.all([failed, ...answered]);
    await refused.kill();
    const waitedMs = answeredAt.map((at) => Math.round(at - failedAt)).sort((one, other) => one - other);
    process.stdout.write(
      `after the holder of the lock failed, the others waited ${waitedMs.join(', ')} ms\n`,
    );
    const held = await report('holder of the lock fails');
    expect(held).toMatchObject({ failures: [], unauthorized: 0, tokenRequests: 2, storeFailures: 0 });
    // Nobody waits for the end of the lock's life.
    expect(waitedMs[Math.floor(waitedMs.length / 2)]).toBeLessThan(LOCK_MS - 600);
  });

  it('a fleet loses no request while Redis is killed and started again, and then shares tokens again by itself', async () => {
    const lifetimeMs = 2000 * SLOWNESS;
    await switchLifetime(lifetimeMs / 1000);
    await all(TRAFFIC);
    await wait(200);
    await server.kill();
    await wait(1.5 * lifetimeMs + 1000);
    const down = await report('Redis killed');
    expect(down.failures).toEqual([]);
    for (const { acquired, storeFailed } of down.reports) {
      expect(storeFailed.length).toBeGreaterThan(0);
      expect(acquired.some(({ source }) => source === 'endpoint')).toBe(true);
    }

    await server.restart();
    const expiries = async (): Promise<Set<number>> => {
      const tokens = (await all({ do: 'token' })) as { expiresAt: number }[];
      return new Set(tokens.map(({ expiresAt }) => expiresAt));
    };
    const untilShared = (): Promise<void> =>
      until(async () => (await expiries()).size === 1, 8000 + 3 * lifetimeMs);
    await untilShared();
    const back = await report('Redis back, until shared');
    expect(back.failures).toEqual([]);
    for (const [index, { acquired }] of back.reports.entries()) {
      const own = minted([down.reports[index]!, { ...back.reports[index]!, acquired }]);
      expect(shortestGap(own)).toBeGreaterThan(LEAST_USED * lifetimeMs);
    }

    if (back.storeFailures > 0) {
      // A process whose call failed while Redis started leaves the store alone, and may then mint a token of its own.
      await wait(STORE_REST_MS);
      await untilShared();
      expect(await report('the last rest ends')).toMatchObject({ failures: [] });
    }

    await wait(2.2 * lifetimeMs);
    await all({ do: 'stop' });
    const shared = await report('shared again, 2.2 lifetimes');
    expect(shared).toMatchObject({ failures: [], storeFailures: 0 });
    expect(promptRefusals(shared.reports, lifetimeMs)).toEqual([]);
    const tokens = minted(shared.reports);
    expect(tokens.length).toBeGreaterThanOrEqual(2);
    // One may have been asked for before this phase and have come in it, another may be under way still.
    expect(Math.abs(shared.tokenRequests - tokens.length)).toBeLessThanOrEqual(1);
    expect(shortestGap(tokens)).toBeGreaterThan(LEAST_USED * lifetimeMs);
  });
});
