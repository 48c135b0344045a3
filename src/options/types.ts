import type { BipsyncAuthEvent } from '../events';
import type { BipsyncScope } from './scopes';
import type { TokenStore } from './token-store';

declare module 'axios' {
  interface AxiosRequestConfig {
    /** `false` sends this request untouched. An object asks for another team's token, or for a token with other scopes. */
    bipsyncAuth?: false | BipsyncAuthRequestOptions | undefined;
  }
}

/**
 * BipsyncAuthConfig is what `installBipsyncAuth` takes. Only its own properties count.
 *
 * @example
 * ```ts
 * const config: BipsyncAuthConfig = {
 *   client: 'acme',
 *   clientId: 'my-client-id',
 *   clientSecret: () => readSecret(),
 *   teamId: '65df73340142feec34d7d6ee',
 *   scopes: ['research:read'],
 * };
 * ```
 */
export interface BipsyncAuthConfig {
  /**
   * The tenant's subdomain: `'acme'` means `https://acme-api.bipsync.com`. Letters, digits and hyphens. Not together
   * with `baseURL`. If neither is given, the axios instance's own `defaults.baseURL` decides.
   */
  client?: string | undefined;
  /**
   * Use it instead of `client` for a sandbox, a gateway or an emulator. https, or http on a loopback host (`localhost`,
   * `127.0.0.0/8`, `[::1]`). Only its origin decides who may receive the token. User info in it is rejected.
   */
  baseURL?: string | undefined;
  /**
   * Where tokens come from, if not `/v1/oauth/token` on that origin. An absolute URL: https, or http on a loopback host.
   */
  tokenUrl?: string | undefined;
  /** The client identifier ({@link https://www.rfc-editor.org/rfc/rfc6749#section-2.2 RFC 6749 §2.2}). Required. */
  clientId: string;
  /**
   * The client secret, or a function that returns it. Required. The function is called at every token request, so that
   * secrets can rotate. If it throws or returns a non-string, requests fail with `ERR_BIPSYNC_SECRET`. A line break at the
   * end is cut off; any other control character is rejected.
   */
  clientSecret: string | (() => string | Promise<string>);
  /** The team of the token, with or without its `team_` prefix. Required, unless `scopes` holds a `team_…`. */
  teamId?: string | undefined;
  /** The other scopes, as an array or as one string with spaces between them. Default: none. */
  scopes?: readonly BipsyncScope[] | string | undefined;
  /** Further origins that may receive the token, compared exactly. Default: none. */
  allowedOrigins?: readonly string[] | undefined;
  /** Body of the token request. Default: `'form'`, as in RFC 6749. */
  tokenEncoding?: 'form' | 'json' | undefined;
  /**
   * Bound on one whole acquisition, including the secret function, the store and all attempts: milliseconds, 1 to 300 000,
   * default 10 000. Requests that waited that long fail with `ERR_BIPSYNC_TOKEN_UNAVAILABLE`.
   */
  tokenTimeoutMs?: number | undefined;
  /**
   * How long before expiry a request starts a background refresh, for which it does not wait: milliseconds, 0 to
   * 86 400 000, default 300 000. Never more than 20 % of a token's lifetime.
   */
  refreshWindowMs?: number | undefined;
  /**
   * How long before expiry a token is no longer used: milliseconds, 0 to 86 400 000, default 30 000. Never more than 5 % of
   * a token's lifetime.
   */
  expiryMarginMs?: number | undefined;
  /** Shares tokens between processes. Default: each process has its own. */
  tokenStore?: TokenStore | undefined;
  /** Called with what happened, never with a secret. A listener that throws changes nothing. Default: none. */
  onEvent?: ((event: BipsyncAuthEvent) => void) | undefined;
}

/**
 * BipsyncAuthRequestOptions asks, in one request's axios config, for another token than the configured one.
 *
 * @example
 * ```ts
 * await api.get('/v1/users', { bipsyncAuth: { scopes: ['users:read'] } });
 * ```
 */
export interface BipsyncAuthRequestOptions {
  /** Replaces the configured team. */
  teamId?: string | undefined;
  /**
   * Replace the configured scopes other than the team's: an array, or one string with spaces. A `team_…` among them
   * replaces the configured team.
   */
  scopes?: readonly BipsyncScope[] | string | undefined;
}

/**
 * GetTokenOptions is what the handle's `getToken` takes.
 *
 * @example
 * ```ts
 * await auth.getToken({ scopes: ['users:read'], signal: AbortSignal.timeout(5000) });
 * ```
 */
export interface GetTokenOptions extends BipsyncAuthRequestOptions {
  /** Ends the wait with axios's `CanceledError`. The acquisition itself continues for the others. */
  signal?: AbortSignal | undefined;
}
