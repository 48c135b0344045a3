import type { TokenStore } from '../../src';
import {
  advance,
  HOUR,
  openProcess,
  request,
  scriptedStore,
  SECOND,
  storedToken,
  storeFailures,
  tick,
  useVirtualTime,
} from './support';

useVirtualTime();

const good = { v: 1, accessToken: 'stored', expiresAt: 1e13, lifetimeMs: HOUR };
const rubbish: [what: string, value: unknown][] = [
  ['an empty text', ''],
  ['text', 'rubbish'],
  ['half a value', JSON.stringify(good).slice(0, 40)],
  ['a bare token', 'stored'],
  ['a JSON null', 'null'],
  ['a JSON text', '"stored"'],
  ['a JSON array', '[1]'],
  ['an empty record', '{}'],
  ['nesting without end', '['.repeat(100_000)],
  ['a megabyte', 'x'.repeat(1_000_000)],
  ['a number', 42],
  ['true', true],
  ['false', false],
  ['NaN', Number.NaN],
  ['a bigint', 1n],
  ['a symbol', Symbol('stored')],
  ['a function', () => good],
  ['an array', [good]],
  ['a date', new Date(0)],
  ['a Buffer', Buffer.from(JSON.stringify(good))],
  ['a Map', new Map(Object.entries(good))],
  ['an error', new Error('rubbish')],
  ['an empty object', {}],
  ['another version', { ...good, v: 2 }],
  ['no version', { ...good, v: undefined }],
  ['a version that is text', { ...good, v: '1' }],
  ['no token', { ...good, accessToken: undefined }],
  ['an empty token', { ...good, accessToken: '' }],
  ['a token with a line break', { ...good, accessToken: 'a\r\nX-Injected: 1' }],
  ['a token with a space', { ...good, accessToken: 'a b' }],
  ['a token beyond ASCII', { ...good, accessToken: 'tökèn' }],
  ['a token that is a number', { ...good, accessToken: 1 }],
  ['a token that is an array', { ...good, accessToken: ['stored'] }],
  ['no expiry', { ...good, expiresAt: undefined }],
  ['an expiry that is text', { ...good, expiresAt: '1e13' }],
  ['an expiry that is a date', { ...good, expiresAt: new Date(1e13) }],
  ['no lifetime', { ...good, lifetimeMs: undefined }],
  ['a lifetime of nothing', { ...good, lifetimeMs: 0 }],
  ['a negative lifetime', { ...good, lifetimeMs: -HOUR }],
  ['a lifetime of NaN', { ...good, lifetimeMs: Number.NaN }],
  ['a lifetime without end', { ...good, lifetimeMs: Infinity }],
  ['a lifetime of more than a day', { ...good, lifetimeMs: 24 * HOUR + 1 }],
  ['a lifetime that is text', { ...good, lifetimeMs: '3600000' }],
];

test.each(rubbish)(
  'a stored value that is not a token is not used, and is reported: %s',
  async (_what, value) => {
    const store = scriptedStore();
    const process = openProcess(store);
    store.value = value;
    await request(process);
    await tick();
    expect(process.sent).toEqual(['Bearer token-1']);
    expect(storeFailures(process.events)[0]).toBe('get');
    expect(storeFailures(process.events).length).toBeLessThanOrEqual(2);
  },
);

test.each([undefined, null])('a store that returns %s is empty, which is no failure', async (value) => {
  const store = scriptedStore();
  store.value = value;
  const process = openProcess(store);
  await request(process);
  expect(process.sent).toEqual(['Bearer token-1']);
  expect(storeFailures(process.events)).toEqual([]);
});

test('a store that answers without a promise is used', async () => {
  const store = scriptedStore();
  store.value = storedToken('stored');
  const { get } = store;
  store.get = ((key: string) => {
    void get(key);
    return store.value;
  }) as unknown as TokenStore['get'];
  expect((await openProcess(store).auth.getToken()).accessToken).toBe('stored');
});

test('a store that parses what it keeps is used', async () => {
  const store = scriptedStore();
  store.value = JSON.parse(storedToken('stored'));
  expect((await openProcess(store).auth.getToken()).accessToken).toBe('stored');
});

test.each([
  ['text', 'OK'],
  ['true', true],
  ['an object', {}],
])('a lock that cannot be released fails no request, and is reported: %s', async (_what, lock) => {
  const process = openProcess(scriptedStore({ lock: async () => lock as unknown as undefined }));
  await request(process);
  await tick();
  expect(process.sent).toEqual(['Bearer token-1']);
  expect(storeFailures(process.events)).toEqual(['release']);
});

test('a stored object whose members throw is not used', async () => {
  const store = scriptedStore();
  store.value = {
    get v() {
      throw new Error('rubbish');
    },
  };
  const process = openProcess(store);
  await request(process);
  expect(process.sent).toEqual(['Bearer token-1']);
});

test('a stored value that stays unreadable is reported once', async () => {
  const store = scriptedStore({ set: () => Promise.resolve() });
  const process = openProcess(store);
  const told: number[] = [];
  for (const value of ['rubbish', 'rubbish', undefined, 'rubbish', null, 'rubbish']) {
    store.value = value;
    process.auth.invalidate();
    await process.auth.getToken();
    told.push(storeFailures(process.events).length);
  }
  expect(new Set(told)).toEqual(new Set([1]));
});

test.each([
  ['rubbish', () => 'rubbish'],
  ['parsed rubbish, a new object at each read', () => ({ v: 2 })],
])('a process that waits for a lock and reads %s reports it once', async (_what, read) => {
  const store = scriptedStore({ get: () => Promise.resolve(read()) });
  store.held = true;
  const process = openProcess(store);
  void request(process);
  await advance(5.1 * SECOND);
  expect(storeFailures(process.events)).toEqual(['get']);
});
