import type { AxiosInstance } from 'axios';

import { isOwnCopy, isSharedDefault, isTooOld, OLDEST_AXIOS, ownVersion } from './axios/versions';
import { createRiskOf } from './axios/risks';
import { BipsyncAuthError } from './errors';
import { createEmit } from './events';
import { resolveConfig } from './options/config';
import { resolveGetToken, resolveRequestScope } from './options/request';
import type { BipsyncAuthConfig, GetTokenOptions } from './options/types';
import { createGate } from './request/gate';
import { createLayer, isRegistered } from './request/layer';
import { waitFor } from './request/waiting';
import { createTokenSources } from './token/sources';
import { asRecord } from './values';

/** An access token, for clients other than axios. Whoever has it can read everything in the team. */
export interface BipsyncToken {
  accessToken: string;
  /** Epoch milliseconds. */
  expiresAt: number;
  /** The scopes that the server granted, or those asked for if it did not say. The team's is among them. */
  scopes: string[];
}

/**
 * BipsyncAuth is the handle of one installation.
 *
 * @example
 * ```ts
 * const { accessToken, expiresAt } = await auth.getToken();
 * auth.invalidate(); // the next request gets a new token
 * auth.eject(); // the instance is as it was before
 * ```
 */
export interface BipsyncAuth {
  /**
   * Resolves to a usable token: the present one, or a new one.
   *
   * @throws BipsyncAuthError if there is none to get, and `ERR_BIPSYNC_CONFIG` if the options are wrong.
   */
  getToken(options?: GetTokenOptions): Promise<BipsyncToken>;
  /**
   * Every present token counts as refused, also if it comes back from a store. A token that is being fetched is not kept.
   * Cool-downs end.
   */
  invalidate(): void;
  /** Removes the interceptors: the instance is as it was before. Requests under way end as they began. */
  eject(): void;
}

/**
 * An axios instance, as far as the plugin uses it. The type is structural, so that an instance of another version of axios is
 * accepted too.
 */
export interface AxiosInstanceLike {
  readonly defaults: object;
  readonly interceptors: {
    readonly request: InterceptorManagerLike;
    readonly response: InterceptorManagerLike;
  };
}

export interface InterceptorManagerLike {
  use(...handlers: never[]): number;
  eject(id: number): void;
}

/** A registered symbol, so that every copy of the package in a process sees that an instance has the plugin. */
const installed = Symbol.for('axios-bipsync-auth.installed');

/**
 * installBipsyncAuth makes every request of `axiosInstance` to Bipsync carry a valid access token. It obtains tokens by the
 * client credentials grant ({@link https://www.rfc-editor.org/rfc/rfc6749#section-4.4 RFC 6749 §4.4}), at the cost of one
 * token request per token lifetime.
 *
 * Nothing is requested before the first request. An instance without `defaults.baseURL` gets one, unless it is axios's own
 * default export. `axiosInstance.create()` makes an instance without the plugin.
 *
 * @example
 * ```ts
 * const api = axios.create();
 * installBipsyncAuth(api, { client: 'acme', clientId, clientSecret, teamId, scopes: ['research:read'] });
 * await api.get('/v1/research');
 * ```
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`, listing every problem of the configuration; if the instance has the plugin
 * already; if its `defaults` would send requests where the token may not go, or drop it; if axios is older than 1.7.9; in a
 * browser page and on Cloudflare Workers.
 */
