import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { createClient } from 'redis';

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

  describe('a value at rest', () => {
    it('a stored value shows the name of its key, but neither the value nor the key', async () => {
      await store.set('k', secret, anHour);
      const sealed = await atRest();
      expect(sealed).toMatch(/^v1\.2026-01\.[\w-]{16}\.[\w-]+$/);
      for (const encoding of ['utf8', 'base64', 'base64url', 'hex'] as const) {
        expect(sealed).not.toContain(Buffer.from(secret).toString(encoding).slice(0, 12));
      }
      expect(sealed).not.toContain(key.key);
      expect(Buffer.from(sealed.split('.')[3]!, 'base64url').includes('secret')).toBe(false);
    });

    it('the same value is stored differently each time that it is set', async () => {
      const seen = new Set<string>();
      const ivs = new Set<string>();
      for (let i = 0; i < 100; i++) {
        await store.set('k', secret, anHour);
        seen.add(await atRest());
        ivs.add((await atRest()).split('.')[2]!);
      }
      expect([seen.size, ivs.size]).toEqual([100, 100]);
    });

    it('key and time to live are passed on unchanged', async () => {
      const set = jest.spyOn(inner, 'set');
      await store.set('k', secret, 1234.5);
      expect(set).toHaveBeenCalledWith('k', expect.any(String), 1234.5);
    });
  });

  describe('rotation', () => {
    const newer = newKey('2026-07');

    it('values of every key can be read, and new ones are written with the first', async () => {
      await store.set('k', secret, anHour);
      const rotated = encryptedTokenStore(inner, [newer, key]);
      expect(await rotated.get('k')).toBe(secret);
      await rotated.set('k', secret, anHour);
      expect(await atRest()).toMatch(/^v1\.2026-07\./);
      expect(await rotated.get('k')).toBe(secret);
    });

    it('a process that has the new key in second place reads what others write with it', async () => {
      await encryptedTokenStore(inner, [newer, key]).set('k', secret, anHour);
      expect(await encryptedTokenStore(inner, [key, newer]).get('k')).toBe(secret);
      expect(await store.get('k')).toBeUndefined();
    });

    it('the first key of the list encrypts, also if the names are numbers', async () => {
      const [ten, two] = [newKey('10'), newKey('2')];
      await encryptedTokenStore(inner, [ten, two]).set('k', secret, anHour);
      expect(await atRest()).toMatch(/^v1\.10\./);
    });
  });

  describe('what counts as absent', () => {
    it('a value written with another key of the same name counts as absent', async () => {
      await encryptedTokenStore(inner, [newKey(key.name)]).set('k', secret, anHour);
      expect(await store.get('k')).toBeUndefined();
    });

    it('a value that names another key than the one it was written with counts as absent', async () => {
      const both = encryptedTokenStore(inner, [key, { name: 'alias', key: key.key }]);
      await both.set('k', secret, anHour);
      await inner.set('k', (await atRest()).replace(key.name, 'alias'), anHour);
      expect(await both.get('k')).toBeUndefined();
    });

    it('a value that was copied to another entry counts as absent', async () => {
      await store.set('one', secret, anHour);
      await store.set('two', 'another', anHour);
      await inner.set('two', await atRest('one'), anHour);
      expect(await store.get('one')).toBe(secret);
      expect(await store.get('two')).toBeUndefined();
    });

    it('a value with any one bit changed counts as absent', async () => {
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

    it('a value that was cut short anywhere or extended counts as absent', async () => {
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

    it('a value with something in front of it counts as absent', async () => {
      await store.set('k', secret, anHour);
      await inner.set('k', `x${await atRest()}`, anHour);
      expect(await store.get('k')).toBeUndefined();
    });

    it('any string that this store did not write counts as absent', async () => {
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
      '%p instead of a string counts as absent',
      async (value) => {
        const other: TokenStore = { get: async () => value, set: async () => undefined };
        expect(await encryptedTokenStore(other, [key]).get('k')).toBeUndefined();
      },
    );
  });

  it('an array that turns into a good value counts as absent', async () => {
    await store.set('k', secret, anHour);
    await inner.set('k', [await atRest()] as never, anHour);
    expect(await store.get('k')).toBeUndefined();
  });

  it('any string is read as it was set', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.string(), async (value, name) => {
        await store.set(name, value, anHour);
        expect(await store.get(name)).toBe(value);
      }),
      { numRuns: 200 },
    );
  });

  describe('the inner store', () => {
    it('its lock is used, and called as its method', async () => {
      const lock = jest.spyOn(inner, 'lock');
      const locking = encryptedTokenStore(inner, [key]);
      const release = await locking.lock!('k', 500);
      expect(lock).toHaveBeenCalledWith('k', 500);
      expect(lock.mock.contexts).toEqual([inner]);
      expect(await locking.lock!('k', 500)).toBeUndefined();
      await release!();
      expect(await locking.lock!('k', 500)).toBeDefined();
    });

    it('without a lock the encrypted store has none either', () => {
      const { get, set } = inner;
      expect('lock' in encryptedTokenStore({ get, set }, [key])).toBe(false);
    });

    it('its errors are passed on, thrown or rejected', async () => {
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

  describe('wrong arguments', () => {
    const good = newKey('good');
    const bytes = (count: number) => randomBytes(count).toString('base64');
    /** Ends in bits that no encoder writes. */
    const notCanonical = Buffer.alloc(32).toString('base64').replace('A=', 'B=');

    it.each<[string, unknown, string[]]>([
      ['an object instead of a list', { good: good.key }, ['keys must be an array']],
      ['undefined', undefined, ['keys must be an array']],
      ['an empty list', [], ['at least one']],
      ['a key of 31 bytes', [{ name: 'a', key: bytes(31) }], ['keys[0].key must be 32 bytes in base64']],
      ['a key of 33 bytes', [good, { name: 'a', key: bytes(33) }], ['keys[1].key']],
      ['a key of 16 bytes', [{ name: 'a', key: bytes(16) }], ['keys[0].key']],
      ['a key in hex', [{ name: 'a', key: randomBytes(32).toString('hex') }], ['keys[0].key']],
      ['a key with a line end', [{ name: 'a', key: `${bytes(32)}\n` }], ['keys[0].key']],
      ['a key without padding', [{ name: 'a', key: bytes(32).replace('=', '') }], ['keys[0].key']],
      ['a key that is not canonical', [{ name: 'a', key: notCanonical }], ['keys[0].key']],
      ['an entry without a key', [{ name: 'a', key: undefined }], ['keys[0].key']],
      ['a key that is not a string', [{ name: 'a', key: randomBytes(32) }], ['keys[0].key']],
      ['an entry that is not an object', [null], ['keys[0].name', 'keys[0].key']],
      ['an entry without a name', [{ key: good.key }], ['keys[0].name']],
      ['an empty name', [{ ...good, name: '' }], ['keys[0].name']],
      ['a name with a dot', [{ ...good, name: 'a.b' }], ['keys[0].name']],
      ['a key in the place of the name', [{ name: good.key, key: 'good' }], ['keys[0].name', 'keys[0].key']],
      ['a name that is used twice', [good, { ...newKey('x'), name: 'good' }], ['keys[1].name is used twice']],
      [
        'a list with two mistakes',
        [
          { name: '', key: bytes(32) },
          { name: 'b', key: 'x' },
        ],
        ['keys[0].name', 'keys[1].key'],
      ],
    ])('%s is rejected, and no key is printed', (_, keys, problems) => {
      const error = refusal(() => encryptedTokenStore(inner, keys as never));
      for (const problem of problems) expect(error.message).toContain(problem);
      const shown = `${inspect(error, { depth: 9, showHidden: true })} ${error.stack ?? ''}`;
      for (const entry of Array.isArray(keys) ? (keys as unknown[]) : [good]) {
        for (const value of Object.values(entry ?? {})) {
          if (typeof value === 'string' && value.length > 10) expect(shown).not.toContain(value);
        }
      }
    });

    /** Cut or filled up with zeros. */
    const to32 = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(32)]).subarray(0, 32);

    it.each<[string, Buffer]>([
      ['zeros', Buffer.alloc(32)],
      ['one byte 32 times', Buffer.alloc(32, 0xff)],
      ['four random bytes 8 times', Buffer.alloc(32, Buffer.from([0xf1, 0x80, 0x9c, 0xe2]))],
      ['16 random bytes twice', Buffer.alloc(32, randomBytes(16))],
      ['a counter', Buffer.from(Array.from({ length: 32 }, (_, index) => index))],
      ['a passphrase', Buffer.from('correct horse battery staple 42!')],
      ['a passphrase with letters that are not ASCII', Buffer.from('Zażółć gęślą jaźń 1234')],
      ['a passphrase repeated until it is long enough', Buffer.alloc(32, 'hunter2')],
      ['a short passphrase and zeros', Buffer.from('Tr0ub4dor&3')],
      ['a passphrase in UTF-16', Buffer.from('my passphrase 16', 'utf16le')],
      ['hexadecimal digits', Buffer.from(randomBytes(16).toString('hex'))],
      ['another key in base64', Buffer.from(randomBytes(24).toString('base64'))],
      ['a line of text', Buffer.from('KEY=0123456789abcdefghijklmnop\r\n')],
    ])('a key whose bytes are %s is rejected, and not printed', (_, guessable) => {
      const key = to32(guessable).toString('base64');
      const error = refusal(() => encryptedTokenStore(inner, [good, { name: 'weak', key }]));
      expect(error.message).toContain(
        'keys[1].key is not random: use the output of "openssl rand -base64 32"',
      );
      expect(error.message).toContain('openssl rand -base64 32');
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(key);
    });

    it('a key of random bytes is accepted', () => {
      for (let i = 0; i < 10_000; i++) encryptedTokenStore(inner, [newKey('random')]);
    });

    it('name and key of a polluted Object.prototype are ignored', () => {
      const prototype = Object.prototype as Record<string, unknown>;
      Object.assign(prototype, { name: 'stolen', key: good.key });
      try {
        const problems = refusal(() => encryptedTokenStore(inner, [{}] as never)).message;
        expect(problems).toContain('keys[0].name');
        expect(problems).toContain('keys[0].key');
      } finally {
        delete prototype['name'];
        delete prototype['key'];
      }
    });

    it.each<[string, unknown, string]>([
      ['undefined', undefined, 'store must be an object with the methods get and set'],
      ['a store that cannot set', { get: async () => undefined }, 'store must be an object with'],
      ['a store that cannot get', { set: async () => undefined }, 'store must be an object with'],
      [
        'a lock that is not a function',
        { ...memoryTokenStore(), lock: true },
        'store has a lock that is not a function',
      ],
      ['a Map', new Map(), 'store has a set() with fewer than three parameters'],
      ['a node-redis client', createClient(), 'store is a Redis client'],
    ])('%s instead of the store is rejected', (_, broken, problem) => {
      expect(refusal(() => encryptedTokenStore(broken as never, [good])).message).toContain(problem);
    });
  });

  it('a printed store shows no key', () => {
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
