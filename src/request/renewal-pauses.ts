import type { Token } from '../token/token';

/**
 * ForcedRenewal decides when a 401 may cost a token that still looked good. Where a new token does not help, the
 * endpoint is likely outside the token's scopes, and every further token would be wasted too.
 */
export interface ForcedRenewal {
  /** Whether a 401 whose challenge has this error may cost a new token now. */
  admits: (challengeError: string | undefined) => boolean;
  /** A replay with `token` was accepted. */
  helped: () => void;
  /** A replay with `token` was refused too: the pause begins anew, and grows once however many say so of one token. */
  didNotHelp: (token: Token) => void;
}

const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 300_000;
/** How often a server's word for it, that the token is invalid, cuts a pause short without having helped. */
const MAX_SHORTCUTS = 2;

export function createForcedRenewal(): ForcedRenewal {
  let pausedAt = 0;
  let pauseMs = 0;
  let shortcuts = 0;
  let tookShortcut = false;
  let judged: Token | undefined;

  return {
    admits(challengeError) {
      const elapsedMs = performance.now() - pausedAt;
      const isPaused = elapsedMs < pauseMs;
      const hasShortcut =
        challengeError === 'invalid_token' && shortcuts < MAX_SHORTCUTS && elapsedMs >= FIRST_PAUSE_MS;
      if (isPaused && !hasShortcut) return false;
      tookShortcut = isPaused;
      return true;
    },
    helped() {
      pauseMs = 0;
      shortcuts = 0;
      tookShortcut = false;
      judged = undefined;
    },
    didNotHelp(token) {
      pausedAt = performance.now();
      if (token === judged) return;
      judged = token;
      pauseMs = pauseMs === 0 ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, MAX_PAUSE_MS);
      if (tookShortcut) shortcuts += 1;
      tookShortcut = false;
    },
  };
}
