import { type Answer, deferred, rejection, tokenAnswer } from '../support/scripted';
import {
  advance,
  MINUTE,
  openProcess,
  request,
  scriptedBipsync,
  scriptedStore,
  SECOND,
  sourcesOf,
  storedToken,
  tick,
  useVirtualTime,
} from './support';

useVirtualTime();

test('an acquisition reads the store, takes the lock, reads again, asks the token endpoint, writes and releases', async () => {
  const store = scriptedStore();
  const process = openProcess(store);
  await request(process);
  await tick();
  expect(store.log).toEqual(['get', 'lock', 'get', 'endpoint', 'set', 'release']);
});

test('without a lock, an acquisition reads the store, asks the token endpoint and writes', async () => {
  const { log, get, set } = scriptedStore();
  const process = openProcess({ get, set });
  process.onToken = () => {
    log.push('endpoint');
    return tokenAnswer('token-1');
  };
  process.onApi = () => ({});
  await request(process);
  expect(log).toEqual(['get', 'endpoint', 'set']);
});

test('a token that is in the store costs one read and no token request', async () => {
  const store = scriptedStore();
  const bipsync = scriptedBipsync();
  await request(openProcess(store, bipsync));
  await tick();
  store.log.length = 0;
  const second = openProcess(store, bipsync);
  await request(second);
  expect(second.sent).toEqual(['Bearer token-1']);
  expect(sourcesOf(second.events)).toEqual(['store']);
  expect(store.log).toEqual(['get']);
});

test('a token that another process stored before the lock was taken costs no token request', async () => {
  const store = scriptedStore({
    lock: async () => {
      store.value = storedToken('token-of-another');
      return async () => void store.log.push('release');
    },
  });
  const process = openProcess(store);
  const { accessToken } = await process.auth.getToken();
  await tick();
  expect(accessToken).toBe('token-of-another');
  expect(store.log).toEqual(['get', 'lock', 'get', 'release']);
});

test('while the token in memory is good, no request touches the store', async () => {
  const store = scriptedStore();
  const process = openProcess(store);
  await request(process);
  await tick();
  const calls = store.log.length;
  for (let minute = 0; minute < 50; minute += 1) {
    await Promise.all(Array.from({ length: 20 }, () => request(process)));
    await advance(MINUTE);
  }
  expect(process.apiRequests).toHaveLength(1001);
  expect(store.log).toHaveLength(calls);
});

test('a hundred waiting requests go through store, lock and token endpoint once', async () => {
  const store = scriptedStore();
  const process = openProcess(store);
  await Promise.all(Array.from({ length: 100 }, () => request(process)));
  await tick();
  expect(store.log).toEqual(['get', 'lock', 'get', 'endpoint', 'set', 'release']);
});

test('the lock is kept until the token is stored, and no request waits for that', async () => {
  const written = deferred<undefined>();
  const store = scriptedStore({ set: () => written.promise });
  await request(openProcess(store));
  await advance(500);
  expect(store.log.at(-1)).toBe('set');
  written.resolve(undefined);
  await tick();
  expect(store.log.at(-1)).toBe('release');
});

test('the lock is released when the token endpoint refuses', async () => {
  const store = scriptedStore();
  const process = openProcess(store);
  process.onToken = () => ({ status: 401 });
  await rejection(request(process));
  await tick();
  expect(store.log).toEqual(['get', 'lock', 'get', 'release']);
});

test('the lock is released when the acquisition runs out of time', async () => {
  const store = scriptedStore();
  const process = openProcess(store);
  process.onToken = ({ signal }) =>
    new Promise<Answer>((_resolve, reject) => {
      signal?.addEventListener?.('abort', () => reject(new Error('canceled')));
    });
  const failed = rejection(request(process));
  await advance(10 * SECOND);
  expect((await failed)['code']).toBe('ERR_BIPSYNC_TOKEN_UNAVAILABLE');
  await tick();
  expect(store.log).toEqual(['get', 'lock', 'get', 'release']);
});

test.each([
  [10_000, 5000],
  [60_000, 5000],
  [3001, 1501],
  [1, 1],
])('with a tokenTimeoutMs of %i, the lock is taken for %i ms', async (tokenTimeoutMs, ttlMs) => {
  const store = scriptedStore();
  await openProcess(store, undefined, { tokenTimeoutMs }).auth.getToken();
  expect(store.locks).toEqual([{ key: store.sets[0]?.key, ttlMs }]);
});
