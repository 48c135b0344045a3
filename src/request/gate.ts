import type { AxiosInstance, InternalAxiosRequestConfig } from 'axios';

import { createTargetOf, type Target } from '../axios/destination';
import { copyOf, defineAuthorization, readAuthorization, takeAuthorization } from '../axios/headers';
import { directAgent } from '../axios/proxies';
import type { RiskOf } from '../axios/risks';
import { BipsyncAuthError } from '../errors';
import type { Emit } from '../events';
import type { Token } from '../token/token';
import type { TokenSource } from '../token/source';
import type { TokenSources } from '../token/sources';
import { asRecord } from '../values';
import { type BeforeRedirect, createGuardFor, guardTransport } from './redirects';

type Config = InternalAxiosRequestConfig;

/** What a request's caller had set before a token was attached; absent if nothing was changed but an empty hook. */
interface CallersOptions {
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
  readonly release: (config: Config, options: CallersOptions | undefined) => void;
  /** Makes sure that a request that was not admitted carries no token of this installation, and reports it. */
  withhold(config: Config, source: TokenSource): void;
}

interface GateParts {
  readonly instance: Pick<AxiosInstance, 'defaults'>;
  readonly isOwnCopy: boolean;
  readonly allowedOrigins: ReadonlySet<string | undefined>;
  readonly riskOf: RiskOf;
  readonly sources: TokenSources;
  readonly emit: Emit;
}

export function createGate(parts: GateParts): Gate {
  const { instance, isOwnCopy, allowedOrigins, riskOf, sources, emit } = parts;
  const targetOf = createTargetOf(isOwnCopy);
  const guardFor = createGuardFor();

  function isCallersOwn(authorization: unknown, { method }: Config): boolean {
    if (!authorization || sources.hasIssued(authorization)) return false;
    const headers = asRecord(instance.defaults.headers);
    return ![headers, headers['common'], headers[String(method)]]
      .map(readAuthorization)
      .includes(authorization);
  }

  return {
    admit(config, adapter) {
      const target = targetOf(config);
      if (target === undefined || !allowedOrigins.has(target.origin)) return undefined;
      if (target.hasUserInfo) throw otherCredentials('the user name or password in the URL');
      if (config.auth) throw otherCredentials('the `auth` option');
      const risk = riskOf(target.origin, { adapter, config });
      if (risk === undefined) return target;
      throw new BipsyncAuthError('ERR_BIPSYNC_CONFIG', `The request was not sent: ${risk}.`);
    },

    // In place: a copy of the config would cost every request a sixth of its time.
    attach(config, { origin }, source, token) {
      const { beforeRedirect, transport, proxy, httpAgent } = config as CallersOptions;
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
      const httpAgent: unknown = config.httpAgent;
      // An adapter may have taken the headers away.
      if (asRecord(headers)['Authorization'] !== authorization) return;
      const isDirect = (): boolean => config.proxy === false && config.httpAgent === httpAgent;
      const isAsAdmitted = (): boolean =>
        targetOf(config)?.origin === origin && (!origin.startsWith('http:') || isDirect());
      const get = (): unknown => (isAsAdmitted() ? authorization : undefined);
      // axios assigns a header its own value when it puts the names of headers in order.
      defineAuthorization(headers, { get, enumerable: true, kept: authorization });
    },

    release,

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

function release(config: Config, options: CallersOptions | undefined): void {
  try {
    (config as { beforeRedirect?: unknown }).beforeRedirect = options?.beforeRedirect;
    if (options) Object.assign(config, options);
  } catch {
    // Somebody has frozen the config meanwhile. That must not hide the answer.
  }
}

/**
 * The headers of a request, in a copy if another request left its header there or is under way with it: an interceptor
 * may give one object to many requests.
 */
function freeHeaders(config: Config): Config['headers'] {
  if ('Authorization' in config.headers) config.headers = copyOf(config.headers);
  return config.headers;
}

function otherCredentials(what: string): BipsyncAuthError {
  return new BipsyncAuthError(
    'ERR_BIPSYNC_CONFIG',
    `The request was not sent: axios would silently drop the access token, because of ${what}. Remove ${what}, or send the ` +
      'request with `bipsyncAuth: false`.',
  );
}
