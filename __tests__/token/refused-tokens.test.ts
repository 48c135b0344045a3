import { memoryTokenStore } from '../stores/memory-store';
import { rejection, tokenAnswer } from '../support/scripted';
import {
  advance,
  HOUR,
  MINUTE,
  openProcess,
  request,
  scriptedBipsync,
  scriptedStore,
  type ScriptedStore,
  SECOND,
  storedToken,
  tick,
  useVirtualTime,
} from './support';

useVirtualTime();

/** A process whose token was just revoked. */
async function revoked(store: ScriptedStore) {
  const bipsync = scriptedBipsync();
  const process = openProcess(store, bipsync);
  await request(process);
  await tick();
  bipsync.revoke();
  store.log.length = 0;
  return { bipsync, process };
}

test('a refused token counts as absent both times the store is read', async () => {
  const store = scriptedStore();
  const { process } = await revoked(store);
  await request(process);
  await tick();
  expect(process.sent).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2']);
  expect(store.log).toEqual(['get', 'lock', 'get', 'endpoint', 'set', 'release']);
  expect(store.value).toContain('token-2');
});

test('after a refused token, a newer one from the store is used without a token request', async () => {
  const store = scriptedStore();
  const { bipsync, process } = await revoked(store);
  store.value = storedToken('token-of-another');
  bipsync.good.add('token-of-another');
  await request(process);
  expect(process.sent.at(-1)).toBe('Bearer token-of-another');
  expect(store.log).toEqual(['get']);
  expect(bipsync.minted).toBe(1);
});

test('a refused token counts as absent while its process waits for the holder of the lock', async () => {
  const store = scriptedStore();
  const { bipsync, process } = await revoked(store);
  store.held = true;
  const answered = request(process);
  await advance(SECOND);
  expect(bipsync.minted).toBe(1);
  store.value = storedToken('token-of-another');
  bipsync.good.add('token-of-another');
  await advance(100);
  await answered;
  expect(process.sent.at(-1)).toBe('Bearer token-of-another');
});

test('a refused token stays absent when a slow, late write brings it back', async () => {
  const late: (() => void)[] = [];
  const store = scriptedStore({
    set: (_key, value) =>
      value.includes('token-1"')
        ? new Promise<undefined>((resolve) =>
            late.push(() => {
              store.value = value;
              resolve(undefined);
            }),
          )
        : Promise.resolve(void (store.value = value)),
  });
  const { bipsync, process } = await revoked(store);
  await advance(7 * SECOND);
  await request(process);
  expect(process.sent.at(-1)).toBe('Bearer token-2');
  await advance(7 * SECOND);

  late.forEach((land) => land());
  expect(store.value).toContain('token-1');
  bipsync.revoke();
  await request(process);
  expect(process.sent.slice(-2)).toEqual(['Bearer token-2', 'Bearer token-3']);
  expect(store.value).toContain('token-3');

  const cold = openProcess(store, bipsync);
  await request(cold);
  expect(cold.sent).toEqual(['Bearer token-3']);
});

test('a token that was replaced stays absent when a late write brings it back', async () => {
  const store = scriptedStore();
  const bipsync = scriptedBipsync();
  const process = openProcess(store, bipsync);
  await request(process);
  await tick();
  const first = store.value;
  await advance(56 * MINUTE);
  await request(process);
  await tick();
  store.value = first;
  bipsync.revoke();
  await request(process);
  expect(process.sent.slice(-2)).toEqual(['Bearer token-2', 'Bearer token-3']);
});

test.each([
  ['eight refused tokens are', 8, 'Bearer token-9'],
  ['the one before them is not', 9, 'Bearer token-1'],
])('a process remembers its last eight refused tokens: %s', async (_what, refusals, sent) => {
  const store = scriptedStore();
  const { process, bipsync } = await revoked(store);
  const first = store.value;
  for (let refusal = 1; refusal < refusals; refusal += 1) {
    await Promise.all([request(process), request(process), request(process)]);
    await tick();
    bipsync.revoke();
  }
  store.value = first;
  bipsync.good.add('token-1');
  await request(process);
  expect(process.sent.at(-1)).toBe(sent);
});

test('a refused token that a store returns to a process which never saw it costs that process one replay', async () => {
  const store = scriptedStore();
  store.value = storedToken('long-revoked');
  const process = openProcess(store);
  await request(process);
  expect(process.sent).toEqual(['Bearer long-revoked', 'Bearer token-1']);
});

test('a refused token is good again once the token endpoint itself issues it again', async () => {
  const store = scriptedStore();
  const { bipsync, process } = await revoked(store);
  const given = ['token-1', 'token-2'];
  process.onToken = () => {
    const accessToken = given.shift()!;
    bipsync.good.add(accessToken);
    return tokenAnswer(accessToken);
  };
  await request(process);
  await tick();
  expect(process.sent.at(-1)).toBe('Bearer token-1');
  expect(store.value).toContain('token-1');
  bipsync.revoke();
  await request(process);
  expect(process.sent.at(-1)).toBe('Bearer token-2');
});

test.failing(
  'without a lock, a revocation fails no request although each process had a token of its own',
  async () => {
    const { get, set } = memoryTokenStore();
    const bipsync = scriptedBipsync();
    const processes = Array.from({ length: 3 }, () => openProcess({ get, set }, bipsync));
    await Promise.all(processes.map(request));
    expect(bipsync.minted).toBe(3);
    bipsync.revoke();
    for (const process of processes) await request(process);
    expect(bipsync.minted).toBe(4);
  },
);

test.each([
  ['each in turn, every 2 s', 2, 2 * SECOND],
  ['each in turn, every second', 2, SECOND],
  ['three of them', 3, 2 * SECOND],
])(
  'processes that call an endpoint outside their scopes make at most 22 tokens an hour each: %s',
  async (_how, count, everyMs) => {
    const store = memoryTokenStore();
    const bipsync = scriptedBipsync();
    const processes = Array.from({ length: count }, () => openProcess(store, bipsync));
    for (const process of processes) process.onApi = () => ({ status: 401 });
    for (let call = 0; call * everyMs < HOUR; call += 1) {
      const failed = rejection(request(processes[call % count]!));
      await advance(everyMs);
      await failed;
    }
    expect(bipsync.minted).toBeLessThanOrEqual(22 * count);
  },
);
