import axios, { type AxiosRequestConfig } from 'axios';

import { tunnelsThroughProxies } from './features';
import { BipsyncAuthError } from '../errors';
import { type Destination, targetOf } from './destination';

const VARIABLES = ['https_proxy', 'all_proxy', 'npm_config_https_proxy', 'npm_config_proxy'];

/**
 * refuseClearProxy refuses what this version of axios would show to a proxy. `NO_PROXY` is not read: where a proxy is
 * configured at all, the caller is asked to be explicit.
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`.
 */
export function refuseClearProxy(
  request: Destination & { proxy?: unknown },
  adapter: AxiosRequestConfig['adapter'],
): void {
  if (tunnelsThroughProxies || request.proxy === false) return;
  if (axios.getAdapter(adapter) !== axios.getAdapter('http')) return;
  if (!targetOf(request)?.origin.startsWith('https:')) return;
  if (request.proxy || VARIABLES.some((name) => process.env[name] || process.env[name.toUpperCase()])) {
    throw new BipsyncAuthError(
      'ERR_BIPSYNC_CONFIG',
      `Nothing was sent: axios ${axios.VERSION} would show the client secret and the token to a proxy. Upgrade axios to ` +
        '1.16.1 or later, or give the instance an httpsAgent that tunnels and `proxy: false`.',
    );
  }
}
