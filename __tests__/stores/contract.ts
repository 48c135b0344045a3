import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

import type { TokenStore } from '../../src/options/token-store';

/** Two stores over the same data, as two processes would hold them. */
export interface OpenedStores {
  store: TokenStore;
  other: TokenStore;
  close: () => Promise<unknown>;
}

const anHour = 3_600_000;
const aMoment = 50;
const longerThanAMoment = 80;

/** What every {@link TokenStore} must do, whatever it keeps its values in. */
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

  it('has nothing under a key that was never set', async () => {
    expect(isAbsent(await store.get(key))).toBe(true);
  });

  it('gives back what was set, also to others', async () => {
    await store.set(key, 'a token', anHour);
    expect(await store.get(key)).toBe('a token');
    expect(await other.get(key)).toBe('a token');
  });

  it('keeps the value that was set last', async () => {
    await store.set(key, 'old', anHour);
    await other.set(key, 'new', anHour);
    expect(await store.get(key)).toBe('new');
  });

  it.each([
    ['JSON', JSON.stringify({ v: 1, accessToken: 'a"b\\c', expiresAt: 1 })],
    ['beyond ASCII', 'żółć 令牌 🔑 \u0000 \r\n'],
    ['empty', ''],
    ['100 kB long', 'x'.repeat(100_000)],
  ])('gives back a value that is %s', async (_, value) => {
    await store.set(key, value, anHour);
    expect(await other.get(key)).toBe(value);
  });

  it('accepts any text as a key', async () => {
    const odd = `${key}:{é} *?[a] "\n`;
    await store.set(odd, 'odd', anHour);
    expect(await other.get(odd)).toBe('odd');
  });

  it('counts the time to live in milliseconds, from the last set', async () => {
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

  it('keeps many keys apart, set all at once', async () => {
    const keys = Array.from({ length: 50 }, (_, index) => `${key}:${index}`);
    await Promise.all(keys.map((each, index) => (index % 2 ? store : other).set(each, `of ${each}`, anHour)));
    expect(await Promise.all(keys.map((each) => store.get(each)))).toEqual(keys.map((each) => `of ${each}`));
  });

  it('ends with one whole value when many set it at once', async () => {
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

  it('gives the lock to exactly one of 20 who ask at once', async () => {
    const attempts = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? lock : otherLock)(key, anHour)),
    );
    expect(attempts.filter((release) => release !== undefined)).toHaveLength(1);
  });

  it('gives a released lock to the next', async () => {
    const release = await lock(key, anHour);
    expect(await otherLock(key, anHour)).toBeUndefined();
    await release!();
    expect(await otherLock(key, anHour)).toBeDefined();
  });

  it('ends a lock that nobody releases, after its time to live in milliseconds', async () => {
    await lock(key, aMoment);
    await lock(`${key}:long`, anHour);
    await wait(longerThanAMoment);
    expect(await otherLock(key, anHour)).toBeDefined();
    expect(await otherLock(`${key}:long`, anHour)).toBeUndefined();
  });

  it('does not let a former owner release the lock of the present one', async () => {
    const late = await lock(key, aMoment);
    await wait(longerThanAMoment);
    expect(await otherLock(key, anHour)).toBeDefined();
    await late!();
    expect(await lock(key, anHour)).toBeUndefined();
  });

  it('does not let a lock be released twice', async () => {
    const release = await lock(key, anHour);
    await release!();
    await otherLock(key, anHour);
    await release!();
    expect(await lock(key, anHour)).toBeUndefined();
  });

  it('keeps locks apart from each other', async () => {
    await lock(key, anHour);
    expect(await lock(`${key}:2`, anHour)).toBeDefined();
  });

  it('keeps the lock and the value of one key apart', async () => {
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

  it('does not find a value under the key of a lock', async () => {
    await lock(key, anHour);
    expect(isAbsent(await opened.store.get(key))).toBe(true);
  });
}

/** Keyv says `undefined`, Redis and older cache-managers say `null`. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
