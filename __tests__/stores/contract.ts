import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

import { type TokenStore, tokenStoreProblem } from '../../src/options/token-store';

/** Two stores over the same data, as two processes would hold them. */
export interface OpenedStores {
  store: TokenStore;
  other: TokenStore;
  close: () => Promise<unknown>;
}

const anHour = 3_600_000;
const aMoment = 10;
const longerThanAMoment = 30;

/** What every {@link TokenStore} must do, wherever it keeps its values. */
export function itIsATokenStore(open: () => Promise<OpenedStores>): void {
  let opened: OpenedStores;
  let store: TokenStore;
  let other: TokenStore;
  let key: string;

  beforeAll(async () => {
    opened = await open();
    ({ store, other } = opened);
  });
  afterAll(() => opened.close());
  beforeEach(() => {
    key = randomUUID();
  });

  it('the store is accepted as tokenStore', () => {
    expect(tokenStoreProblem(store)).toBeUndefined();
  });

  it('a key that was never set has no value', async () => {
    expect(isAbsent(await store.get(key))).toBe(true);
  });

  it('a value that one process set is read by that process and by another', async () => {
    await store.set(key, 'a token', anHour);
    expect(await store.get(key)).toBe('a token');
    expect(await other.get(key)).toBe('a token');
  });

  it('the value that was set last wins', async () => {
    await store.set(key, 'old', anHour);
    await other.set(key, 'new', anHour);
    expect(await store.get(key)).toBe('new');
  });

  it.each([
    ['JSON', JSON.stringify({ v: 1, accessToken: 'a"b\\c', expiresAt: 1 })],
    ['not ASCII', 'żółć 令牌 🔑 \u0000 \r\n'],
    ['empty', ''],
    ['100 kB long', 'x'.repeat(100_000)],
  ])('a value that is %s is read as it was set', async (_, value) => {
    await store.set(key, value, anHour);
    expect(await other.get(key)).toBe(value);
  });

  it('a key may hold any characters', async () => {
    const odd = `${key}:{é} *?[a] "\n`;
    await store.set(odd, 'odd', anHour);
    expect(await other.get(odd)).toBe('odd');
  });

  it('a value expires its milliseconds after it was last set', async () => {
    await store.set(`${key}:brief`, 'brief', aMoment);
    await store.set(`${key}:long`, 'long', anHour);
    await store.set(`${key}:prolonged`, 'brief', aMoment);
    await store.set(`${key}:prolonged`, 'long', anHour);
    await wait(longerThanAMoment);
    expect(isAbsent(await store.get(`${key}:brief`))).toBe(true);
    expect(isAbsent(await other.get(`${key}:brief`))).toBe(true);
    expect(await store.get(`${key}:long`)).toBe('long');
    expect(await store.get(`${key}:prolonged`)).toBe('long');
  });

  it('50 keys that are set at the same time keep their own values', async () => {
    const keys = Array.from({ length: 50 }, (_, index) => `${key}:${index}`);
    await Promise.all(keys.map((each, index) => (index % 2 ? store : other).set(each, `of ${each}`, anHour)));
    expect(await Promise.all(keys.map((each) => store.get(each)))).toEqual(keys.map((each) => `of ${each}`));
  });

  it('a key that is set 20 times at once ends with one whole value', async () => {
    const values = Array.from({ length: 20 }, (_, index) => String(index).repeat(1000));
    await Promise.all(values.map((value, index) => (index % 2 ? store : other).set(key, value, anHour)));
    const value = await store.get(key);
    expect(values).toContain(value);
    expect(await other.get(key)).toBe(value);
  });
}

/** What a {@link TokenStore} with a lock must do as well. */
export function itLocks(open: () => Promise<OpenedStores>): void {
  let opened: OpenedStores;
  let lock: NonNullable<TokenStore['lock']>;
  let otherLock: NonNullable<TokenStore['lock']>;
  let key: string;

  beforeAll(async () => {
    opened = await open();
    const { store, other } = opened;
    lock = store.lock!.bind(store);
    otherLock = other.lock!.bind(other);
  });
  afterAll(() => opened.close());
  beforeEach(() => {
    key = randomUUID();
  });

  it('of 20 attempts at one lock at the same time exactly one gets it', async () => {
    const attempts = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? lock : otherLock)(key, anHour)),
    );
    expect(attempts.filter((release) => release !== undefined)).toHaveLength(1);
  });

  it('a lock that was released can be taken by another process', async () => {
    const release = await lock(key, anHour);
    expect(await otherLock(key, anHour)).toBeUndefined();
    await release!();
    expect(await otherLock(key, anHour)).toBeDefined();
  });

  it('a lock that is never released ends after its milliseconds', async () => {
    await lock(key, aMoment);
    await lock(`${key}:long`, anHour);
    await wait(longerThanAMoment);
    expect(await otherLock(key, anHour)).toBeDefined();
    expect(await otherLock(`${key}:long`, anHour)).toBeUndefined();
  });

  it('an owner whose lock has expired cannot release the next owner’s lock', async () => {
    const late = await lock(key, aMoment);
    await wait(longerThanAMoment);
    expect(await otherLock(key, anHour)).toBeDefined();
    await late!();
    expect(await lock(key, anHour)).toBeUndefined();
  });

  it('a second release of a lock does not release the next owner’s lock', async () => {
    const release = await lock(key, anHour);
    await release!();
    await otherLock(key, anHour);
    await release!();
    expect(await lock(key, anHour)).toBeUndefined();
  });

  it('two keys have separate locks', async () => {
    await lock(key, anHour);
    expect(await lock(`${key}:2`, anHour)).toBeDefined();
  });

  it('the lock of a key and its value do not touch each other', async () => {
    const { store } = opened;
    await store.set(key, 'a token', anHour);
    const release = await lock(key, anHour);
    expect(release).toBeDefined();
    expect(await store.get(key)).toBe('a token');
    await store.set(key, 'a newer token', anHour);
    expect(await otherLock(key, anHour)).toBeUndefined();
    await release!();
    expect(await store.get(key)).toBe('a newer token');
  });

  it('a key that is only locked has no value', async () => {
    await lock(key, anHour);
    expect(isAbsent(await opened.store.get(key))).toBe(true);
  });
}

/** Keyv returns `undefined`, Redis and older versions of cache-manager return `null`. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
