import axios, { type AxiosInstance } from 'axios';

import {
  type BipsyncAuth,
  type BipsyncAuthConfig,
  bipsyncAuthConfigFromEnv,
  installBipsyncAuth,
} from '../index';
import type { Environment } from './terminal';

export const SECRET = 'BIPSYNC_CLIENT_SECRET';

/** Those of `bipsyncAuthConfigFromEnv`, no more: what is fine here must be fine in the application. */
const variables = [
  'BIPSYNC_CLIENT',
  'BIPSYNC_BASE_URL',
  'BIPSYNC_CLIENT_ID',
  SECRET,
  'BIPSYNC_TEAM_ID',
  'BIPSYNC_SCOPES',
];

export const isSet = (value: string | undefined): value is string =>
  value !== undefined && value.trim() !== '';

/** namesTenant tells whether the environment is about a Bipsync, however incompletely. */
export function namesTenant(env: Environment): boolean {
  return variables.some((name) => isSet(env[name]));
}

/** An axios instance with the plugin, as the environment configures it. */
export interface Connection {
  api: AxiosInstance;
  auth: BipsyncAuth;
  /** Where requests go, before their own path. */
  home: URL;
  config: BipsyncAuthConfig;
}

const TIMEOUT_MS = 10_000;

/**
 * connect installs the plugin. Every answer of the API is taken as it is, and its body left unread.
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`, listing every problem.
 */
export function connect(env: Environment): Connection {
  const config = bipsyncAuthConfigFromEnv(env);
  const api = axios.create({
    timeout: TIMEOUT_MS,
    maxRedirects: 0,
    responseType: 'stream',
    validateStatus: () => true,
  });
  const auth = installBipsyncAuth(api, config);
  return { api, auth, home: new URL(api.defaults.baseURL ?? ''), config };
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
