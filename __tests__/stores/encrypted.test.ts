import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

import { isBipsyncAuthError } from '../../src/errors';
import { encryptedTokenStore } from '../../src/stores';
import type { TokenEncryptionKey, TokenStore } from '../../src/stores';
import { memoryTokenStore } from './memory-store';

const anHour = 3_600_000;
const secret = 'a very secret access token';

function newKey(name: string): TokenEncryptionKey {
  return { name, key: randomBytes(32).toString('base64') };
}

describe('encryptedTokenStore', () => {
  const key = newKey('2026-01');
  let inner: ReturnType<typeof memoryTokenStore>;
  let store: TokenStore;

  beforeEach(() => {
    inner = memoryTokenStore();
    store = encryptedTokenStore(inner, [key]);
  });

  const atRest = async (name = 'k') => (await inner.get(name)) as string;

  describe('at rest', () => {
    it('holds the name of the key, but neither the value nor the key', async () => {
      await store.set('k', secret, anHour);
      const sealed = await atRest();
      expect(sealed).toMatch(/^v1\.2026-01\.[\w-]{16}\.[\w-]+$/);
      for (const encoding of ['utf8', 'base64', 'base64url', 'hex'] as const) {
        expect(sealed).not.toContain(Buffer.from(secret).toString(encoding).slice(0, 12));
      }
      expect(sealed).not.toContain(key.key);
      expect(Buffer.from(sealed.split('.')[3]!, 'base64url').includes('secret')).toBe(false);
    });

    it('differs each time that the same value is set', async () => {
      const seen = new Set<string>();
      const ivs = new Set<string>();
      for (let i = 0; i < 100; i++) {
        await store.set('k', secret, anHour);
        seen.add(await atRest());
        ivs.add((await atRest()).split('.')[2]!);
      }
      expect([seen.size, ivs.size]).toEqual([100, 100]);
    });

    it('stays under the same key, for the same time', async () => {
      const set = jest.spyOn(inner, 'set');
      await store.set('k', secret, 1234.5);
      expect(set).toHaveBeenCalledWith('k', expect.any(String), 1234.5);
    });
  });

  describe('rotation', () => {
    const newer = newKey('2026-07');

    it('reads the values of every key and writes with the first', async () => {
      await store.set('k', secret, anHour);
      const rotated = encryptedTokenStore(inner, [newer, key]);
      expect(await rotated.get('k')).toBe(secret);
      await rotated.set('k', secret, anHour);
      expect(await atRest()).toMatch(/^v1\.2026-07\./);
      expect(await rotated.get('k')).toBe(secret);
    });

    it('lets a process that has the new key in second place read it', async () => {
      await encryptedTokenStore(inner, [newer, key]).set('k', secret, anHour);
      expect(await encryptedTokenStore(inner, [key, newer]).get('k')).toBe(secret);
      expect(await store.get('k')).toBeUndefined();
    });

    it('takes the order from the list, also with names like integers', async () => {
      const [ten, two] = [newKey('10'), newKey('2')];
      await encryptedTokenStore(inner, [ten, two]).set('k', secret, anHour);
      expect(await atRest()).toMatch(/^v1\.10\./);
    });
  });

  describe('counts as absent', () => {
    it('what was written with another key of the same name', async () => {
      await encryptedTokenStore(inner, [newKey(key.name)]).set('k', secret, anHour);
      expect(await store.get('k')).toBeUndefined();
    });

    it('a value that says it was written with another of the keys', async () => {
      const both = encryptedTokenStore(inner, [key, { name: 'alias', key: key.key }]);
      await both.set('k', secret, anHour);
      await inner.set('k', (await atRest()).replace(key.name, 'alias'), anHour);
      expect(await both.get('k')).toBeUndefined();
    });

    it('a value that was moved to another entry', async () => {
      await store.set('one', secret, anHour);
      await store.set('two', 'another', anHour);
      await inner.set('two', await atRest('one'), anHour);
      expect(await store.get('one')).toBe(secret);
      expect(await store.get('two')).toBeUndefined();
    });

    it('a value with any one bit changed', async () => {
      await store.set('k', secret, anHour);
      const [version, name, ...parts] = (await atRest()).split('.');
      for (const part of [0, 1]) {
        const original = Buffer.from(parts[part]!, 'base64url');
        for (let bit = 0; bit < original.length * 8; bit++) {
          const changed = Buffer.from(original);
          changed[bit >> 3]! ^= 1 << (bit & 7);
          const text = parts.with(part, changed.toString('base64url'));
          await inner.set('k', [version, name, ...text].join('.'), anHour);
          expect(await store.get('k')).toBeUndefined();
        }
      }
    });

    it('a value cut short anywhere, or with something behind it', async () => {
      await store.set('k', secret, anHour);
      const sealed = await atRest();
      for (let length = 0; length < sealed.length; length++) {
        await inner.set('k', sealed.slice(0, length), anHour);
        expect(await store.get('k')).toBeUndefined();
      }
      for (const tail of ['A', 'AAAA', '.', '\n', '=']) {
        await inner.set('k', sealed + tail, anHour);
        expect(await store.get('k')).toBeUndefined();
      }
    });

    it('a value with something before it', async () => {
      await store.set('k', secret, anHour);
      await inner.set('k', `x${await atRest()}`, anHour);
      expect(await store.get('k')).toBeUndefined();
    });

    it('any text that this store did not write', async () => {
      const parts = fc.stringMatching(/^v[0-2]\.(2026-01|x)\.[\w-]{15,17}\.[\w-]{20,60}$/);
      await fc.assert(
        fc.asyncProperty(fc.oneof(fc.string(), parts, fc.constant(secret)), async (text) => {
          await inner.set('k', text, anHour);
          expect(await store.get('k')).toBeUndefined();
        }),
        { numRuns: 500 },
      );
    });

    it.each([undefined, null, 0, 42, true, {}, [], { value: 'v1.a.b.c' }, Buffer.from('v1')])(
      'a value that is no string: %p',
      async (value) => {
        const other: TokenStore = { get: async () => value, set: async () => undefined };
        expect(await encryptedTokenStore(other, [key]).get('k')).toBeUndefined();
      },
    );
  });

  it('does not take what only turns into a string for one', async () => {
    await store.set('k', secret, anHour);
    await inner.set('k', [await atRest()] as never, anHour);
    expect(await store.get('k')).toBeUndefined();
  });

  it('gives back any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.string(), async (value, name) => {
        await store.set(name, value, anHour);
        expect(await store.get(name)).toBe(value);
      }),
      { numRuns: 200 },
    );
  });

  describe('the store within', () => {
    it('gives its lock, called on itself', async () => {
      const lock = jest.spyOn(inner, 'lock');
      const locking = encryptedTokenStore(inner, [key]);
      const release = await locking.lock!('k', 500);
      expect(lock).toHaveBeenCalledWith('k', 500);
      expect(lock.mock.contexts).toEqual([inner]);
      expect(await locking.lock!('k', 500)).toBeUndefined();
      await release!();
      expect(await locking.lock!('k', 500)).toBeDefined();
    });

    it('without a lock leaves the encrypted one without', () => {
      const { get, set } = inner;
      expect('lock' in encryptedTokenStore({ get, set }, [key])).toBe(false);
    });

    it('passes its errors on, thrown or rejected', async () => {
      const down = new Error('down');
      const fail = () => {
        throw down;
      };
      const rejecting = encryptedTokenStore({ get: async () => fail(), set: async () => fail() }, [key]);
      const throwing = encryptedTokenStore({ get: fail, set: fail }, [key]);
      for (const failing of [rejecting, throwing]) {
        await expect(failing.get('k')).rejects.toBe(down);
        await expect(failing.set('k', 'v', 1)).rejects.toBe(down);
      }
    });
  });

  describe('refuses', () => {
    const good = newKey('good');
    const bytes = (count: number) => randomBytes(count).toString('base64');
    /** Ends in bits that no encoder writes. */
    const notCanonical = Buffer.alloc(32).toString('base64').replace('A=', 'B=');

    it.each<[string, unknown, string[]]>([
      ['no list', { good: good.key }, ['keys must be an array']],
      ['nothing', undefined, ['keys must be an array']],
      ['an empty list', [], ['at least one']],
      ['a key of 31 bytes', [{ name: 'a', key: bytes(31) }], ['keys[0].key must be 32 bytes in base64']],
      ['a key of 33 bytes', [good, { name: 'a', key: bytes(33) }], ['keys[1].key']],
      ['a key of 16 bytes', [{ name: 'a', key: bytes(16) }], ['keys[0].key']],
      ['a key in hex', [{ name: 'a', key: randomBytes(32).toString('hex') }], ['keys[0].key']],
      ['a key with a line end', [{ name: 'a', key: `${bytes(32)}\n` }], ['keys[0].key']],
      ['a key without padding', [{ name: 'a', key: bytes(32).replace('=', '') }], ['keys[0].key']],
      ['a key that is not canonical', [{ name: 'a', key: notCanonical }], ['keys[0].key']],
      ['a key that is not there', [{ name: 'a', key: undefined }], ['keys[0].key']],
      ['a key that is no string', [{ name: 'a', key: randomBytes(32) }], ['keys[0].key']],
      ['an entry that is no object', [null], ['keys[0].name', 'keys[0].key']],
      ['no name', [{ key: good.key }], ['keys[0].name']],
      ['an empty name', [{ ...good, name: '' }], ['keys[0].name']],
      ['a name with a dot', [{ ...good, name: 'a.b' }], ['keys[0].name']],
      ['a key in the place of the name', [{ name: good.key, key: 'good' }], ['keys[0].name', 'keys[0].key']],
      ['one name twice', [good, { ...newKey('x'), name: 'good' }], ['keys[1].name is used twice']],
      [
        'two mistakes',
        [
          { name: '', key: bytes(32) },
          { name: 'b', key: 'x' },
        ],
        ['keys[0].name', 'keys[1].key'],
      ],
    ])('%s, without printing a key', (_, keys, problems) => {
      const error = refusal(() => encryptedTokenStore(inner, keys as never));
      for (const problem of problems) expect(error.message).toContain(problem);
      const shown = `${inspect(error, { depth: 9, showHidden: true })} ${error.stack ?? ''}`;
      for (const entry of Array.isArray(keys) ? (keys as unknown[]) : [good]) {
        for (const value of Object.values(entry ?? {})) {
          if (typeof value === 'string' && value.length > 10) expect(shown).not.toContain(value);
        }
      }
    });

    it.each<[string, unknown, string]>([
      ['no store', undefined, 'store must have get and set'],
      ['a store that cannot set', { get: async () => undefined }, 'store must have get and set'],
      ['a store that cannot get', { set: async () => undefined }, 'store must have get and set'],
      [
        'a store with nothing right',
        { lock: true },
        'encryptedTokenStore: store must have get and set; store.lock must be a function',
      ],
      ['a lock that is no function', { ...memoryTokenStore(), lock: true }, 'store.lock must be a function'],
    ])('%s', (_, broken, problem) => {
      expect(refusal(() => encryptedTokenStore(broken as never, [good])).message).toContain(problem);
    });
  });

  it('shows no key when it is printed', () => {
    const shown = inspect(store, { depth: 9, showHidden: true }) + JSON.stringify(store);
    expect(shown).not.toContain(key.key);
  });
});

function refusal(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    if (isBipsyncAuthError(error) && error.code === 'ERR_BIPSYNC_CONFIG') return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
