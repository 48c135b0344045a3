import { deferred } from '../support/scripted';
import {
  advance,
  MINUTE,
  openProcess,
  readsOf,
  request,
  scriptedBipsync,
  scriptedStore,
  type ScriptedStore,
  storedToken,
  storeFailures,
  tick,
  useVirtualTime,
} from './support';

useVirtualTime();

/** A process with a token of one hour, four minutes before its end. */
async function inWindow(store: ScriptedStore) {
  const bipsync = scriptedBipsync();
  const process = openProcess(store, bipsync);
  await request(process);
  await advance(56 * MINUTE);
  store.log.length = 0;
  process.events.length = 0;
  const refresh = async (): Promise<string | undefined> => {
    await request(process);
    await advance(10);
    return (await process.auth.getToken()).accessToken;
  };
  return { bipsync, process, refresh };
}

test('a refresh does not take the present token from the store', async () => {
  const store = scriptedStore();
  const { refresh } = await inWindow(store);
  expect(await refresh()).toBe('token-2');
  expect(store.log).toEqual(['get', 'lock', 'get', 'endpoint', 'set', 'release']);
});

test('a refresh takes a stored token that differs and expires later, without a token request', async () => {
  const store = scriptedStore();
  const { refresh, process } = await inWindow(store);
  store.value = storedToken('refreshed-by-another', 59 * MINUTE);
  expect(await refresh()).toBe('refreshed-by-another');
  expect(store.log).toEqual(['get']);
  expect(process.events).toMatchObject([{ type: 'token-acquired', reason: 'refresh', source: 'store' }]);
});

test('a refresh does not take the present token even if the store says that it expires later', async () => {
  const store = scriptedStore();
  const { refresh } = await inWindow(store);
  store.value = storedToken('token-1', 59 * MINUTE);
  expect(await refresh()).toBe('token-2');
});

test('a refresh does not take a stored token that expires earlier', async () => {
  const store = scriptedStore();
  const { refresh } = await inWindow(store);
  store.value = storedToken('older', 3 * MINUTE);
  expect(await refresh()).toBe('token-2');
});

test('a refresh does not take a stored token that expires at the same moment', async () => {
  const store = scriptedStore();
  const { refresh } = await inWindow(store);
  store.value = storedToken('other', 4 * MINUTE);
  expect(await refresh()).toBe('token-2');
});

test('a background refresh without the lock gives up for a second, and nothing fails', async () => {
  const store = scriptedStore();
  const { process, refresh, bipsync } = await inWindow(store);
  store.held = true;
  expect(await refresh()).toBe('token-1');
  expect(store.log).toEqual(['get', 'lock']);
  await advance(970);
  expect(await refresh()).toBe('token-1');
  expect(store.log).toEqual(['get', 'lock']);

  store.value = storedToken('refreshed-by-another', 59 * MINUTE);
  await advance(10);
  expect(await refresh()).toBe('refreshed-by-another');
  expect(store.log).toEqual(['get', 'lock', 'get']);
  expect(bipsync.minted).toBe(1);
  expect(process.events.filter(({ type }) => type !== 'token-acquired')).toEqual([]);
});

test('a background refresh for which a request waits by now does not give up', async () => {
  const answer = deferred<undefined>();
  const store = scriptedStore();
  const { process, bipsync } = await inWindow(store);
  store.lock = () => {
    store.log.push('lock');
    return answer.promise;
  };
  await request(process);
  await tick();
  bipsync.revoke();
  const answered = request(process);
  await tick();
  answer.resolve(undefined);
  await advance(75);
  store.value = storedToken('token-of-another');
  bipsync.good.add('token-of-another');
  await advance(75);
  await answered;
  expect(process.sent.at(-1)).toBe('Bearer token-of-another');
  expect(readsOf(store)).toBe(3);
});

test('a request that comes just as a background refresh gives up starts the next acquisition', async () => {
  for (let microtasks = 0; microtasks < 20; microtasks += 1) {
    const answer = deferred<undefined>();
    const store = scriptedStore();
    const { process, bipsync } = await inWindow(store);
    const lock = store.lock.bind(store);
    store.lock = () => answer.promise;
    await request(process);
    await tick();
    answer.resolve(undefined);
    for (let i = 0; i < microtasks; i += 1) await Promise.resolve();
    store.lock = lock;
    process.auth.invalidate();
    store.value = undefined;
    const answered = process.auth.getToken();
    await advance(6000);
    expect((await answered).accessToken).toBe('token-2');
    expect(bipsync.minted).toBe(2);
  }
});

test('a store that fails leaves the refresh to the token endpoint', async () => {
  const store = scriptedStore();
  const { process, refresh } = await inWindow(store);
  store.get = () => Promise.reject(new Error('down'));
  expect(await refresh()).toBe('token-2');
  expect(storeFailures(process.events)).toEqual(['get']);
});
