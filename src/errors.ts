import type { InternalAxiosRequestConfig } from 'axios';

import { defineOwn } from './values';

/** Every `code` that a {@link BipsyncAuthError} can have. The guide "Errors" lists the next step for each code. */
export type BipsyncAuthErrorCode =
  | 'ERR_BIPSYNC_CONFIG'
  | 'ERR_BIPSYNC_SECRET'
  | 'ERR_BIPSYNC_CREDENTIALS'
  | 'ERR_BIPSYNC_SCOPE'
  | 'ERR_BIPSYNC_IP_NOT_ALLOWED'
  | 'ERR_BIPSYNC_PROXY'
  | 'ERR_BIPSYNC_TOKEN_REQUEST'
  | 'ERR_BIPSYNC_TOKEN_RESPONSE'
  | 'ERR_BIPSYNC_TOKEN_UNAVAILABLE'
  | 'ERR_BIPSYNC_ACCESS_DENIED';

/** Details of a failure, in addition to its code and message. Each one can be missing. */
export interface BipsyncAuthErrorDetails {
  /** HTTP status of the token endpoint's answer. */
  tokenEndpointStatus?: number | undefined;
  /** HTTP status of a proxy that refused to open a tunnel. */
  proxyStatus?: number | undefined;
  /** `error` of the token endpoint's answer ({@link https://www.rfc-editor.org/rfc/rfc6749#section-5.2 RFC 6749 §5.2}). */
  oauthError?: string | undefined;
  /** The token endpoint's own explanation: `error_description`, `message` and `hint`, or `title` and `detail`. */
  oauthErrorDescription?: string | undefined;
  /** Milliseconds to wait before the next attempt: the server's `Retry-After`, or what is left of the cool-down. */
  retryAfterMs?: number | undefined;
}

/** Every copy of the package in a process shares registered symbols, so the brand works across ESM and CommonJS. */
const brand = Symbol.for('axios-bipsync-auth.error');

/**
 * BipsyncAuthError is the only error class of this package. It never contains a response, a token or a secret, so it is safe
 * to log.
 *
 * If a request fails because no token is available, the error also has the properties of an axios error: `isAxiosError` is
 * true, `config` is the request's config (not enumerable, without a token), and `response` is missing.
 *
 * @example
 * ```ts
 * const failure = await auth.getToken().catch((error: unknown) => error);
 * if (failure instanceof BipsyncAuthError && failure.code === 'ERR_BIPSYNC_TOKEN_UNAVAILABLE') {
 *   console.warn(`${failure.message} Next try in ${failure.retryAfterMs ?? 0} ms.`);
 * }
 * ```
 */
export class BipsyncAuthError extends Error {
  override readonly name = 'BipsyncAuthError';
  /** Stable identifier of the failure. Use it in a `switch`. */
  readonly code: BipsyncAuthErrorCode;
  /** HTTP status of the token endpoint's answer, if it answered. */
  declare readonly tokenEndpointStatus?: number;
  /** HTTP status of a proxy that refused to open a tunnel. Only with `ERR_BIPSYNC_PROXY`. */
  declare readonly proxyStatus?: number;
  /** OAuth error code of the token endpoint's answer, if the answer had one. */
  declare readonly oauthError?: string;
  /** The token endpoint's own explanation, shortened and without secrets, if the answer had one. */
  declare readonly oauthErrorDescription?: string;
  /** Milliseconds to wait before the next attempt, if known. */
  declare readonly retryAfterMs?: number;
  /** `true` if a request failed because no token was available. */
  declare readonly isAxiosError?: true;
  /** The config of the request that failed. */
  declare readonly config?: InternalAxiosRequestConfig;

  constructor(code: BipsyncAuthErrorCode, message: string, details: BipsyncAuthErrorDetails = {}) {
    super(message);
    this.code = code;
    for (const name of detailNames) {
      if (details[name] !== undefined) Object.assign(this, { [name]: details[name] });
    }
    defineOwn(this, brand, { value: true });
  }

  /** Returns the fields above and the message, for `JSON.stringify`. */
  toJSON(): object {
    return Object.assign({}, this, { message: this.message });
  }
}

const detailNames = [
  'tokenEndpointStatus',
  'proxyStatus',
  'oauthError',
  'oauthErrorDescription',
  'retryAfterMs',
] as const;

/**
 * isBipsyncAuthError returns true for a {@link BipsyncAuthError}. It also recognises errors from another copy of this
 * package (ESM next to CommonJS, or a second module registry in Jest). For these, `instanceof` returns false.
 *
 * @example
 * ```ts
 * try {
 *   await api.get('/v1/research');
 * } catch (error) {
 *   if (isBipsyncAuthError(error)) console.error(error.code, error.message);
 *   else throw error;
 * }
 * ```
 */
export function isBipsyncAuthError(value: unknown): value is BipsyncAuthError {
  return typeof value === 'object' && value !== null && Reflect.get(value, brand) === true;
}

/** copyError gives every caller an error object of its own, so that changes to one never show in another. */
export function copyError(
  error: BipsyncAuthError,
  changes: BipsyncAuthErrorDetails = {},
  message: string = error.message,
): BipsyncAuthError {
  return new BipsyncAuthError(error.code, message, Object.assign({}, error, changes));
}

/** asRequestError makes an error look like the rejection of the axios call that it is. Returns the same error. */
export function asRequestError(
  error: BipsyncAuthError,
  config: InternalAxiosRequestConfig,
): BipsyncAuthError {
  defineOwn(error, 'isAxiosError', { value: true, configurable: true });
  defineOwn(error, 'config', { value: config, configurable: true, writable: true });
  return error;
}
