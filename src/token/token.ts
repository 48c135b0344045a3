/** How long before its expiry a token is refreshed and, later, no longer used; both in milliseconds. */
export interface TokenWindows {
  refreshWindowMs: number;
  expiryMarginMs: number;
}

/** A moment on both clocks: a suspended machine stops the monotonic one, an adjustment moves the wall clock. */
export interface Instant {
  /** Epoch milliseconds. */
  wall: number;
  /** Milliseconds of the process's monotonic clock. */
  monotonic: number;
}

export const now = (): Instant => ({ wall: Date.now(), monotonic: performance.now() });

/** An access token and everything needed to decide, without further thought, whether it can be used. */
export interface Token {
  readonly accessToken: string;
  /** The header's whole value, built once rather than on every request. */
  readonly authorization: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly lifetimeMs: number;
  readonly expiresAtMonotonic: number;
  readonly marginMs: number;
  readonly refreshBeforeMs: number;
}

const MAX_WINDOW_SHARE = 0.2;
const MAX_MARGIN_SHARE = 0.05;
/** A fleet that shares a token would otherwise refresh it at one instant. */
const REFRESH_JITTER_SHARE = 0.2;

/** createToken makes a token whose lifetime of `lifetimeMs` milliseconds began at `issuedAt`. */
export function createToken(
  accessToken: string,
  lifetimeMs: number,
  issuedAt: Instant,
  windows: TokenWindows,
): Token {
  const windowMs = Math.min(windows.refreshWindowMs, lifetimeMs * MAX_WINDOW_SHARE);
  return {
    accessToken,
    authorization: `Bearer ${accessToken}`,
    expiresAt: issuedAt.wall + lifetimeMs,
    lifetimeMs,
    expiresAtMonotonic: issuedAt.monotonic + lifetimeMs,
    marginMs: Math.min(windows.expiryMarginMs, lifetimeMs * MAX_MARGIN_SHARE),
    refreshBeforeMs: windowMs * (1 - REFRESH_JITTER_SHARE * Math.random()),
  };
}

/** remainingMs is what is left on whichever clock says expired first. */
export function remainingMs(token: Token): number {
  return Math.min(token.expiresAt - Date.now(), token.expiresAtMonotonic - performance.now());
}

// The rules: a usable token is sent; one in its refresh window is sent while another is fetched; the rest is not sent.

export function isUsable(token: Token, remaining: number = remainingMs(token)): boolean {
  return remaining > token.marginMs;
}

export function isInRefreshWindow(token: Token, remaining: number = remainingMs(token)): boolean {
  return remaining <= token.refreshBeforeMs;
}
