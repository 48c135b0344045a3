import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { BipsyncAuthError, type BipsyncAuthErrorCode } from '../errors';
import type { BipsyncAuthConfig } from './types';

const MAX_SECRET_BYTES = 16_384;

/**
 * bipsyncAuthConfigFromEnv reads `BIPSYNC_CLIENT`, `BIPSYNC_BASE_URL`, `BIPSYNC_CLIENT_ID`, `BIPSYNC_CLIENT_SECRET`,
 * `BIPSYNC_TEAM_ID` and `BIPSYNC_SCOPES` (with spaces between the scopes). Instead of the secret,
 * `BIPSYNC_CLIENT_SECRET_FILE` may name a file of at most 16 kB, which is read at every token request: secrets of Docker
 * and Kubernetes are such files, and rotate.
 *
 * An empty variable counts as absent. What is absent is absent from the result too: add it, or let `installBipsyncAuth`
 * report it.
 *
 * @example
 * ```ts
 * installBipsyncAuth(api, { ...bipsyncAuthConfigFromEnv(), tokenTimeoutMs: 5000 });
 * ```
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG` if the secret and its file are both given, or if the file cannot be read.
 */
export function bipsyncAuthConfigFromEnv(
  env: Readonly<Record<string, string | undefined>> = process.env,
): BipsyncAuthConfig {
  const variable = (name: string): string | undefined => {
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    return value === undefined || value.trim() === '' ? undefined : value;
  };
  const file = variable('BIPSYNC_CLIENT_SECRET_FILE')?.trim();
  const secret = variable('BIPSYNC_CLIENT_SECRET');
  if (file !== undefined && secret !== undefined) {
    const message = 'BIPSYNC_CLIENT_SECRET and BIPSYNC_CLIENT_SECRET_FILE are both set. Unset one of them.';
    throw new BipsyncAuthError('ERR_BIPSYNC_CONFIG', message);
  }
  const options = {
    client: variable('BIPSYNC_CLIENT'),
    baseURL: variable('BIPSYNC_BASE_URL'),
    clientId: variable('BIPSYNC_CLIENT_ID'),
    clientSecret: file === undefined ? secret : secretOf(file),
    teamId: variable('BIPSYNC_TEAM_ID'),
    scopes: variable('BIPSYNC_SCOPES'),
  };
  const present = Object.entries(options).filter(([, value]) => value !== undefined);
  // Installation reports a missing identifier, together with everything else that is wrong.
  return Object.fromEntries(present) as Partial<BipsyncAuthConfig> as BipsyncAuthConfig;
}

/** The function that reads a secret from a file. A file that cannot be read now is a mistake in the configuration. */
function secretOf(file: string): () => Promise<string> {
  try {
    checked(file, readFileSync(file), 'ERR_BIPSYNC_CONFIG');
  } catch (error) {
    throw unreadable(file, error, 'ERR_BIPSYNC_CONFIG');
  }
  return async () => {
    try {
      return checked(file, await readFile(file), 'ERR_BIPSYNC_SECRET');
    } catch (error) {
      throw unreadable(file, error, 'ERR_BIPSYNC_SECRET');
    }
  };
}

function checked(file: string, content: Buffer, code: BipsyncAuthErrorCode): string {
  const problem =
    content.length > MAX_SECRET_BYTES
      ? `is larger than ${MAX_SECRET_BYTES} bytes, which no secret is. Check its path`
      : 'is empty. Write the secret into it';
  const secret = content.length > MAX_SECRET_BYTES ? '' : content.toString();
  if (secret.trim() !== '') return secret;
  throw new BipsyncAuthError(code, `The file that BIPSYNC_CLIENT_SECRET_FILE names, ${file}, ${problem}.`);
}

function unreadable(file: string, error: unknown, code: BipsyncAuthErrorCode): BipsyncAuthError {
  if (error instanceof BipsyncAuthError) return error;
  const { code: reason = 'unknown reason' } = error as { code?: string };
  const message = `The file that BIPSYNC_CLIENT_SECRET_FILE names, ${file}, could not be read (${reason}). Check its path and permissions.`;
  return new BipsyncAuthError(code, message);
}
