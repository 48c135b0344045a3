import axios, {
  type AxiosAdapter,
  type AxiosInstance,
  type AxiosRequestConfig,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';

import { createAttachment } from './gate';
import { refuseClearProxy } from '../axios/proxies';
import type { ResolvedConfig } from '../options/config';
import { BipsyncAuthError } from '../errors';
import type { Emit } from '../events';
import { redactError, redactErrorsOf } from './concealment';
import { createRenewal, failed, type Outcome, type Send, UNAUTHORIZED } from './unauthorized';
import { leadsTo, type Target, targetOf } from '../axios/destination';
import type { Token } from '../token/token';
import type { TokenSource } from '../token/source';
import type { TokenSources } from '../token/sources';
import { waitFor } from './waiting';

type Config = InternalAxiosRequestConfig;
type AdapterOption = NonNullable<AxiosRequestConfig['adapter']>;

/** What is registered on the instance. */
export interface Interceptors {
  onRequest: (config: Config) => Config;
  onResponse: (response: AxiosResponse) => AxiosResponse | Promise<AxiosResponse>;
  onError: (error: unknown) => Promise<AxiosResponse>;
}

/**
 * createInterceptors does its work at the adapter, below every interceptor: only there is it known where a request
 * goes, and only there is an answer still as the server gave it. The request interceptor merely puts that layer in
 * place; the response interceptor sees to what is made above it.
 */
export function createInterceptors(
  instance: AxiosInstance,
  config: ResolvedConfig,
  sources: TokenSources,
  emit: Emit,
): Interceptors {
  const { origin, allowedOrigins } = config;
  const home: Target = { origin, userInfo: false };
  const attachment = createAttachment(instance, sources, emit);
  const { settle, isUnsettled } = createRenewal(sources, emit, attachment);
  const boundAdapters = new WeakSet<object>();
  let lastBound: { to: AdapterOption; adapter: AxiosAdapter } | undefined;

  function onRequest(config: Config): Config {
    config.adapter = bind(adapterOf(config));
    attachment.claim(config);
    return config;
  }

  const adapterOf = (config: Config): AdapterOption =>
    (config.adapter ?? instance.defaults.adapter ?? axios.defaults.adapter) as AdapterOption;

  function bind(adapter: AdapterOption): AxiosAdapter {
    // A name is in no such set.
    if (boundAdapters.has(adapter as AxiosAdapter)) return adapter as AxiosAdapter;
    if (lastBound && isSameAdapter(lastBound.to, adapter)) return lastBound.adapter;
    const bound: AxiosAdapter = (config) => dispatch(config, adapter);
    boundAdapters.add(bound);
    lastBound = { to: adapter, adapter: bound };
    return bound;
  }

  function dispatch(config: Config, adapter: AdapterOption): Promise<AxiosResponse> {
    // What the caller finds in `config`, or sends again, shall be the caller's own.
    config.adapter = adapter;
    if (config.bipsyncAuth === false) {
      attachment.release(config);
      return send(config, adapter);
    }
    try {
      const source = sourceOf(config);
      const target = targetOfToken(config, adapter);
      if (target === undefined) {
        attachment.withhold(config, source);
        return send(config, adapter);
      }
      const token = source.present();
      return token
        ? authenticate(config, adapter, target, source, token)
        : obtainAndAuthenticate(config, adapter, target, source);
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- rejected as it was thrown
      return Promise.reject(error);
    }
  }

  function send(config: Config, adapter: AdapterOption): Promise<AxiosResponse> {
    const sent = resolveAdapter(config, adapter)(config);
    return config.responseType === 'stream' ? sent.then(watchBody) : sent;
  }

  const sendBy =
    (adapter: AdapterOption): Send =>
    (config) =>
      send(config, adapter);

  const watchBody = (response: AxiosResponse): AxiosResponse => {
    redactErrorsOf(response.data, sources.holdsIssuedToken);
    return response;
  };

  const sourceOf = ({ bipsyncAuth }: Config): TokenSource =>
    bipsyncAuth === undefined || bipsyncAuth === false ? sources.configured : sources.forOptions(bipsyncAuth);

  /** The origin that a token goes to with this request; none, where it must not go. */
  function targetOfToken(config: Config, adapter: AdapterOption): string | undefined {
    const target = leadsTo(origin, config) ? home : targetOf(config);
    if (target === undefined || !allowedOrigins.has(target.origin)) return undefined;
    if (target.userInfo) throw otherCredentials('user info in the URL');
    if (config.auth) throw otherCredentials('`auth`');
    refuseClearProxy(config, adapter);
    return target.origin;
  }

  async function obtainAndAuthenticate(
    config: Config,
    adapter: AdapterOption,
    target: string,
    source: TokenSource,
  ): Promise<AxiosResponse> {
    return authenticate(config, adapter, target, source, await waitFor(source.obtain(), config));
  }

  function authenticate(
    config: Config,
    adapter: AdapterOption,
    target: string,
    source: TokenSource,
    token: Token,
  ): Promise<AxiosResponse> {
    attachment.attach(config, target, source, token);
    return send(config, adapter).then(
      (response) =>
        response.status === UNAUTHORIZED ? settle({ response }, config, sendBy(adapter), source) : response,
      (error: unknown) => settle(failed(error), config, sendBy(adapter), source),
    );
  }

  function onResponse(response: AxiosResponse): AxiosResponse | Promise<AxiosResponse> {
    return isLeftToDo(response) ? settleAbove({ response }, response.config) : response;
  }

  async function onError(error: unknown): Promise<AxiosResponse> {
    const outcome = failed(error);
    if (isLeftToDo(outcome.response)) return settleAbove(outcome, outcome.response.config);
    throw redactError(error, sources.holdsIssuedToken);
  }

  /** Somebody put an adapter of their own in place of the bound one, and its 401 was dealt with by nobody. */
  function isLeftToDo(response: AxiosResponse | undefined): response is AxiosResponse {
    // After `interceptors.request.clear()` the plugin is to have no part in a request.
    if (!isUnsettled(response) || !isRegistered(instance.interceptors.request, onRequest)) return false;
    const { config } = response;
    if (!(config.headers instanceof Object) || config.bipsyncAuth === false) return false;
    try {
      sourceOf(config);
      return targetOfToken(config, adapterOf(config)) !== undefined;
    } catch {
      // What would have been refused was sent, and has its answer.
      return false;
    }
  }

  const settleAbove = (outcome: Outcome, config: Config): Promise<AxiosResponse> =>
    settle(outcome, config, resend, sourceOf(config));

  /** The second attempt of a request that has been through the transforms already. */
  const resend: Send = (config) =>
    new axios.Axios({}).request({ ...config, adapter: adapterOf(config), transformRequest: [] });

  return { onRequest, onResponse, onError };
}

/** isRegistered tells whether an interceptor is there still, and not only another that was given its number. */
export function isRegistered(manager: object, fulfilled: unknown): boolean {
  const { handlers } = manager as { handlers?: ({ fulfilled?: unknown } | null)[] };
  return handlers === undefined || handlers.some((handler) => handler?.fulfilled === fulfilled);
}

/** axios merges names into a new array for every request. */
function isSameAdapter(one: AdapterOption, other: AdapterOption): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((adapter, position) => adapter === other[position]);
}

function resolveAdapter(config: Config, adapter: AdapterOption): AxiosAdapter {
  if (typeof adapter === 'function') return adapter;
  // The config decides on an environment of fetch's own; the declared type lacks it.
  const resolver = axios as { getAdapter(adapter: AdapterOption, config: Config): AxiosAdapter };
  return resolver.getAdapter(adapter, config);
}

function otherCredentials(what: string): BipsyncAuthError {
  return new BipsyncAuthError(
    'ERR_BIPSYNC_CONFIG',
    `The request was not sent: it has ${what}, for which axios would silently drop the access token. Remove that, or ` +
      'send the request with `bipsyncAuth: false`.',
  );
}
