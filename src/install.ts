import axios, { type AxiosInstance } from 'axios';

import { readsForeignHeaders } from './axios/features';
import {
  type BipsyncAuthConfig,
  type GetTokenOptions,
  resolveConfig,
  resolveGetToken,
} from './options/config';
import { BipsyncAuthError } from './errors';
import { createEmit } from './events';
import { createInterceptors, isRegistered } from './request/layer';
import type { Transport } from './token/endpoint';
import { createTokenSources } from './token/sources';
import { waitFor } from './request/waiting';

/** An access token, for where axios is not what sends it. Whoever holds it can read everything in the team. */
export interface BipsyncToken {
  accessToken: string;
  /** Epoch milliseconds. */
  expiresAt: number;
  /** The scopes it was asked for, the team's among them. */
  scopes: string[];
}

/** BipsyncAuth is the handle of one installation. */
export interface BipsyncAuth {
  /**
   * Resolves to a usable token: the present one, or a new one.
   *
   * @throws BipsyncAuthError if none can be had, `ERR_BIPSYNC_CONFIG` if the options are wrong.
   */
  getToken(options?: GetTokenOptions): Promise<BipsyncToken>;
  /** Treats every present token as refused, which a store cannot bring back, and ends cool-downs. */
  invalidate(): void;
  /** Removes the interceptors: the instance is as it was before. Requests under way end as they began. */
  eject(): void;
}

/** Told apart by a registered symbol, an instance is known to every copy of the package in a process. */
const installed = Symbol.for('axios-bipsync-auth.installed');

/**
 * installBipsyncAuth makes every request of `axiosInstance` to Bipsync carry a valid access token, obtained by the
 * client credentials grant ({@link https://www.rfc-editor.org/rfc/rfc6749#section-4.4 RFC 6749 §4.4}) at the cost of
 * one token request per token lifetime.
 *
 * Nothing is requested before the first request. An instance without `defaults.baseURL` is given one, unless it is
 * axios's own default export.
 *
 * @example
 * const api = axios.create();
 * installBipsyncAuth(api, { client: 'acme', clientId, clientSecret, teamId, scopes: ['research:read'] });
 * await api.get('/v1/research');
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`, listing every problem of the configuration; if the instance has
 * the plugin already; if its `defaults` would send requests where the token may not go, or drop it; in a browser page.
 */
export function installBipsyncAuth(axiosInstance: AxiosInstance, config: BipsyncAuthConfig): BipsyncAuth {
  refuseBrowser();
  refuseOther(axiosInstance);
  const { defaults, interceptors } = axiosInstance;
  const resolved = resolveConfig(config, defaults);

  const emit = createEmit(resolved.onEvent);
  const endpoint = { ...resolved, transport: () => transportOf(defaults) };
  const sources = createTokenSources(resolved, endpoint, emit);
  const { onRequest, onResponse, onError } = createInterceptors(axiosInstance, resolved, sources, emit);

  const { baseURL } = defaults;
  const setsBaseURL = !baseURL && !isDefaultExport(axiosInstance);
  if (setsBaseURL) defaults.baseURL = resolved.baseURL;
  const requestId = interceptors.request.use(onRequest, undefined, { synchronous: true });
  const responseId = interceptors.response.use(onResponse, onError);
  Object.defineProperty(axiosInstance, installed, { configurable: true });
  let isEjected = false;

  return {
    async getToken(options = {}) {
      const { scope, signal } = resolveGetToken(resolved.tokenScope, options);
      const source = sources.forScope(scope);
      const { accessToken, expiresAt } = await waitFor(source.obtain(), { ...(signal && { signal }) });
      return { accessToken, expiresAt, scopes: [...source.scope.scopes] };
    },

    invalidate: () => sources.invalidate(),

    eject() {
      if (isEjected) return;
      isEjected = true;
      if (isRegistered(interceptors.request, onRequest)) interceptors.request.eject(requestId);
      if (isRegistered(interceptors.response, onResponse)) interceptors.response.eject(responseId);
      Reflect.deleteProperty(axiosInstance, installed);
      if (!setsBaseURL || defaults.baseURL !== resolved.baseURL) return;
      if (baseURL === undefined) delete defaults.baseURL;
      else defaults.baseURL = baseURL;
    },
  };
}

function refuse(message: string): never {
  throw new BipsyncAuthError('ERR_BIPSYNC_CONFIG', message);
}

type PartialInstance = { [Key in keyof AxiosInstance]?: Partial<AxiosInstance[Key]> };

/** jsdom under Jest has a document too, but runs on Node. */
function refuseBrowser(): void {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  const isNode = process?.versions?.node !== undefined;
  if ('document' in globalThis && !isNode) {
    refuse('axios-bipsync-auth is for servers: in a browser page the client secret would be public.');
  }
}

function refuseOther(axiosInstance: unknown): void {
  const candidate = axiosInstance as PartialInstance | null | undefined;
  if (
    typeof candidate?.interceptors?.request?.use !== 'function' ||
    typeof candidate.interceptors.response?.use !== 'function' ||
    typeof candidate.defaults !== 'object' ||
    !Object.isExtensible(candidate)
  ) {
    refuse('The first argument must be an axios instance, as axios.create() gives it.');
  }
  if (Object.hasOwn(candidate, installed)) {
    refuse(
      'axios-bipsync-auth is installed on this axios instance already: use it, or call eject() on its handle first.',
    );
  }
  if (!readsForeignHeaders && isOfAnotherCopy(candidate)) {
    refuse(
      `The axios instance is of another copy of axios (ESM beside CommonJS, say), whose headers axios ${axios.VERSION} would ` +
        'lose. Load axios-bipsync-auth as you load axios, by import or by require, or upgrade axios to 1.9.0 or later.',
    );
  }
}

/** One of its own classes tells the copy of axios that an instance is of. */
function isOfAnotherCopy({ interceptors }: PartialInstance): boolean {
  const manager = interceptors?.request?.constructor;
  return manager !== axios.interceptors.request.constructor && manager?.name === 'InterceptorManager';
}

/** Only axios's default export, which a whole process shares, carries axios's own exports. */
function isDefaultExport(axiosInstance: AxiosInstance): boolean {
  return 'CancelToken' in axiosInstance;
}

/** How the instance reaches the network now; nothing else of it has to do with token requests. */
function transportOf(defaults: Transport): Transport {
  const keys = [
    'adapter',
    'env',
    'httpAgent',
    'httpsAgent',
    'proxy',
    'lookup',
    'family',
    'fetchOptions',
  ] as const;
  return Object.fromEntries(keys.map((key) => [key, defaults[key]]));
}
