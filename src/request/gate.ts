import type { AxiosInstance, AxiosRequestConfig, InternalAxiosRequestConfig } from 'axios';

import type { Emit } from '../events';
import { readAuthorization, takeAuthorization } from '../axios/headers';
import { asRecord } from '../values';
import { originOf, targetOf } from '../axios/destination';
import type { Token } from '../token/token';
import type { TokenSource } from '../token/source';
import type { TokenSources } from '../token/sources';

type Config = InternalAxiosRequestConfig;
type BeforeRedirect = NonNullable<AxiosRequestConfig['beforeRedirect']>;

const isBeforeRedirect = (value: unknown): value is BeforeRedirect => typeof value === 'function';

/** Attachment is how a token gets onto a request, and how it is kept off. */
export interface Attachment {
  /** Makes `Authorization` the plugin's on a request to `origin`, and on its redirects within it. */
  attach: (config: Config, origin: string, source: TokenSource, token: Token) => void;
  /** Marks a request as this installation's; the mark stays in copies of its config. */
  claim: (config: Config) => void;
  isClaimed: (config: unknown) => boolean;
  /** Takes the mark off, and with it the guard of redirects: the config is the caller's again. */
  release: (config: Redirecting) => void;
  /** Sees to it that a request goes without a token. */
  withhold: (config: Config, source: TokenSource) => void;
}

/** What a guard of redirects keeps the token to, and whom else it asks. */
interface Guard {
  guard: BeforeRedirect;
  origin: string | undefined;
  callersOwn: BeforeRedirect | undefined;
}

interface Redirecting {
  beforeRedirect?: unknown;
}

export function createAttachment(instance: AxiosInstance, sources: TokenSources, emit: Emit): Attachment {
  const guards = new WeakMap<object, Guard>();
  /** The guards of requests whose callers have no hook of their own, by origin. */
  const plainGuards = new Map<string, BeforeRedirect>();
  const unaimed = createGuard(undefined, undefined);

  function isCallersOwn(authorization: unknown, { method }: Config): boolean {
    if (!authorization || sources.holdsIssuedToken(authorization)) return false;
    const headers = asRecord(instance.defaults.headers);
    return ![headers, headers['common'], headers[String(method)]]
      .map(readAuthorization)
      .includes(authorization);
  }

  /** The guard of a request whose token goes to `origin`. */
  function guardOf(hook: unknown, origin: string): BeforeRedirect {
    const present = guards.get(hook as object);
    if (present?.origin === origin) return present.guard;
    const callersOwn = present ? present.callersOwn : hook;
    if (isBeforeRedirect(callersOwn)) return createGuard(origin, callersOwn);
    let guard = plainGuards.get(origin);
    if (guard === undefined) plainGuards.set(origin, (guard = createGuard(origin, undefined)));
    return guard;
  }

  /**
   * A guard keeps the token to `origin`: older versions of axios leave the header on a redirect to a subdomain, allowed or
   * not. It also tells, in copies of a config too, that a request is this installation's; before the origin is known it
   * does no more than that.
   */
  function createGuard(origin: string | undefined, callersOwn: BeforeRedirect | undefined): BeforeRedirect {
    const guard: BeforeRedirect = (options, ...details) => {
      const { href, headers } = options as { href?: unknown; headers?: unknown };
      if (origin !== undefined && originOf(href) !== origin) takeAuthorization(asRecord(headers));
      callersOwn?.(options, ...details);
    };
    guards.set(guard, { guard, origin, callersOwn });
    return guard;
  }

  function release(config: Redirecting): void {
    const present = guards.get(config.beforeRedirect as object);
    if (present) config.beforeRedirect = present.callersOwn;
  }

  return {
    claim(config) {
      const hook: unknown = config.beforeRedirect;
      if (!isBeforeRedirect(hook)) config.beforeRedirect = unaimed;
      else if (!guards.has(hook)) config.beforeRedirect = createGuard(undefined, hook);
    },
    isClaimed: (config) => guards.has(asRecord(config)['beforeRedirect'] as object),
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
      const hook = config.beforeRedirect;
      config.beforeRedirect = guardOf(hook === unaimed ? undefined : hook, origin);
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
