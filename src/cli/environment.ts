import { readFileSync } from 'node:fs';

import axios, { type AxiosInstance } from 'axios';

import {
  type BipsyncAuth,
  type BipsyncAuthConfig,
  bipsyncAuthConfigFromEnv,
  installBipsyncAuth,
} from '../index';
import type { Environment } from './terminal';

/** The client secret and where it came from, or why there is none. */
export type Secret =
  { value: string; from: string; problem?: never } | { value?: never; problem: string; hint: string };

const SECRET = 'BIPSYNC_CLIENT_SECRET';
const SECRET_FILE = 'BIPSYNC_CLIENT_SECRET_FILE';

const variables = [
  'BIPSYNC_CLIENT',
  'BIPSYNC_BASE_URL',
  'BIPSYNC_CLIENT_ID',
  SECRET,
  SECRET_FILE,
  'BIPSYNC_TEAM_ID',
  'BIPSYNC_SCOPES',
];

const isSet = (value: string | undefined): value is string => value !== undefined && value.trim() !== '';

/** namesTenant tells whether the environment is about a Bipsync, however incompletely. */
export function namesTenant(env: Environment): boolean {
  return variables.some((name) => isSet(env[name]));
}

/** readSecret takes the secret from its variable, or from the file that another one names. */
export function readSecret(env: Environment): Secret {
  const value = env[SECRET];
  const file = env[SECRET_FILE];
  if (isSet(value) && isSet(file)) {
    return {
      problem: `both ${SECRET} and ${SECRET_FILE} are set`,
      hint: 'Unset the one that is out of date.',
    };
  }
  if (isSet(value)) return { value, from: SECRET };
  if (!isSet(file)) {
    return {
      problem: `neither ${SECRET} nor ${SECRET_FILE} is set`,
      hint: `Set ${SECRET}, or name a file that holds it in ${SECRET_FILE}.`,
    };
  }
  try {
    const content = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (isSet(content)) return { value: content, from: file };
    return {
      problem: `${file} is empty`,
      hint: `Write the secret to it, or point ${SECRET_FILE} elsewhere.`,
    };
  } catch (error) {
    return {
      problem: `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
      hint: `Check ${SECRET_FILE}, and that this user may read the file.`,
    };
  }
}

/** An axios instance with the plugin, as the environment configures it. */
export interface Connection {
  api: AxiosInstance;
  auth: BipsyncAuth;
  origin: string;
  config: BipsyncAuthConfig;
}

const TIMEOUT_MS = 10_000;

/**
 * connect installs the plugin. Every answer of the API is taken as it is, and its body left unread.
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`, listing every problem.
 */
export function connect(env: Environment, secret: string | undefined): Connection {
  const config = bipsyncAuthConfigFromEnv(env);
  if (secret !== undefined) config.clientSecret = secret;
  const api = axios.create({
    timeout: TIMEOUT_MS,
    maxRedirects: 0,
    responseType: 'stream',
    validateStatus: () => true,
  });
  const auth = installBipsyncAuth(api, config);
  return { api, auth, origin: new URL(api.defaults.baseURL ?? '').origin, config };
}

/** proxyFor is the proxy that axios uses for `url` by the environment, without its user info. */
export function proxyFor(url: URL, env: Environment): string | undefined {
  const read = (name: string): string | undefined => env[name] || env[name.toUpperCase()] || undefined;
  const proxy = read(`${url.protocol.slice(0, -1)}_proxy`) ?? read('all_proxy');
  const isExempt = (read('no_proxy') ?? '').split(/[\s,]+/).some((entry) => covers(entry, url));
  if (proxy === undefined || isExempt) return undefined;
  const address = proxy.includes('://') ? proxy : `${url.protocol}//${proxy}`;
  return URL.canParse(address) ? new URL(address).origin : 'an address that is no URL';
}

function covers(entry: string, { hostname, port }: URL): boolean {
  const [, name = '', onPort] = /^\*?(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (entry === '' || (onPort !== undefined && onPort !== port)) return false;
  return name.startsWith('.') || entry.startsWith('*') ? hostname.endsWith(name) : hostname === name;
}
