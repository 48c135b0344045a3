import type { AxiosInstance, AxiosRequestConfig, InternalAxiosRequestConfig } from 'axios';

import { createTargetOf, originOf, type Target } from '../axios/destination';
import { copyOf, readAuthorization, takeAuthorization } from '../axios/headers';
import { directAgent } from '../axios/proxies';
import type { RiskOf } from '../axios/risks';
import { BipsyncAuthError } from '../errors';
import type { Emit } from '../events';
import type { Token } from '../token/token';
import type { TokenSource } from '../token/source';
import type { TokenSources } from '../token/sources';
import { asRecord } from '../values';

type Config = InternalAxiosRequestConfig;
type BeforeRedirect = NonNullable<AxiosRequestConfig['beforeRedirect']>;

/** What a request's caller had set before a token was attached; absent if nothing was changed but an empty hook. */
export interface CallersOptions {
  readonly beforeRedirect: unknown;
  readonly transport: unknown;
  readonly proxy: unknown;
  readonly httpAgent: unknown;
}

/**
 * Gate is the only way for a token onto a request. Permission and attachment are one synchronous step, taken after every
 * wait, and directly before the request is sent.
 */
export interface Gate {
  /**
   * Returns where a request goes, if it may carry a token there.
   *
   * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG` if the request would lose the token, or show it to a proxy.
   */
  admit(config: Config, adapter: unknown): Target | undefined;
  /** Puts the token on a request that was admitted in the same step. Returns what {@link Gate.release} needs. */
  attach(config: Config, target: Target, source: TokenSource, token: Token): CallersOptions | undefined;
  /**
   * Lets the token of a request be read only as long as the request goes where it was admitted. It is for adapters that do not
   * send at once, so that the config may change before they read it.
   */
  watch(config: Config, target: Target, token: Token): void;
  /** Restores the caller's own options on a request that was answered. */
  release(config: Config, options: CallersOptions | undefined): void;
  /** Makes sure that a request that was not admitted carries no token of this installation, and reports it. */
  withhold(config: Config, source: TokenSource): void;
}

export interface GateParts {
  readonly instance: Pick<AxiosInstance, 'defaults'>;
  readonly isOwnCopy: boolean;
  readonly allowedOrigins: ReadonlySet<string | undefined>;
  readonly riskOf: RiskOf;
  readonly sources: TokenSources;
  readonly emit: Emit;
}

const ORDINARY = { enumerable: true, configurable: true, writable: true };

export function createGate(parts: GateParts): Gate {
  const { instance, isOwnCopy, allowedOrigins, riskOf, sources, emit } = parts;
  const targetOf = createTargetOf(isOwnCopy);
  /** The guards of requests whose callers have no hook, by origin. */
  const plainGuards = new Map<string, BeforeRedirect>();

  function isCallersOwn(authorization: unknown, { method }: Config): boolean {
    if (!authorization || sources.hasIssued(authorization)) return false;
    const headers = asRecord(instance.defaults.headers);
    return ![headers, headers['common'], headers[String(method)]]
      .map(readAuthorization)
      .includes(authorization);
  }

  function guardFor(origin: string, hook: BeforeRedirect | undefined): BeforeRedirect {
    if (hook) return createGuard(origin, hook);
    const guard = plainGuards.get(origin) ?? createGuard(origin, undefined);
    plainGuards.set(origin, guard);
    return guard;
  }

  return {
    admit(config, adapter) {
      const target = targetOf(config);
      if (target === undefined || !allowedOrigins.has(target.origin)) return undefined;
      if (target.hasUserInfo) throw otherCredentials('user info in the URL');
      if (config.auth) throw otherCredentials('`auth`');
      const risk = riskOf(target.origin, { adapter, config });
      if (risk === undefined) return target;
      throw new BipsyncAuthError('ERR_BIPSYNC_CONFIG', `The request was not sent: ${risk}.`);
    },

    // In place: a copy of the config would cost every request a sixth of its time.
    attach(config, { origin }, source, token) {
      const { beforeRedirect, proxy, httpAgent } = config as CallersOptions;
      const { transport } = config as { transport?: unknown };
      const headers = freeHeaders(config);
      if (isCallersOwn(takeAuthorization(headers), config)) {
        emit(source.scope, { type: 'authorization-replaced' });
      }
      config.beforeRedirect = guardFor(origin, beforeRedirect as BeforeRedirect | undefined);
      if (transport) Object.assign(config, { transport: guardTransport(transport, origin) });
      // A token for a loopback host must not cross a proxy, which would read it.
      const isLoopback = origin.startsWith('http:');
      if (isLoopback) Object.assign(config, { proxy: false, httpAgent: directAgent(httpAgent) });
      // Last, since a frozen config throws before.
      headers['Authorization'] = token.authorization;
      return beforeRedirect || transport || isLoopback
        ? { beforeRedirect, transport, proxy, httpAgent }
        : undefined;
    },

    watch(config, { origin }, { authorization }) {
      const { headers } = config;
      if (headers['Authorization'] !== authorization) return;
      Object.defineProperty(headers, 'Authorization', {
        get: () => (targetOf(config)?.origin === origin ? authorization : undefined),
        set: (value: unknown) => {
          if (value !== authorization)
            Object.defineProperty(headers, 'Authorization', { ...ORDINARY, value });
        },
        enumerable: true,
        configurable: true,
      });
    },

    release(config, options) {
      try {
        (config as { beforeRedirect?: unknown }).beforeRedirect = options?.beforeRedirect;
        if (options) Object.assign(config, options);
      } catch {
        // Somebody has frozen the config meanwhile. That must not hide the answer.
      }
    },

    withhold(config, source) {
      const { headers } = config;
      if (sources.hasIssued(readAuthorization(headers))) takeAuthorization(headers);
      const target = targetOf(config);
      emit(
        source.scope,
        target
          ? { type: 'request-unauthenticated', reason: 'origin', origin: target.origin }
          : { type: 'request-unauthenticated', reason: 'unknown-destination' },
      );
    },
  };
}

