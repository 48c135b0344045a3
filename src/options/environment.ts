import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { BipsyncAuthError, type BipsyncAuthErrorCode } from '../errors';
import { secretProblem } from './secret';
import type { BipsyncAuthConfig } from './types';

const MAX_SECRET_BYTES = 16_384;

/**
 * bipsyncAuthConfigFromEnv reads `BIPSYNC_CLIENT`, `BIPSYNC_BASE_URL`, `BIPSYNC_CLIENT_ID`, `BIPSYNC_CLIENT_SECRET`,
 * `BIPSYNC_TEAM_ID` and `BIPSYNC_SCOPES` (with spaces between the scopes).
 *
 * Instead of `BIPSYNC_CLIENT_SECRET`, you can set `BIPSYNC_CLIENT_SECRET_FILE` to the path of a file of at most 16 kB, for
 * example a secret of Docker or Kubernetes. The file is read at every token request, so the secret can rotate.
 *
 * An empty variable counts as not set. The result has no option for a variable that is not set. `installBipsyncAuth` reports
 * the options that are missing.
 *
 * @example
 * ```ts
 * installBipsyncAuth(api, { ...bipsyncAuthConfigFromEnv(), tokenTimeoutMs: 5000 });
 * ```
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG` if both variables for the secret are set, or if the file cannot be read or
 * contains something other than a secret.
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
  const reject = (problem: string): never => {
    throw new BipsyncAuthError(code, `BIPSYNC_CLIENT_SECRET_FILE: the file ${file} ${problem}.`);
  };
  if (content.length > MAX_SECRET_BYTES) reject(`is larger than ${MAX_SECRET_BYTES} bytes. Check the path`);
  const secret = content.toString();
  const problem = secret.trim() === '' ? 'is empty' : secretProblem(secret);
  return problem === undefined ? secret : reject(`${problem}. Write only the secret into the file`);
}

function unreadable(file: string, error: unknown, code: BipsyncAuthErrorCode): BipsyncAuthError {
  if (error instanceof BipsyncAuthError) return error;
  const { code: reason = 'unknown reason' } = error as { code?: string };
  const message = `BIPSYNC_CLIENT_SECRET_FILE: the file ${file} could not be read (${reason}). Check the path and the permissions.`;
  return new BipsyncAuthError(code, message);
}
