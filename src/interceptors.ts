import axios, {
  type AxiosAdapter,
  type AxiosInstance,
  type AxiosRequestConfig,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';

import { readChallengeError } from './challenge';
import { refuseClearProxy } from './clear-proxy';
import type { ResolvedConfig } from './config';
import { BipsyncAuthError, isBipsyncAuthError } from './errors';
import type { Emit, UnauthenticatedReason } from './events';
import { createForcedRenewal, type ForcedRenewal } from './forced-renewal';
import { readAuthorization, readHeader, takeAuthorization } from './headers';
import { asRecord } from './json';
import { redactError } from './redact';
import { canReplay, disposeBody, replayOf } from './replay';
import { leadsTo, originOf, targetOf } from './target-origin';
import type { Token } from './token';
import type { TokenSource } from './token-source';
import type { TokenSources } from './token-sources';
import { throwIfCancelled, waitFor } from './waiting';

type Config = InternalAxiosRequestConfig;
type AdapterOption = NonNullable<AxiosRequestConfig['adapter']>;
type Send = (config: Config) => Promise<AxiosResponse>;
type BeforeRedirect = NonNullable<AxiosRequestConfig['beforeRedirect']>;

/** What is registered on the instance. */
export interface Interceptors {
  onRequest: (config: Config) => Config;
  onResponse: (response: AxiosResponse) => AxiosResponse | Promise<AxiosResponse>;
  onError: (error: unknown) => Promise<AxiosResponse>;
}

const UNAUTHORIZED = 401;

const noop = (): void => undefined;

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
  const renewals = new WeakMap<TokenSource, ForcedRenewal>();
  /** 401s that were dealt with at the adapter, by their headers too: those survive in a copy of the response. */
  const settled = new WeakSet<object>();
  const settle = (response: AxiosResponse): void => void settled.add(response).add(response.headers);
  const boundAdapters = new WeakSet<object>();
  const guards = new WeakSet<BeforeRedirect>();
  let lastBound: { to: AdapterOption; adapter: AxiosAdapter } | undefined;

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
    const send: Send = (config) => resolveAdapter(config, adapter)(config);
    if (config.bipsyncAuth === false) return send(config);
    try {
      const source = sourceOf(config);
      const obstacle = findObstacle(config, adapter);
      if (obstacle !== undefined) {
        withholdToken(config, source, obstacle);
        return send(config);
      }
      const token = source.present();
      return token ? authenticate(config, send, source, token) : obtainAndAuthenticate(config, send, source);
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- rejected as it was thrown
      return Promise.reject(error);
    }
  }

  const sourceOf = ({ bipsyncAuth }: Config): TokenSource =>
    bipsyncAuth ? sources.forOptions(bipsyncAuth) : sources.configured;

  /** Why the token must not go with this request; nothing, if it may. */
  function findObstacle(config: Config, adapter: AdapterOption): UnauthenticatedReason | undefined {
    if (!leadsTo(origin, config)) {
      const target = targetOf(config);
      if (target === undefined) return 'unknown-destination';
      if (!allowedOrigins.has(target.origin)) return 'origin';
      if (target.userInfo) throw otherCredentials('user info in the URL');
    }
    if (config.auth) throw otherCredentials('`auth`');
    refuseClearProxy(config, adapter);
    return undefined;
  }

  function withholdToken(config: Config, source: TokenSource, reason: UnauthenticatedReason): void {
    // A config that is sent again elsewhere may still carry a token from before.
    if (sources.holdsIssuedToken(readAuthorization(config.headers))) takeAuthorization(config.headers);
    emit(source.scope, { type: 'request-unauthenticated', reason });
  }

  async function obtainAndAuthenticate(
    config: Config,
    send: Send,
    source: TokenSource,
  ): Promise<AxiosResponse> {
    return authenticate(config, send, source, await waitFor(source.obtain(), config));
  }

  function authenticate(
    config: Config,
    send: Send,
    source: TokenSource,
    token: Token,
  ): Promise<AxiosResponse> {
    attach(config, source, token);
    return send(config).then(
      (response) =>
        response.status === UNAUTHORIZED ? renew(response, undefined, config, send, source) : response,
      (error: unknown) => {
        const response = responseOf(error);
        if (response?.status === UNAUTHORIZED) return renew(response, error, config, send, source);
        throw redacted(error);
      },
    );
  }

  /** In place: a copy of the config would cost every request a fifth of its time. */
  function attach(config: Config, source: TokenSource, token: Token): void {
    const { headers } = config;
    if (isCallersOwn(takeAuthorization(headers), config)) {
      emit(source.scope, { type: 'authorization-replaced' });
    }
    headers['Authorization'] = token.authorization;
    config.beforeRedirect = guardRedirects(config.beforeRedirect);
  }

  function isCallersOwn(authorization: unknown, { method }: Config): boolean {
    if (!authorization || sources.holdsIssuedToken(authorization)) return false;
    const headers = asRecord(instance.defaults.headers);
    return ![headers, headers['common'], headers[String(method)]]
      .map(readAuthorization)
      .includes(authorization);
  }

  /** Older versions of axios keep the header on a redirect to a subdomain. */
  function guardRedirects(callersOwn: BeforeRedirect | undefined): BeforeRedirect {
    if (callersOwn === undefined) return guardRedirect;
    if (callersOwn === guardRedirect || guards.has(callersOwn)) return callersOwn;
    const guard: BeforeRedirect = (options, ...details) => {
      guardRedirect(options, ...details);
      callersOwn(options, ...details);
    };
    guards.add(guard);
    return guard;
  }

  const guardRedirect: BeforeRedirect = (options) => {
    const { href, headers } = options as { href?: unknown; headers?: unknown };
    if (!allowedOrigins.has(originOf(href))) takeAuthorization(asRecord(headers));
  };

  /** Answers a 401 with another token and a second attempt where that may help; else lets it through. */
  async function renew(
    response: AxiosResponse,
    error: unknown,
    config: Config,
    send: Send,
    source: TokenSource,
  ): Promise<AxiosResponse> {
    const surface = (cause?: BipsyncAuthError): AxiosResponse => {
      settle(response);
      if (error === undefined) return response;
      throw redacted(withCause(error, cause));
    };
    if (isFromElsewhere(response)) return surface();
    const challenge = readChallengeError(readHeader(response.headers, 'www-authenticate'));
    if (challenge === 'insufficient_scope') return surface(accessDenied(source));

    const renewal = renewalOf(source);
    const sent = sentToken(config);
    const isForced = sent !== undefined && source.isCurrent(sent);
    if (isForced && !renewal.admits(challenge)) return surface(accessDenied(source));
    if (sent !== undefined) source.refuse(sent);
    const isRenewal = source.present() === undefined;
    /** A token that nobody sees help counts as one that did not, or each such request could cost another. */
    const leaveUnproven = (): void => {
      const next = source.obtain();
      (isForced ? next.then(renewal.didNotHelp) : next).catch(noop);
    };
    if (!canReplay(config.data)) {
      leaveUnproven();
      return surface();
    }
    disposeBody(response);
    let token: Token;
    try {
      throwIfCancelled(config);
      // One that is there is taken at once: a moment later it may have been given up.
      token = source.present() ?? (await waitFor(source.obtain(), config));
    } catch (failure) {
      if (isBipsyncAuthError(failure)) return surface(failure);
      leaveUnproven();
      throw redacted(failure);
    }

    /** One that another process had minted may have been revoked with the first: it proves nothing, and makes room. */
    const judge = (refused: Token): void => {
      if (!source.isBorrowed(refused.accessToken)) {
        renewal.didNotHelp(refused);
        return;
      }
      source.refuse(refused.accessToken);
      source.obtain().catch(noop);
    };
    emit(source.scope, { type: 'request-replayed' });
    const replay = replayOf(config);
    attach(replay, source, token);
    try {
      const second = await send(replay);
      if (second.status === UNAUTHORIZED) {
        settle(second);
        judge(token);
      } else if (isRenewal) renewal.helped();
      return second;
    } catch (failure) {
      const second = responseOf(failure);
      if (second?.status !== UNAUTHORIZED) {
        if (second && isRenewal) renewal.helped();
        else if (isForced) renewal.didNotHelp(token);
        throw redacted(failure);
      }
      settle(second);
      judge(token);
      throw redacted(withCause(failure, accessDenied(source)));
    }
  }

  function renewalOf(source: TokenSource): ForcedRenewal {
    const renewal = renewals.get(source) ?? createForcedRenewal();
    renewals.set(source, renewal);
    return renewal;
  }

  /** The token a request was sent with can be read from it, so that no state need travel with it. */
  function sentToken({ headers }: Config): string | undefined {
    const authorization = readAuthorization(headers);
    return sources.holdsIssuedToken(authorization)
      ? String(authorization).slice('Bearer '.length)
      : undefined;
  }

  /** Another origin's 401, that a redirect led to, says nothing about the token; only the http adapter tells. */
  function isFromElsewhere(response: AxiosResponse): boolean {
    const { request } = response as { request?: { res?: { responseUrl?: unknown } } };
    const actual = originOf(request?.res?.responseUrl);
    return actual !== undefined && !allowedOrigins.has(actual);
  }

  const redacted = (error: unknown): Error => {
    redactError(error, sources.holdsIssuedToken);
    return error as Error;
  };

  /** Somebody put an adapter of their own in place of the bound one, and its 401 was dealt with by nobody. */
  function isUnsettled(response: AxiosResponse | undefined): response is AxiosResponse {
    if (response?.status !== UNAUTHORIZED || settled.has(response) || settled.has(response.headers))
      return false;
    const { config } = response as { config?: Config };
    return (
      isRegistered() &&
      config?.headers instanceof Object &&
      config.bipsyncAuth !== false &&
      findObstacle(config, adapterOf(config)) === undefined
    );
  }

  /** After `interceptors.request.clear()` the plugin is to have no part in a request. */
  function isRegistered(): boolean {
    const { handlers } = instance.interceptors.request as { handlers?: ({ fulfilled?: unknown } | null)[] };
    return handlers === undefined || handlers.some((handler) => handler?.fulfilled === onRequest);
  }

  /** The second attempt of a request that has been through the transforms already. */
  const resend: Send = (config) =>
    new axios.Axios({}).request({ ...config, adapter: adapterOf(config), transformRequest: [] });

  const adapterOf = (config: Config): AdapterOption =>
    (config.adapter ?? instance.defaults.adapter ?? axios.defaults.adapter) as AdapterOption;

  function onRequest(config: Config): Config {
    config.adapter = bind(adapterOf(config));
    return config;
  }

  return {
    onRequest,
    onResponse: (response) =>
      isUnsettled(response)
        ? renew(response, undefined, response.config, resend, sourceOf(response.config))
        : response,
    async onError(error) {
      const response = responseOf(error);
      if (isUnsettled(response))
        return renew(response, error, response.config, resend, sourceOf(response.config));
      throw redacted(error);
    },
  };
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

function responseOf(error: unknown): AxiosResponse | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  return (error as { response?: AxiosResponse }).response;
}

function withCause(error: unknown, cause: BipsyncAuthError | undefined): unknown {
  if (cause) {
    const details = { value: cause, enumerable: false, writable: true, configurable: true };
    Reflect.defineProperty(error as object, 'cause', details);
  }
  return error;
}

function otherCredentials(what: string): BipsyncAuthError {
  return new BipsyncAuthError(
    'ERR_BIPSYNC_CONFIG',
    `The request was not sent: it has ${what}, for which axios would silently drop the access token. Remove that, or ` +
      'send the request with `bipsyncAuth: false`.',
  );
}

function accessDenied({ scope }: TokenSource): BipsyncAuthError {
  return new BipsyncAuthError(
    'ERR_BIPSYNC_ACCESS_DENIED',
    'The API refuses tokens it issued a moment ago, or says that their scope does not suffice. The scopes asked for ' +
      `are "${scope.scopes.join(' ')}": check what this endpoint needs and what the client was granted.`,
    { status: UNAUTHORIZED },
  );
}