/**
 * The headers of a request, in a copy if another request left its header there or is under way with it: an interceptor
 * may give one object to many requests.
 */
function freeHeaders(config: Config): Config['headers'] {
  if (Object.hasOwn(config.headers, 'Authorization')) config.headers = copyOf(config.headers);
  return config.headers;
}

/**
 * A guard removes the token from a redirect to any other origin: older versions of axios keep it on a redirect to a subdomain.
 * It judges after the caller's own hook, which may change where the redirect leads.
 */
function createGuard(origin: string, hook: BeforeRedirect | undefined): BeforeRedirect {
  return (options, ...details) => {
    hook?.(options, ...details);
    if (staysAt(origin, options)) return;
    const headers = asRecord(options['headers']);
    takeAuthorization(headers);
    // The hook may have frozen them, or made a list of them.
    if (readAuthorization(headers) !== undefined || Array.isArray(headers))
      Object.assign(options, { headers: {} });
  };
}

/** A caller's own transport gets the guard by itself, because axios then passes no `beforeRedirect` to it. */
function guardTransport(transport: unknown, origin: string): object {
  return {
    request(options: Record<string, unknown>, ...rest: unknown[]): unknown {
      const hook = options['beforeRedirect'] as BeforeRedirect | undefined;
      const guarded = Object.assign(options, { beforeRedirect: createGuard(origin, hook) });
      return (transport as { request(...all: unknown[]): unknown }).request(guarded, ...rest);
    },
  };
}

/** Every part of the options that could decide the destination must name `origin`. */
function staysAt(origin: string, options: Record<string, unknown>): boolean {
  const isPlain = destinationOptions.every((name) => !Object.getOwnPropertyDescriptor(options, name)?.get);
  if (!isPlain) return false;
  const { protocol, hostname, host, port, href, socketPath } = asStrings(options);
  const home = new URL(origin);
  const suffix = port === '' ? '' : `:${port}`;
  const isAtHome = originOf(`${protocol}//${inBrackets(hostname || host)}${suffix}`) === origin;
  const isHostHome = ['', home.host, home.hostname].includes(inBrackets(host, home.host));
  return socketPath === '' && isAtHome && isHostHome && (href === '' || originOf(href) === origin);
}

/** A URL has an IPv6 address in brackets; the options of a request do not. */
function inBrackets(name: string, except?: string): string {
  return name.includes(':') && !name.startsWith('[') && name !== except ? `[${name}]` : name;
}

function asStrings(options: Record<string, unknown>): Record<(typeof destinationOptions)[number], string> {
  const entries = destinationOptions.map((name) => [name, text(options[name])]);
  return Object.fromEntries(entries) as ReturnType<typeof asStrings>;
}

const text = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : value ? 'unknown' : '';

const destinationOptions = ['protocol', 'hostname', 'host', 'port', 'href', 'socketPath'] as const;

function otherCredentials(what: string): BipsyncAuthError {
  return new BipsyncAuthError(
    'ERR_BIPSYNC_CONFIG',
    `The request was not sent: it has ${what}, and axios would then silently drop the access token. Remove that, or send the ` +
      'request with `bipsyncAuth: false`.',
  );
}
