import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';

import { BipsyncAuthError } from '../errors';
import { type TokenStore, tokenStoreProblem } from '../options/token-store';
import { ownRecord } from '../values';

/** One key of {@link encryptedTokenStore}. */
export interface TokenEncryptionKey {
  /**
   * Identifies the key: 1 to 32 letters, digits, `-` and `_`, for example `'2026-01'`. A new key needs a new name. The name
   * is stored next to each value, so it must not be secret.
   */
  name: string;
  /** 32 random bytes in base64 (44 characters): the output of `openssl rand -base64 32`. Keep it secret. */
  key: string;
}

/**
 * encryptedTokenStore keeps the values of another store encrypted, with AES-256-GCM from `node:crypto`.
 *
 * A token gives access to all of the team's data, within its scopes. Encrypt if more people or systems can read the store
 * than may read this data: a Redis that other services share, a store with backups or snapshots, a database table, a
 * connection without TLS. Encryption does not help against someone who can read the secrets of these processes.
 *
 * The first key encrypts, and every key decrypts. To rotate:
 * 1. Deploy the new key in second place, so that every process can decrypt with it.
 * 2. Deploy the new key in first place.
 * 3. An hour (a token's lifetime) later, remove the old key.
 *
 * If you skip a step, no API request fails. Each process that cannot decrypt a stored value makes one more token request.
 *
 * A value that cannot be decrypted counts as missing: it has an unknown key or another format, it was changed, or it was
 * copied from another entry (the entry's key and the encryption key's name are authenticated). An old value that is put back
 * under its own key is not detected. Keys, TTLs and locks are passed on unchanged. `lock` exists only if `store` has it. Errors
 * of `store` are passed on too.
 *
 * @example
 * ```ts
 * const tokenStore = encryptedTokenStore(redisTokenStore({ sendCommand }), [
 *   { name: '2026-07', key: newerKey }, // encrypts and decrypts
 *   { name: '2026-01', key: olderKey }, // decrypts
 * ]);
 * ```
 *
 * @param store any token store: {@link redisTokenStore}, a Keyv, cache-manager.
 * @param keys at least one key, each with a different name. A passphrase or a repeated pattern is rejected as a key.
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`. The message lists every problem with its position and never shows a key.
 */
export function encryptedTokenStore(store: TokenStore, keys: readonly TokenEncryptionKey[]): TokenStore {
  const keyRing = createKeyRing(store, keys);

  return {
    async get(key) {
      const sealed = await store.get(key);
      return typeof sealed === 'string' ? open(sealed, key, keyRing) : undefined;
    },
    async set(key, value, ttlMs) {
      return store.set(key, seal(value, key, keyRing), ttlMs);
    },
    ...(store.lock && { lock: store.lock.bind(store) }),
  };
}

const algorithm = 'aes-256-gcm';
const ivLength = 12;
const tagLength = 16;

/** `v1.{key name}.{iv}.{ciphertext and tag}`, the last two in base64url. The names hold no dot. */
const sealedFormat = /^v1\.([\w-]{1,32})\.([\w-]{16})\.([\w-]{22,})$/;

interface KeyRing {
  /** The name of the key to encrypt with. */
  current: string;
  byName: ReadonlyMap<string, KeyObject | undefined>;
}

function seal(value: string, key: string, { current, byName }: KeyRing): string {
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv(algorithm, byName.get(current) as KeyObject, iv);
  cipher.setAAD(associatedData(current, key));
  const sealed = Buffer.concat([cipher.update(value), cipher.final(), cipher.getAuthTag()]);
  return ['v1', current, iv.toString('base64url'), sealed.toString('base64url')].join('.');
}

function open(value: string, key: string, { byName }: KeyRing): string | undefined {
  const parts = sealedFormat.exec(value) as [string, string, string, string] | null;
  if (parts === null) return undefined;
  const [, name, iv, body] = parts;
  const sealed = Buffer.from(body, 'base64url');
  if (sealed.toString('base64url') !== body) return undefined;
  try {
    // A key that is not there fails as a wrong one does.
    const decipher = createDecipheriv(
      algorithm,
      byName.get(name) as KeyObject,
      Buffer.from(iv, 'base64url'),
      {
        authTagLength: tagLength,
      },
    );
    decipher.setAAD(associatedData(name, key));
    decipher.setAuthTag(sealed.subarray(-tagLength));
    return Buffer.concat([decipher.update(sealed.subarray(0, -tagLength)), decipher.final()]).toString();
  } catch {
    // Not for us, or not whole.
  }
  return undefined;
}

/** Binds a value to its format, to its key's name and to the entry it was written for. */
function associatedData(name: string, key: string): Buffer {
  return Buffer.from(`v1.${name}.${key}`);
}

function createKeyRing(store: unknown, keys: unknown): KeyRing {
  const problems: string[] = [];
  const storeProblem = tokenStoreProblem(store);
  if (storeProblem !== undefined) problems.push(`store ${storeProblem}`);
  const byName = new Map<string, KeyObject | undefined>();

  if (!Array.isArray(keys) || keys.length === 0) {
    problems.push('keys must be an array of at least one { name, key }');
  } else {
    for (const [index, entry] of (keys as unknown[]).entries()) {
      const { name, key } = ownRecord(entry);
      const secret = decodeKey(key);
      if (typeof name !== 'string' || !/^[\w-]{1,32}$/.test(name)) {
        problems.push(`keys[${index}].name must be 1 to 32 letters, digits, "-" or "_"`);
      } else if (byName.has(name)) {
        problems.push(`keys[${index}].name is used twice`);
      } else {
        byName.set(name, secret && createSecretKey(secret));
      }
      if (secret === undefined) {
        problems.push(`keys[${index}].key must be 32 bytes in base64 (44 characters)`);
      } else if (isGuessable(secret)) {
        problems.push(`keys[${index}].key is not random: use the output of "openssl rand -base64 32"`);
      }
    }
  }

  if (problems.length > 0) {
    throw new BipsyncAuthError('ERR_BIPSYNC_CONFIG', `encryptedTokenStore: ${problems.join('; ')}`);
  }
  const [current] = byName.keys();
  return { current: current as string, byName };
}

/** Node's decoder skips what it does not understand; a key that does not encode back is a mangled one. */
function decodeKey(key: unknown): Buffer | undefined {
  if (typeof key !== 'string') return undefined;
  const bytes = Buffer.from(key, 'base64');
  return bytes.length === 32 && bytes.toString('base64') === key ? bytes : undefined;
}

/**
 * A passphrase, padded or not, hexadecimal digits and a counter from 0 are all valid UTF-8; one byte or a short pattern
 * repeated has few different bytes. Of 32 random bytes, one set in 100 million is valid UTF-8, and one in 10^14 has
 * 16 different bytes or fewer.
 */
function isGuessable(key: Buffer): boolean {
  return Buffer.from(key.toString()).equals(key) || new Set(key).size <= 16;
}
