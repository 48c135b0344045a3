import { readFileSync } from 'node:fs';
import * as util from 'node:util';

import axios, { type AxiosInstance } from 'axios';

import { proxyOf } from '../axios/proxies';
import {
  type BipsyncAuth,
  type BipsyncAuthConfig,
  bipsyncAuthConfigFromEnv,
  installBipsyncAuth,
} from '../index';
import { SECRET_FILE, variables } from '../options/environment';
import type { Environment } from './terminal';

export const SECRET = variables.clientSecret;
export { SECRET_FILE };

/** What `bipsyncAuthConfigFromEnv` reads. The command reads no more: it must see what an application sees. */
export const allVariables: readonly string[] = [...Object.values(variables), SECRET_FILE];

/** Those of them that hold no secret. */
export const plainVariables = allVariables.filter((name) => name !== SECRET && name !== SECRET_FILE);

export const isSet = (value: string | undefined): value is string =>
  value !== undefined && value.trim() !== '';

/** setVariables lists the variables that are about a Bipsync. */
export const setVariables = (env: Environment): string[] => allVariables.filter((name) => isSet(env[name]));

/** For an environment without any of these variables. */
export const NO_VARIABLES = 'No BIPSYNC_… variable is set. Load a file with `--env-file .env`.';

/**
 * loadEnvFile adds a file's variables to `env`, as `node --env-file` does: a variable that `env` already has wins. The
 * process's own environment gains them, so that axios finds a proxy among them.
 *
 * @throws Error that names the file, if it cannot be read or is not plain UTF-8.
 */
export function loadEnvFile(file: string, env: Record<string, string | undefined>): EnvFile {
  const { parseEnv } = util as Partial<typeof util>;
  if (!parseEnv) {
    throw new Error(
      `--env-file needs Node 20.12 or later, but this is ${process.version}. Upgrade Node, or set the variables in the shell.`,
    );
  }
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(
      `The file ${file} could not be read (${codeOf(error)}). Check the path after --env-file.`,
      {
        cause: error,
      },
    );
  }
  // Node would take a byte order mark for a part of the first name.
  if (/^\uFEFF|\0/.test(text)) {
    throw new Error(`The file ${file} is not plain UTF-8. Save it as UTF-8 without a byte order mark.`);
  }
  const parsed = parseEnv(text);
  // An empty variable of the shell wins, too.
  const names = allVariables.filter((name) => {
    const [own, read] = [env[name], parsed[name]];
    return own !== undefined && own !== read && (isSet(own) || isSet(read));
  });
  Object.assign(env, { ...parsed, ...env });
  return {
    file,
    fromShell: names,
    beaten: names.filter((name) => isSet(parsed[name])),
    misread: allVariables.filter((name) => !names.includes(name) && isMisread(text, name, parsed[name])),
  };
}

/** What a file did to the package's variables. */
export interface EnvFile {
  readonly file: string;
  /** Those that come from the shell although the file was read. */
  readonly fromShell: readonly string[];
  /** Those of them that the file has too, with another value. */
  readonly beaten: readonly string[];
  /** Those with a value in the file that Node read only in part, or otherwise than it is written. */
  readonly misread: readonly string[];
}

/** The line of a variable that was read as it is written has only its value, perhaps in quotes, and perhaps a comment. */
function isMisread(text: string, name: string, value = ''): boolean {
  const line = [...text.matchAll(new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=(.*)$`, 'gm'))].at(-1);
  if (!line) return false;
  const written = String(line[1]).trim();
  const quote = /^["'`]/.exec(written)?.[0] ?? '';
  const read = `${quote}${value}${quote}`;
  return !(written.startsWith(read) && /^(\s+#.*)?$/.test(written.slice(read.length)));
}

/** codeOf is what the system calls an error. */
export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown error';

/** An axios instance with the plugin, as the environment configures it. */
export interface Connection {
  api: AxiosInstance;
  auth: BipsyncAuth;
  /** Where requests go, before their own path. */
  home: URL;
  config: BipsyncAuthConfig;
  /** The scopes that were asked for and not granted. */
  missingScopes(): readonly string[];
}

const TIMEOUT_MS = 10_000;

/**
 * connect installs the plugin on an axios instance that leaves the bodies of answers unread.
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`, listing every problem.
 */
export function connect(env: Environment): Connection {
  const config = bipsyncAuthConfigFromEnv(env);
  const api = axios.create({ timeout: TIMEOUT_MS, maxRedirects: 0, responseType: 'stream' });
  let missing: readonly string[] = [];
  const auth = installBipsyncAuth(api, {
    ...config,
    onEvent: (event) => {
      if (event.type === 'token-acquired') missing = event.missingScopes;
    },
  });
  return { api, auth, home: new URL(api.defaults.baseURL ?? ''), config, missingScopes: () => missing };
}

/** proxyFor is the host and port of the proxy that requests to `home` take by the environment. */
export function proxyFor({ protocol, origin }: URL): string | undefined {
  return protocol === 'https:' ? proxyOf(origin, {}) : undefined;
}
