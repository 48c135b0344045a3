import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { BipsyncAuthError, type BipsyncAuthErrorCode } from '../errors';
import { secretProblem } from './secret';
import type { BipsyncAuthConfig } from './types';

const MAX_SECRET_BYTES = 16_384;

/** The variables that `bipsyncAuthConfigFromEnv` reads, by the option that they set. */
export const variables = {
  client: 'BIPSYNC_CLIENT',
  baseURL: 'BIPSYNC_BASE_URL',
  clientId: 'BIPSYNC_CLIENT_ID',
  clientSecret: 'BIPSYNC_CLIENT_SECRET',
  teamId: 'BIPSYNC_TEAM_ID',
  scopes: 'BIPSYNC_SCOPES',
} as const;

export const SECRET_FILE = 'BIPSYNC_CLIENT_SECRET_FILE';

/** withVariable names an option and, if there is one, the variable that sets it. */
export function withVariable(option: string): string {
  return Object.hasOwn(variables, option)
    ? `${option} (${variables[option as keyof typeof variables]})`
    : option;
}

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
  const file = variable(SECRET_FILE)?.trim();
  const secret = variable(variables.clientSecret);
  if (file !== undefined && secret !== undefined) {
    const message = `${variables.clientSecret} and ${SECRET_FILE} are both set. Unset one of them.`;
    throw new BipsyncAuthError('ERR_BIPSYNC_CONFIG', message);
  }
  const options = {
    client: variable(variables.client),
    baseURL: variable(variables.baseURL),
    clientId: variable(variables.clientId),
    clientSecret: file === undefined ? secret : secretOf(file),
    teamId: variable(variables.teamId),
    scopes: variable(variables.scopes),
  };
  const present = Object.entries(options).filter(([, value]) => value !== undefined);
  // Installation reports a missing identifier, together with everything else that is wrong.
  return Object.fromEntries(present) as Partial<BipsyncAuthConfig> as BipsyncAuthConfig;
}

/** The function that reads a secret from a file. A file that cannot be read now is a mistake in the configuration. */
function secretOf(file: string): () => Promise<string> {
  try {
    checked(readFileSync(file), 'ERR_BIPSYNC_CONFIG');
  } catch (error) {
    throw unreadable(error, 'ERR_BIPSYNC_CONFIG');
  }
  return async () => {
    try {
      return checked(await readFile(file), 'ERR_BIPSYNC_SECRET');
    } catch (error) {
      throw unreadable(error, 'ERR_BIPSYNC_SECRET');
    }
  };
}

function checked(content: Buffer, code: BipsyncAuthErrorCode): string {
  if (content.length > MAX_SECRET_BYTES) {
    throw rejectedFile(code, `is larger than ${MAX_SECRET_BYTES} bytes. Check the path`);
  }
  const secret = content.toString();
  const problem = contentProblem(secret);
  if (problem === undefined) return secret;
  throw rejectedFile(code, `${problem}. Write only the secret into the file`);
}

function contentProblem(secret: string): string | undefined {
  if (secret.trim() === '') return 'is empty';
  return /^\s*(?:export\s+)?BIPSYNC_\w+\s*=/m.test(secret)
    ? 'contains a line with the name of a variable, as in a file .env'
    : secretProblem(secret);
}

function unreadable(error: unknown, code: BipsyncAuthErrorCode): BipsyncAuthError {
  if (error instanceof BipsyncAuthError) return error;
  const { code: reason = 'unknown reason' } = error as { code?: string };
  const advice =
    'The variable must contain the path of a file, not the secret. Check the path and the permissions';
  return rejectedFile(code, `could not be read (${reason}). ${advice}`);
}

/** The path is not shown: it may be the secret in the wrong place. */
function rejectedFile(code: BipsyncAuthErrorCode, problem: string): BipsyncAuthError {
  return new BipsyncAuthError(code, `${SECRET_FILE}: the file ${problem}.`);
}