export function installBipsyncAuth(axiosInstance: AxiosInstanceLike, config: BipsyncAuthConfig): BipsyncAuth {
  rejectEnvironment();
  rejectInstance(axiosInstance);
  const instance = axiosInstance as Pick<AxiosInstance, 'defaults' | 'interceptors'> & AxiosInstanceLike;
  const { defaults, interceptors } = instance;
  const resolved = resolveConfig(config, defaults);

  warnOfUncheckedCertificates(defaults);
  const isOwn = isOwnCopy(instance);
  const emit = createEmit(resolved.onEvent);
  const riskOf = createRiskOf(isOwn);
  const sources = createTokenSources(resolved, { ...resolved, instance, riskOf }, emit);
  const { allowedOrigins, tokenScope } = resolved;
  const gate = createGate({ instance, isOwnCopy: isOwn, allowedOrigins, riskOf, sources, emit });
  const { onRequest, onResponse, onError } = createLayer({
    instance,
    isOwnCopy: isOwn,
    sources,
    sourceFor: (options) => sources.forScope(resolveRequestScope(tokenScope, options)),
    gate,
    emit,
  });

  const { baseURL } = defaults;
  const setsBaseURL = !baseURL && !isSharedDefault(instance);
  if (setsBaseURL) defaults.baseURL = resolved.baseURL;
  const requestId = interceptors.request.use(onRequest, undefined, { synchronous: true });
  const responseId = interceptors.response.use(onResponse, onError);
  Object.defineProperty(instance, installed, { configurable: true });
  let isEjected = false;

  return {
    async getToken(options = {}) {
      const { scope, signal } = resolveGetToken(tokenScope, options);
      const token = sources.forScope(scope).obtain();
      const { accessToken, expiry, scopes } = await waitFor(
        token,
        Object.assign(Object.create(null), { signal }) as { signal?: AbortSignal },
      );
      return { accessToken, expiresAt: expiry.wall, scopes: [...scopes] };
    },

    invalidate: () => sources.invalidate(),

    eject() {
      if (isEjected) return;
      isEjected = true;
      if (isRegistered(interceptors.request, onRequest)) interceptors.request.eject(requestId);
      if (isRegistered(interceptors.response, onResponse)) interceptors.response.eject(responseId);
      Reflect.deleteProperty(instance, installed);
      if (!setsBaseURL || defaults.baseURL !== resolved.baseURL) return;
      if (baseURL === undefined) delete defaults.baseURL;
      else defaults.baseURL = baseURL;
    },
  };
}

function reject(message: string): never {
  throw new BipsyncAuthError('ERR_BIPSYNC_CONFIG', message);
}

/** jsdom and happy-dom have a document too, but run on Node. */
function rejectEnvironment(): void {
  const { process, navigator } = globalThis as {
    process?: { versions?: { node?: string } };
    navigator?: { userAgent?: string };
  };
  if ('document' in globalThis && process?.versions?.node === undefined) {
    reject('axios-bipsync-auth is for servers: in a browser page the client secret would be public.');
  }
  if (navigator?.userAgent === 'Cloudflare-Workers') {
    reject(
      'axios-bipsync-auth does not work on Cloudflare Workers: one request must not wait there for what another one began, and ' +
        'so requests cannot share a token acquisition. Use a Node service.',
    );
  }
}

/** Node itself warns of `NODE_TLS_REJECT_UNAUTHORIZED=0`. */
function warnOfUncheckedCertificates({ httpsAgent }: AxiosInstance['defaults']): void {
  if (asRecord(asRecord(httpsAgent)['options'])['rejectUnauthorized'] !== false) return;
  process.emitWarning(
    "The instance's httpsAgent has rejectUnauthorized: false, so anyone on the way can read the client secret and the token. Name " +
      'the missing CA certificate in NODE_EXTRA_CA_CERTS, or in the `ca` option of the agent, instead.',
    { type: 'BipsyncAuthWarning', code: 'BIPSYNC_TLS_UNCHECKED' },
  );
}

function rejectInstance(candidate: unknown): void {
  const missing = missingPart(candidate);
  if (missing !== undefined) {
    reject(
      `The first argument must be an axios instance, as axios.create() returns it: it has no ${missing}. In a test that replaces ` +
        "axios, add it to the stand-in, or replace the plugin too: jest.mock('axios-bipsync-auth').",
    );
  }
  if (Object.hasOwn(candidate as object, installed)) {
    reject(
      'axios-bipsync-auth is installed on this axios instance already. Use the instance as it is, or call eject() on the handle ' +
        'of the first installation. A second Nest testing module on a bare HttpModule gets the same instance as the first, the ' +
        'default export of axios: import HttpModule.register({}) instead, which makes a separate one.',
    );
  }
  if (isTooOld()) {
    reject(
      `axios ${ownVersion() ?? ''} is too old for axios-bipsync-auth: upgrade axios to ${OLDEST_AXIOS} or later.`,
    );
  }
}

/** What a stand-in for an instance lacks. */
function missingPart(candidate: unknown): string | undefined {
  const isFunctionOrObject = Object(candidate) === candidate;
  if (!isFunctionOrObject) return 'defaults';
  const { defaults, interceptors } = candidate as Partial<AxiosInstanceLike>;
  if (Object(defaults) !== defaults) return 'defaults';
  if (Object(interceptors) !== interceptors) return 'interceptors';
  for (const name of ['request', 'response'] as const) {
    if (typeof asRecord(interceptors?.[name])['use'] !== 'function') return `interceptors.${name}`;
  }
  return Object.isExtensible(candidate) ? undefined : 'room for properties (it is frozen)';
}
