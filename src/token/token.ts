import { type Instant, later, msUntil } from './clock';

/** How long before its expiry a token is refreshed and, later, no longer used. Both in milliseconds. */
export interface TokenWindows {
  readonly refreshWindowMs: number;
  readonly expiryMarginMs: number;
}

/** Token is an access token from the moment it was minted or read from a store, in the one shape it has everywhere. */
export interface Token {
  readonly accessToken: string;
  /** The value of the `Authorization` header, built once instead of for every request. */
  readonly authorization: string;
  /** The scopes that the server granted, or those asked for if it did not say. */
  readonly scopes: readonly string[];
  /** Where it came from. A token from the store was minted by another process, or by this one earlier. */
  readonly origin: 'endpoint' | 'store';
  readonly lifetimeMs: number;
  readonly expiry: Instant;
  /** This long before its expiry it is no longer used. */
  readonly marginMs: number;
  /** This long before its expiry it is refreshed. */
  readonly refreshBeforeMs: number;
}

/** What is known of a token before its windows are worked out. */
interface IssuedToken extends Pick<Token, 'accessToken' | 'scopes' | 'origin' | 'lifetimeMs'> {
  /** When the lifetime began: the moment the token request was sent, not the moment the answer came. */
  readonly issuedAt: Instant;
}

/** The longest lifetime that is believed. */
export const MAX_LIFETIME_MS = 86_400_000;

const MAX_TOKEN_LENGTH = 8192;
const MAX_WINDOW_SHARE = 0.2;
const MAX_MARGIN_SHARE = 0.05;
/** Without jitter, the processes that share a token would all refresh it at the same instant. */
const REFRESH_JITTER_SHARE = 0.2;

export function createToken(issued: IssuedToken, windows: TokenWindows): Token {
  const { accessToken, scopes, origin, lifetimeMs, issuedAt } = issued;
  const windowMs = Math.min(windows.refreshWindowMs, lifetimeMs * MAX_WINDOW_SHARE);
  return {
    accessToken,
    authorization: `Bearer ${accessToken}`,
    scopes,
    origin,
    lifetimeMs,
    expiry: later(issuedAt, lifetimeMs),
    marginMs: Math.min(windows.expiryMarginMs, lifetimeMs * MAX_MARGIN_SHARE),
    refreshBeforeMs: windowMs * (1 - REFRESH_JITTER_SHARE * Math.random()),
  };
}

// The rules: a usable token is sent. A token in its refresh window is sent while the next one is fetched. Any other
// token is not sent.

export function isUsable(token: Token, remainingMs: number = msUntil(token.expiry)): boolean {
  return remainingMs > token.marginMs;
}

export function isInRefreshWindow(token: Token, remainingMs: number): boolean {
  return remainingMs <= token.refreshBeforeMs;
}

/** b64token of {@link https://www.rfc-editor.org/rfc/rfc6750#section-2.1 RFC 6750 §2.1}. */
const bearerToken = /^[A-Za-z\d\-._~+/]+=*$/;

/** isAccessToken tells whether `value` can be sent as a bearer token. */
export function isAccessToken(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TOKEN_LENGTH && bearerToken.test(value);
}
