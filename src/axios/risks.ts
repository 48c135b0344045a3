import type { AxiosRequestConfig } from 'axios';

import {
  type AdapterOption,
  isFetch,
  isHttp,
  isMock,
  isNamed,
  isPlainDispatcher,
  isSameAdapter,
} from './adapters';
import { nameOfProxy, possibleProxyOf } from './proxies';
import { ownVersion, tunnelsThroughProxies } from './versions';

/** How a request is about to be sent. */
interface Sending {
  readonly adapter: unknown;
  readonly config: Pick<AxiosRequestConfig, 'proxy' | 'fetchOptions'>;
}

/** RiskOf returns what could show the secret or the token to a proxy, with the way out, or `undefined`. */
export type RiskOf = (origin: string, sending: Sending) => string | undefined;

/**
 * createRiskOf makes the check of a request's surroundings for one axios instance.
 *
 * An https request must cross a proxy in a tunnel. This package's axios does so since 1.16.1, and `fetch` always does. An
 * adapter that is a function, on an instance of another copy of axios, may be the http adapter of any version, so it
 * counts as one that does not. An http request, which can only go to a loopback host, must cross no proxy at all.
 */
export function createRiskOf(isOwnCopy: boolean): RiskOf {
  const tunnels = tunnelsThroughProxies();
  const isAlwaysSafe = tunnels && isOwnCopy;
  const isSafe = (adapter: unknown): boolean =>
    (tunnels && isNamed(adapter)) || isFetch(adapter) || isMock(adapter);

  /** Nearly every request of an instance has the same adapter. */
  let last: { adapter: AdapterOption; isHttp: boolean } | undefined;
  function usesHttp(adapter: AdapterOption): boolean {
    if (!last || !isSameAdapter(last.adapter, adapter)) last = { adapter, isHttp: isHttp(adapter) };
    return last.isHttp;
  }

  return (origin, { adapter, config }) => {
    if (isAlwaysSafe && origin.startsWith('https:')) return undefined;
    if (origin.startsWith('http:')) {
      if (usesHttp(adapter as AdapterOption) || isPlainDispatcher(config) || isMock(adapter))
        return undefined;
      return (
        'the fetch dispatcher is not a plain undici Agent, so a proxy could receive the client secret and the token unencrypted. ' +
        'Use a plain Agent for a loopback host'
      );
    }
    if (isSafe(adapter)) return undefined;
    const proxy = possibleProxyOf(origin, config);
    if (proxy === undefined) return undefined;
    const sender =
      isOwnCopy || isNamed(adapter)
        ? `axios ${ownVersion() ?? '(unknown version)'}`
        : 'the adapter function of another copy of axios';
    return (
      `${sender} could send the client secret and the token unencrypted to ${nameOfProxy(proxy)}. Either upgrade every copy of axios ` +
      "to 1.16.1 or later and set adapter: 'http'. Or give the instance `proxy: false` and an httpsAgent that opens a tunnel. " +
      'In a test with axios-mock-adapter, call mockBipsyncToken(mock)'
    );
  };
}
