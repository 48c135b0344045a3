import type { BipsyncAuthConfig } from '../../src';
import { SECRET, tokenAnswer } from '../support/scripted';
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
  storeFailures,
  tick,
  useVirtualTime,
} from './support';

useVirtualTime();

test('a stored token names neither client, team nor secret in its key, and no secret in its value', async () => {
  const store = scriptedStore();
  await openProcess(store, undefined, {
    clientId: 'the-client',
    teamId: 'theteam',
    scopes: 'users:read',
  }).auth.getToken();
  const [{ key, value }] = store.sets as [(typeof store.sets)[0]];
  expect(key).toMatch(/^bipsync-token-[\w-]{43}$/);
  for (const part of ['client', 'theteam', 'users', 'acme', SECRET]) expect(key).not.toContain(part);
  expect(value).not.toContain(SECRET);
  expect(Object.keys(JSON.parse(value) as object).sort()).toEqual([
    'accessToken',
    'expiresAt',
    'lifetimeMs',
    'scope',
    'v',
  ]);
  expect(JSON.parse(value)).toEqual({
    v: 1,
    accessToken: 'token-1',
    expiresAt: Date.now() + HOUR,
    lifetimeMs: HOUR,
    scope: 'team_theteam users:read',
  });
});

test('tokens are stored under one key for each origin, client, token endpoint and set of scopes in any order', async () => {
  const keyOf = async (config: Partial<BipsyncAuthConfig>): Promise<string | undefined> => {
    const store = scriptedStore();
    await openProcess(store, undefined, config).auth.getToken();
    return store.sets[0]?.key;
  };
  const keys = await Promise.all(
    [
      {},
      { client: 'other' },
      { clientId: 'other' },
      { tokenUrl: 'https://tokens.example.com/v1/oauth/token' },
      { teamId: 'b2' },
      { scopes: 'users:read' },
      { scopes: 'users:read research:read' },
    ].map(keyOf),
  );
  expect(new Set(keys).size).toBe(keys.length);
  expect(await keyOf({ scopes: ['research:read', 'users:read', 'users:read'], clientSecret: 'other' })).toBe(
    keys.at(-1),
  );
});

test.each([
  [3600, 0],
  [3600, 250],
  ['3599.5', 0],
  [10.0001, 0],
  [7.5, 1234],
  [0.5, 0],
  [1e6, 0],
])(
  'a token is stored for a whole number of milliseconds that it still lives (expires_in %p, asked for %i ms ago)',
  async (expiresIn, tookMs) => {
    const store = scriptedStore();
    const process = openProcess(store);
    process.onToken = async () => {
      await new Promise((resolve) => setTimeout(resolve, tookMs));
      return tokenAnswer('token-1', expiresIn);
    };
    const sentAt = Date.now();
    const token = process.auth.getToken();
    await advance(tookMs);
    await token;
    const { ttlMs } = store.sets[0]!;
    const remainingMs = sentAt + Math.min(Number(expiresIn), 86_400) * SECOND - Date.now();
    expect(Number.isInteger(ttlMs)).toBe(true);
    expect(ttlMs).toBeGreaterThan(0);
    // A fraction of a millisecond may be rounded up, no more.
    expect(ttlMs).toBeLessThan(remainingMs + 1);
    expect(ttlMs).toBeGreaterThan(remainingMs - 1);
  },
);

test.each([0, -1, '0'])('a token that is not to be kept is not stored (expires_in %p)', async (expiresIn) => {
  const store = scriptedStore();
  const process = openProcess(store, scriptedBipsync(expiresIn));
  await request(process);
  await tick();
  expect(store.log).toEqual(['get', 'lock', 'get', 'endpoint', 'release']);
});

test('a stored token is overwritten by the next one, never deleted', async () => {
  const store = scriptedStore();
  const process = openProcess(store);
  await request(process);
  await advance(56 * MINUTE);
  await request(process);
  await tick();
  expect(store.sets.map(({ key }) => key)).toEqual([store.sets[0]?.key, store.sets[0]?.key]);
  expect(store.value).toContain('token-2');
});

test('a store is never asked to keep a token for longer than it lives, not even by a fraction', async () => {
  const store = scriptedStore();
  await openProcess(store, scriptedBipsync(10.0001)).auth.getToken();
  expect(store.sets[0]?.ttlMs).toBe(10_000);
});

test('ten stored hours left of a lifetime of one hour count as one hour', async () => {
  const store = scriptedStore();
  store.value = storedToken('stored', 10 * HOUR);
  const process = openProcess(store);
  const { accessToken, expiresAt } = await process.auth.getToken();
  expect(accessToken).toBe('stored');
  expect(expiresAt).toBe(Date.now() + HOUR);
  store.value = undefined;
  await advance(59.6 * MINUTE);
  expect((await process.auth.getToken()).accessToken).toBe('token-1');
});

test('a stored token may live for a day', async () => {
  const store = scriptedStore();
  store.value = storedToken('stored', 24 * HOUR, 24 * HOUR);
  expect((await openProcess(store).auth.getToken()).accessToken).toBe('stored');
});

test.each([
  ['has expired', -1],
  ['expired long ago', -1e300],
  ['is within its margin', 30 * SECOND],
])('a stored token that %s is not used, which is no failure', async (_what, remainingMs) => {
  const store = scriptedStore();
  store.value = storedToken('stored', remainingMs);
  const process = openProcess(store);
  await request(process);
  expect(process.sent).toEqual(['Bearer token-1']);
  expect(storeFailures(process.events)).toEqual([]);
});

test('what is left of a stored token counts on the wall clock and on the monotonic one', async () => {
  const store = scriptedStore();
  store.value = storedToken('stored', 10 * MINUTE);
  const process = openProcess(store);
  await process.auth.getToken();
  store.value = undefined;
  await advance(9 * MINUTE);
  const wall = Date.now();
  jest.setSystemTime(wall - HOUR);
  await advance(31 * SECOND);
  expect((await process.auth.getToken()).accessToken).toBe('token-1');
});

test('a refresh takes a token that was stored after the clock was set back', async () => {
  const store = scriptedStore();
  const bipsync = scriptedBipsync();
  const process = openProcess(store, bipsync);
  await request(process);
  await advance(56 * MINUTE);
  jest.setSystemTime(Date.now() - 2 * HOUR);
  store.value = storedToken('made-since-by-another');
  await request(process);
  await tick();
  expect((await process.auth.getToken()).accessToken).toBe('made-since-by-another');
  expect(bipsync.minted).toBe(1);
});

test('a token that was stored after the clock was set back is taken once the present one has ended', async () => {
  const store = scriptedStore();
  const bipsync = scriptedBipsync();
  const process = openProcess(store, bipsync);
  await request(process);
  jest.setSystemTime(Date.now() - 2 * HOUR);
  await advance(HOUR);
  store.value = storedToken('made-since-by-another');
  expect((await process.auth.getToken()).accessToken).toBe('made-since-by-another');
  expect(bipsync.minted).toBe(1);
});
