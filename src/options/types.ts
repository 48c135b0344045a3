import type { BipsyncAuthEvent } from '../events';
import type { BipsyncScope } from './scopes';
import type { TokenStore } from './token-store';

declare module 'axios' {
  interface AxiosRequestConfig {
    /** `false` sends this request unchanged. An object selects another team, or other scopes, for this request's token. */
    bipsyncAuth?: false | BipsyncAuthRequestOptions | undefined;
  }
}

/**
 * BipsyncAuthConfig is the configuration for `installBipsyncAuth`. Inherited properties are ignored.
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
   * The tenant's subdomain: `'acme'` means `https://acme-api.bipsync.com`. Letters, digits and hyphens. Set `client` or
   * `baseURL`, not both. If neither is set, the axios instance's `defaults.baseURL` is used.
   */
  client?: string | undefined;
  /**
   * Set this instead of `client` for a sandbox, a gateway or an emulator. https, or http on a loopback host (`localhost`,
   * `127.0.0.0/8`, `[::1]`). The token may go to this URL's origin. A user name or password in the URL is rejected.
   */
  baseURL?: string | undefined;
  /**
   * The URL of the token endpoint. An absolute URL: https, or http on a loopback host. Default: `/v1/oauth/token` on the
   * origin of `client` or `baseURL`.
   */
  tokenUrl?: string | undefined;
  /** The client identifier ({@link https://www.rfc-editor.org/rfc/rfc6749#section-2.2 RFC 6749 §2.2}). Required. */
  clientId: string;
  /**
   * The client secret, or a function that returns the secret. Required. The function is called at every token request, so
   * the secret can rotate. If the function throws or returns a non-string, requests fail with `ERR_BIPSYNC_SECRET`. Line
   * breaks at the end of the secret are removed. Any other control character is rejected.
   */
  clientSecret: string | (() => string | Promise<string>);
  /** The token's team, with or without the prefix `team_`. Required, unless `scopes` contains a `team_…`. */
  teamId?: string | undefined;
  /** The other scopes, as an array or as one string with spaces between the scopes. Default: none. */
  scopes?: readonly BipsyncScope[] | string | undefined;
  /** Other origins that may receive the token, compared exactly. Default: none. */
  allowedOrigins?: readonly string[] | undefined;
  /** The format of the token request's body. Default: `'form'`, as in RFC 6749. */
  tokenEncoding?: 'form' | 'json' | undefined;
  /**
   * The longest time to obtain a token, including the secret function, the store and all attempts: milliseconds, 1 to
   * 300 000, default 10 000. Requests that have waited this long fail with `ERR_BIPSYNC_TOKEN_UNAVAILABLE`. If a
   * request waits for a background refresh and this fails, it waits for one more acquisition.
   */
  tokenTimeoutMs?: number | undefined;
  /**
   * How long before expiry a request starts a background refresh: milliseconds, 0 to 86 400 000, default 300 000. The
   * request does not wait for the refresh. At most 20 % of a token's lifetime is used.
   */
  refreshWindowMs?: number | undefined;
  /**
   * How long before expiry a token is no longer sent: milliseconds, 0 to 86 400 000, default 30 000. At most 5 % of a
   * token's lifetime is used.
   */
  expiryMarginMs?: number | undefined;
  /** Shares tokens between processes. Default: each process has its own tokens. */
  tokenStore?: TokenStore | undefined;
  /** Called with each event. An event never contains a secret. An error that the listener throws is ignored. Default: none. */
  onEvent?: ((event: BipsyncAuthEvent) => void) | undefined;
}

/**
 * BipsyncAuthRequestOptions selects, in the axios config of one request, a token other than the configured one.
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
   * Replaces the configured scopes, except the team's: an array, or one string with spaces between the scopes. A `team_…`
   * in it replaces the configured team.
   */
  scopes?: readonly BipsyncScope[] | string | undefined;
}

/**
 * GetTokenOptions are the options of the handle's `getToken`.
 *
 * @example
 * ```ts
 * await auth.getToken({ scopes: ['users:read'], signal: AbortSignal.timeout(5000) });
 * ```
 */
export interface GetTokenOptions extends BipsyncAuthRequestOptions {
  /** Stops waiting, with axios's `CanceledError`. The token request itself continues, for other callers. */
  signal?: AbortSignal | undefined;
}
