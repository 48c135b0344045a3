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
import { asRecord, defineOwn, ownRecord } from './values';

/** An access token, for clients other than axios. Keep it secret: it gives access to the team's data, within its scopes. */
export interface BipsyncToken {
  accessToken: string;
  /** Epoch milliseconds. */
  expiresAt: number;
  /** The granted scopes, including the team's. If the server did not list them: the scopes that were asked for. */
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
   * Resolves to the current token if it is still usable, otherwise to a new token.
   *
   * @throws BipsyncAuthError if no token can be obtained. The code is `ERR_BIPSYNC_CONFIG` if the options are wrong.
   */
  getToken(options?: GetTokenOptions): Promise<BipsyncToken>;
  /**
   * Discards every token that exists now, also if a store returns it later. If a token is being requested, only the requests
   * that already wait for it use it. All cool-downs end.
   */
  invalidate(): void;
  /** Removes the plugin from the instance. Requests that have already started are not affected. */
  eject(): void;
}

/**
 * The part of an axios instance that the plugin uses. Instances of other versions of axios have this type too.
 */
export interface AxiosInstanceLike {
  readonly defaults: object;
  readonly interceptors: {
    readonly request: InterceptorManagerLike;
    readonly response: InterceptorManagerLike;
  };
}

/** The part of an axios interceptor manager that the plugin uses. */
export interface InterceptorManagerLike {
  use(...handlers: never[]): number;
  eject(id: number): void;
}

/** A registered symbol, so that every copy of the package in a process sees that an instance has the plugin. */
const installed = Symbol.for('axios-bipsync-auth.installed');

/**
 * installBipsyncAuth adds a valid access token to every request that `axiosInstance` sends to Bipsync. It obtains tokens with
 * the client credentials grant ({@link https://www.rfc-editor.org/rfc/rfc6749#section-4.4 RFC 6749 §4.4}). This takes one
 * token request per token lifetime.
 *
 * No token is requested before the first request. An instance without `defaults.baseURL` gets one, unless it is axios's
 * default export. `axiosInstance.create()` returns an instance without the plugin.
 *
 * @example
 * ```ts
 * const api = axios.create();
 * installBipsyncAuth(api, { client: 'acme', clientId, clientSecret, teamId, scopes: ['research:read'] });
 * await api.get('/v1/research');
 * ```
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG` if
 * - the configuration is wrong (the message lists every problem),
 * - the plugin is already installed on the instance,
 * - the instance's `defaults` lead to an origin that may not receive the token, or make axios drop the token,
 * - axios is older than 1.7.9,
 * - the program runs in a browser page or on Cloudflare Workers.
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
  defineOwn(instance, installed, { configurable: true });
  let isEjected = false;

  return {
    async getToken(options = {}) {
      const { scope, signal } = resolveGetToken(tokenScope, options);
      const { obtain } = sources.forScope(scope);
      const { accessToken, expiry, scopes } = await waitFor(obtain, ownRecord({ signal }));
      return { accessToken, expiresAt: expiry.wall, scopes: [...scopes] };
    },

    invalidate: () => sources.invalidate(),

    eject() {
      if (isEjected) return;
      isEjected = true;
      Reflect.deleteProperty(instance, installed);
      if (setsBaseURL && defaults.baseURL === resolved.baseURL) {
        if (baseURL === undefined) Reflect.deleteProperty(defaults, 'baseURL');
        else Reflect.set(defaults, 'baseURL', baseURL);
      }
      ejectFrom(interceptors.request, onRequest, requestId);
      ejectFrom(interceptors.response, onResponse, responseId);
    },
  };
}

/** A test's stand-in for an instance may have a manager with only `use`. */
function ejectFrom(manager: Partial<InterceptorManagerLike>, handler: unknown, id: number): void {
  if (isRegistered(manager, handler)) manager.eject?.(id);
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
    reject(
      'axios-bipsync-auth does not work in a browser page: the client secret would be public. Use it on a server.',
    );
  }
  if (navigator?.userAgent === 'Cloudflare-Workers') {
    reject(
      'axios-bipsync-auth does not work on Cloudflare Workers: a request there cannot wait for another request, so requests ' +
        'cannot share a token. Use a Node service.',
    );
  }
}

/** Node itself warns of `NODE_TLS_REJECT_UNAUTHORIZED=0`. */
function warnOfUncheckedCertificates({ httpsAgent }: AxiosInstance['defaults']): void {
  if (asRecord(asRecord(httpsAgent)['options'])['rejectUnauthorized'] !== false) return;
  process.emitWarning(
    "The instance's httpsAgent has rejectUnauthorized: false, so anyone between this machine and the server can read the client " +
      'secret and the token. Remove it, and set NODE_EXTRA_CA_CERTS to the path of the missing CA certificate.',
    { type: 'BipsyncAuthWarning', code: 'BIPSYNC_TLS_UNCHECKED' },
  );
}

function rejectInstance(candidate: unknown): void {
  const missing = missingPart(candidate);
  if (missing !== undefined) {
    reject(
      `The first argument must be an axios instance, but it has no ${missing}. In a test that mocks axios, add ${missing} to the ` +
        "mock, or mock the plugin too: jest.mock('axios-bipsync-auth').",
    );
  }
  if (!Object.isExtensible(candidate)) {
    reject('The axios instance is frozen. Install axios-bipsync-auth before you freeze the instance.');
  }
  if (Object.hasOwn(candidate as object, installed)) {
    reject(
      'axios-bipsync-auth is already installed on this axios instance. Install it only once, or first call eject() on its ' +
        'handle. In Nest tests, use HttpModule.registerAsync() or BipsyncHttpModule.',
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
  return undefined;
}
