import axios, { type AxiosRequestConfig } from 'axios';

type Adapter = AxiosRequestConfig['adapter'];

// What differs between the supported versions of axios and cannot be asked for; each found by running all of them.

/** Before 1.8.4 an absolute `url` could win over `allowAbsoluteUrls: false`. */
export const honoursAllowAbsoluteUrls = isAtLeast(1, 8, 4);

/** Before 1.16.1 https requests crossed an http proxy in clear, instead of through a CONNECT tunnel. */
export const tunnelsThroughProxies = isAtLeast(1, 16, 1);

const PROXY_VARIABLES = ['https_proxy', 'all_proxy', 'npm_config_https_proxy', 'npm_config_proxy'];

/**
 * proxiesInClear tells whether this version of axios would show an https request to a proxy. It does not read
 * `NO_PROXY`: where a proxy is configured at all, the caller is asked to be explicit.
 */
export function proxiesInClear(proxy: unknown, adapter: Adapter): boolean {
  if (tunnelsThroughProxies || proxy === false) return false;
  if (axios.getAdapter(adapter) !== axios.getAdapter('http')) return false;
  return (
    Boolean(proxy) || PROXY_VARIABLES.some((name) => process.env[name] ?? process.env[name.toUpperCase()])
  );
}

function isAtLeast(...version: number[]): boolean {
  const actual = axios.VERSION.split('.').map((part) => Number.parseInt(part, 10));
  for (const [position, wanted] of version.entries()) {
    const part = actual[position] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
