import axios, { type AxiosRequestConfig } from 'axios';

import { BipsyncAuthError } from './errors';

// What differs between the supported versions of axios and cannot be asked for; each found by running all of them.

/** Before 1.8.4 an absolute `url` could win over `allowAbsoluteUrls: false`. */
export const honoursAllowAbsoluteUrls = isAtLeast(1, 8, 4);

/** Before 1.16.1 https requests crossed an http proxy in clear, instead of through a CONNECT tunnel. */
export const tunnelsThroughProxies = isAtLeast(1, 16, 1);

const PROXY_VARIABLES = ['https_proxy', 'all_proxy', 'npm_config_https_proxy', 'npm_config_proxy'];

/**
 * refuseClearProxy refuses what this version of axios would show to a proxy. `NO_PROXY` is not read: where a proxy is
 * configured at all, the caller is asked to be explicit.
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`.
 */
export function refuseClearProxy(proxy: unknown, adapter: AxiosRequestConfig['adapter']): void {
  if (tunnelsThroughProxies || proxy === false || axios.getAdapter(adapter) !== axios.getAdapter('http'))
    return;
  if (proxy || PROXY_VARIABLES.some((name) => process.env[name] || process.env[name.toUpperCase()])) {
    throw new BipsyncAuthError(
      'ERR_BIPSYNC_CONFIG',
      `Nothing was sent: axios ${axios.VERSION} would show the client secret and the token to a proxy. Upgrade axios to ` +
        '1.16.1 or later, or give the instance an httpsAgent that tunnels and `proxy: false`.',
    );
  }
}

function isAtLeast(...version: number[]): boolean {
  const actual = axios.VERSION.split('.').map((part) => Number.parseInt(part, 10));
  for (const [position, wanted] of version.entries()) {
    const part = actual[position] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
