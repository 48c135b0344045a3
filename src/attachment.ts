import type { AxiosInstance, AxiosRequestConfig, InternalAxiosRequestConfig } from 'axios';

import type { ResolvedConfig } from './config';
import type { Emit, UnauthenticatedReason } from './events';
import { readAuthorization, takeAuthorization } from './headers';
import { asRecord } from './json';
import { originOf, targetOf } from './target-origin';
import type { Token } from './token';
import type { TokenSource } from './token-source';
import type { TokenSources } from './token-sources';

type Config = InternalAxiosRequestConfig;
type BeforeRedirect = NonNullable<AxiosRequestConfig['beforeRedirect']>;

const isBeforeRedirect = (value: unknown): value is BeforeRedirect => typeof value === 'function';

/** Attachment is how a token gets onto a request, and how it is kept off. */
export interface Attachment {
  /** Makes `Authorization` the plugin's, wherever the request is redirected to. */
  attach: (config: Config, source: TokenSource, token: Token) => void;
  /** Sees to it that a request goes without a token. */
  withhold: (config: Config, source: TokenSource, reason: UnauthenticatedReason) => void;
}

export function createAttachment(
  instance: AxiosInstance,
  { allowedOrigins }: ResolvedConfig,
  sources: TokenSources,
  emit: Emit,
): Attachment {
  const guards = new WeakSet<BeforeRedirect>();
  const isEncrypted = [...allowedOrigins].every((origin) => origin?.startsWith('https:'));

  function isCallersOwn(authorization: unknown, { method }: Config): boolean {
    if (!authorization || sources.holdsIssuedToken(authorization)) return false;
    const headers = asRecord(instance.defaults.headers);
    return ![headers, headers['common'], headers[String(method)]]
      .map(readAuthorization)
      .includes(authorization);
  }

  /** Older versions of axios keep the header on a redirect to a subdomain. */
  function guardRedirects(callersOwn: unknown): BeforeRedirect {
    if (!isBeforeRedirect(callersOwn)) return guardRedirect;
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

  return {
    // In place: a copy of the config would cost every request a fifth of its time.
    attach(config, source, token) {
      const { headers } = config;
      if (isCallersOwn(takeAuthorization(headers), config)) {
        emit(source.scope, { type: 'authorization-replaced' });
      }
      headers['Authorization'] = token.authorization;
      // To a loopback host, and not by way of a proxy that would read it, unless the caller wants just that.
      if (!isEncrypted && targetOf(config)?.origin.startsWith('http:')) config.proxy ??= false;
      config.beforeRedirect = guardRedirects(config.beforeRedirect);
    },

    withhold({ headers }, source, reason) {
      // A config that is sent again elsewhere may still carry a token from before.
      if (sources.holdsIssuedToken(readAuthorization(headers))) takeAuthorization(headers);
      emit(source.scope, { type: 'request-unauthenticated', reason });
    },
  };
}
