import { memoryTokenStore } from '../stores/memory-store';
import { deferred } from '../support/scripted';
import {
  advance,
  MINUTE,
  never,
  openProcess,
  pseudoRandom,
  readsOf,
  request,
  scriptedBipsync,
  scriptedStore,
  SECOND,
  storedToken,
  storeFailures,
  tick,
  useVirtualTime,
} from './support';

useVirtualTime();

test('while another process holds the lock, the store is read every 50 to 100 ms until the token is there', async () => {
  const store = scriptedStore();
  store.held = true;
  const bipsync = scriptedBipsync();
  const process = openProcess(store, bipsync);
  const answered = request(process);
  await advance(749);
  expect(readsOf(store)).toBe(10);
  store.value = storedToken('token-of-another');
  bipsync.good.add('token-of-another');
  await advance(1);
  await answered;
  expect(process.sent).toEqual(['Bearer token-of-another']);
  expect(bipsync.minted).toBe(0);
});

test.each([
  [0, 50],
  [0.999999, 99],
])('with a jitter of %f, the store is read again after %i ms', async (random, afterMs) => {
  jest.spyOn(Math, 'random').mockReturnValue(random);
  const store = scriptedStore();
  store.held = true;
  void request(openProcess(store));
  await advance(afterMs - 1);
  expect(readsOf(store)).toBe(1);
  await advance(1.01);
  expect(readsOf(store)).toBe(2);
});

test.each([
  [10_000, 5000],
  [2000, 1000],
])(
  'with a tokenTimeoutMs of %i, a lock that another process holds stops no request for longer than %i ms',
  async (tokenTimeoutMs, boundMs) => {
    const store = scriptedStore();
    store.held = true;
    const process = openProcess(store, undefined, { tokenTimeoutMs });
    const answered = request(process);
    await advance(boundMs - 1);
    expect(process.sent).toEqual([]);
    await advance(76);
    await answered;
    expect(process.sent).toEqual(['Bearer token-1']);
    expect(store.log.slice(-2)).toEqual(['endpoint', 'set']);
    expect(store.held).toBe(true);
    expect(storeFailures(process.events)).toEqual([]);
  },
);

test('a lock that is obtained after the request was answered is released at once', async () => {
  const answer = deferred<() => Promise<void>>();
  const release = jest.fn(async () => undefined);
  const store = scriptedStore({ lock: () => answer.promise });
  const process = openProcess(store);
  const answered = request(process);
  await advance(SECOND);
  await answered;
  expect(storeFailures(process.events)).toEqual(['lock']);
  await advance(MINUTE);
  answer.resolve(release);
  await tick();
  expect(release).toHaveBeenCalledTimes(1);
});

test('a lock that is obtained after the acquisition ran out of time is released at once', async () => {
  const answer = deferred<() => Promise<void>>();
  const release = jest.fn(async () => undefined);
  const process = openProcess(scriptedStore({ lock: () => answer.promise }), undefined, {
    tokenTimeoutMs: 500,
  });
  const outcome = request(process).catch(() => undefined);
  await advance(700);
  answer.resolve(release);
  await tick();
  await outcome;
  expect(release).toHaveBeenCalledTimes(1);
});

test('a late answer that no lock was obtained, or an error, changes nothing', async () => {
  const answers = [deferred<undefined>(), deferred<undefined>()];
  let calls = 0;
  const store = scriptedStore({ lock: () => answers[calls++]!.promise });
  const process = openProcess(store);
  for (let index = 0; index < 2; index += 1) {
    process.auth.invalidate();
    const answered = request(process);
    await advance(SECOND);
    await answered;
    await advance(6 * SECOND);
  }
  answers[0]!.resolve(undefined);
  answers[1]!.reject(new Error('too late'));
  await tick();
  expect(storeFailures(process.events)).toEqual(['lock', 'lock']);
});

test('a late lock whose release fails is reported by an event', async () => {
  const answer = deferred<() => Promise<void>>();
  const process = openProcess(scriptedStore({ lock: () => answer.promise }));
  const answered = request(process);
  await advance(SECOND);
  await answered;
  answer.resolve(() => {
    throw new Error('gone');
  });
  await tick();
  expect(storeFailures(process.events)).toEqual(['lock', 'release']);
});

test('a process that waits for a lock stops reading a store that fails', async () => {
  const store = scriptedStore();
  store.held = true;
  const process = openProcess(store);
  void request(process);
  await advance(500);
  store.get = () => Promise.reject(new Error('down'));
  await advance(200);
  expect(process.sent).toEqual(['Bearer token-1']);
});

test('a lock that its holder released without a token is taken by a process that waits', async () => {
  const store = scriptedStore();
  store.held = true;
  const process = openProcess(store);
  void request(process);
  await advance(500);
  store.held = false;
  await advance(200);
  expect(process.sent).toEqual(['Bearer token-1']);
});

test.failing('a lock whose holder died costs one token, not one for each process that waits', async () => {
  jest.spyOn(Math, 'random').mockImplementation(pseudoRandom());
  const store = memoryTokenStore();
  const bipsync = scriptedBipsync();
  const slowly = bipsync.onToken;
  bipsync.onToken = async () => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return slowly();
  };
  const dead = openProcess(store, bipsync);
  dead.onToken = never;
  void request(dead).catch(() => undefined);
  await advance(100);
  const answered = Promise.all(Array.from({ length: 10 }, () => request(openProcess(store, bipsync))));
  await advance(6 * SECOND);
  await answered;
  expect(bipsync.minted).toBe(1);
});
