import {
  advance,
  HOUR,
  MINUTE,
  never,
  openProcess,
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

const failures: [how: string, fail: () => Promise<never>, afterMs: number][] = [
  ['rejects', () => Promise.reject(new Error('down')), 0],
  [
    'throws synchronously',
    () => {
      throw new Error('down');
    },
    0,
  ],
  ['hangs', never, SECOND],
];
const operations = ['get', 'set', 'lock'] as const;
const cases = operations.flatMap((operation) =>
  failures.map(([how, fail, afterMs]) => ({ operation, how, fail, afterMs })),
);

test.each(cases)(
  'if the $operation of a store $how, an event reports it, the store is not used for 5 s, and no request fails',
  async ({ operation, fail, afterMs }) => {
    const store = scriptedStore({ [operation]: fail });
    const process = openProcess(store);
    const mint = async (): Promise<void> => {
      process.auth.invalidate();
      const answered = request(process);
      await advance(afterMs);
      await answered;
      await tick();
    };
    await mint();
    expect(process.sent).toEqual(['Bearer token-1']);
    expect(storeFailures(process.events)).toEqual([operation]);

    const callsAtFailure = store.log.filter((entry) => entry !== 'endpoint').length;
    const calls = (): number => store.log.filter((entry) => entry !== 'endpoint').length;
    // From memory, without a word to the store.
    await request(process);
    // Not even for another token.
    process.auth.invalidate();
    await request(process);
    await advance(4999 - afterMs);
    process.auth.invalidate();
    await request(process);
    expect(calls()).toBe(callsAtFailure);
    expect(process.sent).toHaveLength(4);

    await advance(afterMs + 1);
    await mint();
    expect(calls()).toBeGreaterThan(callsAtFailure);
    expect(storeFailures(process.events)).toEqual([operation, operation]);
  },
);

test('a store that was down is used again after its rest', async () => {
  let isDown = true;
  const store = scriptedStore({
    get: () => (isDown ? Promise.reject(new Error('down')) : Promise.resolve(store.value)),
  });
  const bipsync = scriptedBipsync();
  const process = openProcess(store, bipsync);
  await request(process);
  isDown = false;
  await advance(55.5 * MINUTE);
  await request(process);
  await tick();
  expect(store.value).toContain('token-2');
  const other = openProcess(store, bipsync);
  await request(other);
  expect(other.sent).toEqual(['Bearer token-2']);
});

test.each(failures)('a release that %s delays no request', async (_how, release) => {
  const store = scriptedStore({ release });
  const process = openProcess(store);
  await request(process);
  await advance(HOUR);
  await request(process);
  expect(process.sent).toEqual(['Bearer token-1', 'Bearer token-2']);
  expect(new Set(storeFailures(process.events))).toEqual(new Set(release === never ? [] : ['release']));
});

test('a store that answers within a second is used', async () => {
  const store = scriptedStore({
    get: () => new Promise((resolve) => setTimeout(() => resolve(storedToken('stored')), 999)),
  });
  const process = openProcess(store);
  const token = process.auth.getToken();
  await advance(999);
  expect((await token).accessToken).toBe('stored');
  expect(storeFailures(process.events)).toEqual([]);
});

test('an answer that a store gives after a second is not used', async () => {
  const store = scriptedStore({
    get: () => new Promise((resolve) => setTimeout(() => resolve(storedToken('stored')), 1001)),
  });
  const process = openProcess(store);
  const answered = request(process);
  await advance(1000);
  await answered;
  await advance(10);
  await request(process);
  expect(process.sent).toEqual(['Bearer token-1', 'Bearer token-1']);
});

test('a store that hangs delays all requests together by one bound', async () => {
  const store = scriptedStore({ get: never, set: never, lock: never });
  const process = openProcess(store);
  const answered = Promise.all(Array.from({ length: 50 }, () => request(process)));
  await advance(SECOND);
  await answered;
  expect(process.tokenRequests).toHaveLength(1);
  expect(store.log).toEqual(['get', 'endpoint']);
});

test('a store that hangs is given up after a second, however long tokenTimeoutMs is', async () => {
  const process = openProcess(scriptedStore({ get: never }), undefined, { tokenTimeoutMs: 60_000 });
  const answered = request(process);
  await advance(SECOND - 1);
  expect(process.tokenRequests).toHaveLength(0);
  await advance(1);
  await answered;
  expect(process.tokenRequests).toHaveLength(1);
});

test('a hanging store fails no request, however short tokenTimeoutMs is', async () => {
  const store = scriptedStore({ get: never });
  const process = openProcess(store, undefined, { tokenTimeoutMs: 900 });
  const outcome = request(process).then(
    () => 'answered',
    (error: unknown) => String(error),
  );
  await advance(2 * SECOND);
  expect(await outcome).toBe('answered');
});

test.each([
  [900, 3000],
  [490, 2000],
])(
  'a store that answers in %i ms fails no request with a tokenTimeoutMs of %i',
  async (ms, tokenTimeoutMs) => {
    const slowly = (): Promise<undefined> =>
      new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
    const process = openProcess(scriptedStore({ get: slowly, lock: slowly }), undefined, { tokenTimeoutMs });
    const outcome = request(process).then(
      () => 'answered',
      (error: unknown) => String(error),
    );
    await advance(5 * SECOND);
    expect(await outcome).toBe('answered');
  },
);
