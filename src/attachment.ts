import type { AxiosInstance, AxiosRequestConfig, InternalAxiosRequestConfig } from 'axios';

import type { Emit } from './events';
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
  /** Makes `Authorization` the plugin's on a request to `origin`, and on its redirects within it. */
  attach: (config: Config, origin: string, source: TokenSource, token: Token) => void;
  /** Takes the guard of an earlier attempt off a config that is sent again. */
  release: (config: Config) => void;
  /** Sees to it that a request goes without a token. */
  withhold: (config: Config, source: TokenSource) => void;
}

/** What a guard of redirects keeps the token to, and whom else it asks. */
interface Guard {
  origin: string;
  callersOwn: unknown;
}

export function createAttachment(instance: AxiosInstance, sources: TokenSources, emit: Emit): Attachment {
  const guards = new WeakMap<BeforeRedirect, Guard>();
  /** The guards of requests whose callers have no hook of their own, by origin. */
  const plainGuards = new Map<string, BeforeRedirect>();

  function isCallersOwn(authorization: unknown, { method }: Config): boolean {
    if (!authorization || sources.holdsIssuedToken(authorization)) return false;
    const headers = asRecord(instance.defaults.headers);
    return ![headers, headers['common'], headers[String(method)]]
      .map(readAuthorization)
      .includes(authorization);
  }

  /** Older versions of axios keep the header on a redirect to a subdomain, allowed or not. */
  function guardRedirects(hook: unknown, origin: string): BeforeRedirect {
    const present = guards.get(hook as BeforeRedirect);
    if (present?.origin === origin) return hook as BeforeRedirect;
    const callersOwn = present ? present.callersOwn : hook;
    const plainGuard = plainGuards.get(origin);
    if (plainGuard && !isBeforeRedirect(callersOwn)) return plainGuard;

    const guard: BeforeRedirect = (options, ...details) => {
      const { href, headers } = options as { href?: unknown; headers?: unknown };
      if (originOf(href) !== origin) takeAuthorization(asRecord(headers));
      if (isBeforeRedirect(callersOwn)) callersOwn(options, ...details);
    };
    guards.set(guard, { origin, callersOwn });
    if (!isBeforeRedirect(callersOwn)) plainGuards.set(origin, guard);
    return guard;
  }

  function release(config: Config): void {
    const present = guards.get(config.beforeRedirect as BeforeRedirect);
    if (present) Object.assign(config, { beforeRedirect: present.callersOwn });
  }

  return {
    release,

    // In place: a copy of the config would cost every request a fifth of its time.
    attach(config, origin, source, token) {
      const { headers } = config;
      if (isCallersOwn(takeAuthorization(headers), config)) {
        emit(source.scope, { type: 'authorization-replaced' });
      }
      headers['Authorization'] = token.authorization;
      // To a loopback host, and not by way of a proxy that would read it, unless the caller wants just that.
      if (origin.startsWith('http:')) config.proxy ??= false;
      config.beforeRedirect = guardRedirects(config.beforeRedirect, origin);
    },

    withhold(config, source) {
      const { headers } = config;
      release(config);
      const reason = targetOf(config) ? 'origin' : 'unknown-destination';
      // A config that is sent again elsewhere may still carry a token from before.
      if (sources.holdsIssuedToken(readAuthorization(headers))) takeAuthorization(headers);
      emit(source.scope, { type: 'request-unauthenticated', reason });
    },
  };
}
