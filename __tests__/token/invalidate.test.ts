import { memoryTokenStore } from '../stores/memory-store';
import { deferred, type Scripted } from '../support/scripted';
import {
  advance,
  HOUR,
  MINUTE,
  openProcess,
  request,
  scriptedBipsync,
  scriptedStore,
  SECOND,
  storedToken,
  tick,
  useVirtualTime,
} from './support';

useVirtualTime();

test('after invalidate() the stored token is not used', async () => {
  const store = scriptedStore();
  const process = openProcess(store);
  await request(process);
  await tick();
  process.auth.invalidate();
  await request(process);
  expect(process.sent).toEqual(['Bearer token-1', 'Bearer token-2']);
});

test('after invalidate() a stored token that was never read is not used', async () => {
  const store = scriptedStore();
  store.value = storedToken('from-before');
  const process = openProcess(store);
  process.auth.invalidate();
  await request(process);
  await tick();
  expect(process.sent).toEqual(['Bearer token-1']);
  expect(store.value).toContain('token-1');
});

test('after invalidate() the result of a read under way is not used', async () => {
  const answer = deferred<unknown>();
  const store = scriptedStore({ get: () => answer.promise });
  const process = openProcess(store);
  const answered = request(process);
  await tick();
  process.auth.invalidate();
  answer.resolve(storedToken('from-before'));
  await answered;
  expect(process.sent).toEqual(['Bearer token-1']);
});

/** What ten processes that share a store, and invalidate as told, make of one request each. */
async function invalidated(
  isWarm: boolean,
  invalidate: (processes: Scripted[]) => Promise<void>,
): Promise<{ minted: number; tookMs: number }> {
  const store = memoryTokenStore();
  const bipsync = scriptedBipsync();
  const processes = Array.from({ length: 10 }, () => openProcess(store, bipsync));
  if (isWarm) {
    const answered = Promise.all(processes.map(request));
    await advance(200);
    await answered;
  }
  await invalidate(processes);
  const before = bipsync.minted;
  const start = performance.now();
  const answered = Promise.all(processes.map(request)).then(() => performance.now() - start);
  await advance(6 * SECOND);
  return { minted: bipsync.minted - before, tookMs: await answered };
}

test.each([
  ['twice, where there was a token', true, 2],
  ['where there never was a token', false, 1],
])(
  'invalidate() in all processes %s lets nine of ten take the token that the first one makes next',
  async (_how, isWarm, times) => {
    const { minted, tookMs } = await invalidated(isWarm, async (processes) => {
      for (let time = 0; time < times; time += 1) processes.forEach(({ auth }) => auth.invalidate());
      await advance(1);
    });
    expect(minted).toBe(1);
    expect(tookMs).toBeLessThan(200);
  },
);

test('invalidate() keeps no process from the store if the clock is set back after it', async () => {
  const store = memoryTokenStore();
  const bipsync = scriptedBipsync();
  const [one, other] = [openProcess(store, bipsync), openProcess(store, bipsync)];
  other.auth.invalidate();
  jest.setSystemTime(Date.now() - 10 * MINUTE);
  await request(one);
  await tick();
  await request(other);
  expect(bipsync.minted).toBe(1);
});

test('hours after invalidate() the store serves a team that was not asked for before', async () => {
  const store = memoryTokenStore();
  const bipsync = scriptedBipsync();
  const processes = [openProcess(store, bipsync), openProcess(store, bipsync)];
  for (const { auth } of processes) auth.invalidate();
  await advance(6 * HOUR);
  for (const { api } of processes) await api.get('/v1/research', { bipsyncAuth: { teamId: 'b2' } });
  expect(bipsync.minted).toBe(1);
  expect(processes[1]!.events).toMatchObject([
    { type: 'token-acquired', reason: 'first', source: 'store', teamId: 'b2' },
  ]);
});

test('invalidate() in every process of a fleet costs one token', async () => {
  const store = memoryTokenStore();
  const bipsync = scriptedBipsync();
  const processes = Array.from({ length: 10 }, () => openProcess(store, bipsync));
  const requestAll = async (): Promise<void> => {
    const answered = Promise.all(processes.map(request));
    await advance(200);
    await answered;
  };
  await requestAll();
  expect(bipsync.minted).toBe(1);
  processes.forEach(({ auth }) => auth.invalidate());
  await advance(1);
  await requestAll();
  expect(bipsync.minted).toBe(2);
});

test('after invalidate() the stored token of a team that was never asked for is not used', async () => {
  const store = memoryTokenStore();
  const bipsync = scriptedBipsync();
  const asB = { bipsyncAuth: { teamId: 'b2' } };
  await openProcess(store, bipsync).api.get('/v1/research', asB);
  const process = openProcess(store, bipsync);
  process.auth.invalidate();
  await process.api.get('/v1/research', asB);
  expect(process.sent).toEqual(['Bearer token-2']);
});

test('after invalidate() a stored token is not used even if the present one had expired', async () => {
  const store = scriptedStore();
  const process = openProcess(store);
  await request(process);
  await advance(HOUR);
  store.value = storedToken('from-before');
  process.auth.invalidate();
  await request(process);
  expect(process.sent).toEqual(['Bearer token-1', 'Bearer token-2']);
});
