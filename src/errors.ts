/** Every `code` a {@link BipsyncAuthError} can carry; the README says what to do about each. */
export type BipsyncAuthErrorCode =
  | 'ERR_BIPSYNC_CONFIG'
  | 'ERR_BIPSYNC_SECRET'
  | 'ERR_BIPSYNC_CREDENTIALS'
  | 'ERR_BIPSYNC_SCOPE'
  | 'ERR_BIPSYNC_IP_NOT_ALLOWED'
  | 'ERR_BIPSYNC_TOKEN_REQUEST'
  | 'ERR_BIPSYNC_TOKEN_RESPONSE'
  | 'ERR_BIPSYNC_TOKEN_UNAVAILABLE'
  | 'ERR_BIPSYNC_ACCESS_DENIED';

/** What may be known about a failure beside its code and message. */
export interface BipsyncAuthErrorDetails {
  /** HTTP status of the token endpoint's answer. */
  status?: number | undefined;
  /** `error` of that answer ({@link https://www.rfc-editor.org/rfc/rfc6749#section-5.2 RFC 6749 §5.2}). */
  oauthError?: string | undefined;
  /** `error_description` of that answer, or its `message` and `hint`. */
  oauthErrorDescription?: string | undefined;
  /** How long the server or a cool-down asks callers to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
}

/** Registered symbols are shared by every copy of the package in a process, so the brand crosses ESM and CommonJS. */
const brand = Symbol.for('axios-bipsync-auth.error');

/**
 * BipsyncAuthError is the only error class of this package. It never holds a request, a response, a token or a
 * secret, so it is safe to log as it is.
 */
export class BipsyncAuthError extends Error {
  override readonly name = 'BipsyncAuthError';
  /** Stable identifier of the failure, made to switch on. */
  readonly code: BipsyncAuthErrorCode;
  /** HTTP status of the token endpoint's answer, where there was one; with `ERR_BIPSYNC_ACCESS_DENIED` the API's. */
  declare readonly status?: number;
  /** OAuth error code of the token endpoint's answer, where it gave one. */
  declare readonly oauthError?: string;
  /** The token endpoint's own explanation, shortened and without secrets, where it gave one. */
  declare readonly oauthErrorDescription?: string;
  /** Milliseconds until another try makes sense, where that is known. */
  declare readonly retryAfterMs?: number;

  constructor(code: BipsyncAuthErrorCode, message: string, details: BipsyncAuthErrorDetails = {}) {
    super(message);
    this.code = code;
    const { status, oauthError, oauthErrorDescription, retryAfterMs } = details;
    if (status !== undefined) this.status = status;
    if (oauthError !== undefined) this.oauthError = oauthError;
    if (oauthErrorDescription !== undefined) this.oauthErrorDescription = oauthErrorDescription;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
    Object.defineProperty(this, brand, { value: true });
  }

  /** What JSON has of it: the message too, which is no enumerable property of an error. */
  toJSON(): object {
    return Object.assign({}, this, { message: this.message });
  }
}

/**
 * isBipsyncAuthError tells a {@link BipsyncAuthError} from anything else, also one made by another copy of this
 * package (ESM beside CommonJS, or a second module registry in Jest), where `instanceof` would say no.
 */
export function isBipsyncAuthError(value: unknown): value is BipsyncAuthError {
  return typeof value === 'object' && value !== null && Reflect.get(value, brand) === true;
}

/** copyError gives every waiter an error of its own, so that one caller's changes never reach another. */
export function copyError(error: BipsyncAuthError, changes: BipsyncAuthErrorDetails = {}): BipsyncAuthError {
  const { code, message, status, oauthError, oauthErrorDescription, retryAfterMs } = error;
  return new BipsyncAuthError(code, message, {
    status,
    oauthError,
    oauthErrorDescription,
    retryAfterMs,
    ...changes,
  });
}
