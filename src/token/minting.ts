import { BipsyncAuthError } from '../errors';
import { type Instant, now } from './token';
import { isRefusal, requestToken, type TokenEndpoint, type TokenResponse } from './endpoint';
import { pause } from '../request/waiting';

/** A token response and the moment its lifetime counts from: when it was asked for, not when it came. */
export interface MintedToken extends TokenResponse {
  sentAt: Instant;
}

/** The configured secret in a common form; rejects with `ERR_BIPSYNC_SECRET`. */
export type ClientSecret = () => Promise<string>;

/** When an acquisition has to be over, whatever it is waiting for. */
export interface Deadline {
  signal: AbortSignal;
  /** Milliseconds on the monotonic clock. */
  at: number;
  /** Rejects when the time has come. */
  passed: Promise<never>;
  end(): void;
}

const MAX_ATTEMPTS = 3;
const FIRST_RETRY_MS = 250;

export function createClientSecret(configured: string | (() => unknown)): ClientSecret {
  if (typeof configured === 'string') return () => Promise.resolve(configured);
  return async () => {
    let secret: unknown;
    try {
      secret = await configured();
    } catch {
      throw new BipsyncAuthError(
        'ERR_BIPSYNC_SECRET',
        'The clientSecret function threw. What it threw is withheld, since it may quote a secret: call it by itself to see.',
      );
    }
    if (typeof secret === 'string' && secret.trim() !== '') return secret;
    throw new BipsyncAuthError(
      'ERR_BIPSYNC_SECRET',
      'The clientSecret function gave no string, or an empty one.',
    );
  };
}

/** askAgain gives what the secret is by now, or `known` where the function fails or takes longer than `patienceMs`. */
export async function askAgain<T>(
  clientSecret: ClientSecret,
  known: T,
  patienceMs: number,
): Promise<string | T> {
  let timer: NodeJS.Timeout | undefined;
  const outOfPatience = new Promise<T>((resolve) => {
    timer = setTimeout(resolve, patienceMs, known);
  });
  try {
    return await Promise.race([clientSecret().catch(() => known), outOfPatience]);
  } finally {
    clearTimeout(timer);
  }
}

export function startDeadline(timeoutMs: number): Deadline {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new BipsyncAuthError(
        'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
        `No token could be obtained within ${timeoutMs} ms (tokenTimeoutMs): the clientSecret function, the token ` +
          'store or the token endpoint took too long.',
      );
      reject(error);
      controller.abort(error);
    }, timeoutMs);
  });
  return {
    signal: controller.signal,
    at: performance.now() + timeoutMs,
    passed,
    end: () => clearTimeout(timer),
  };
}

/**
 * mintToken gets a token from the endpoint: in up to three attempts with jittered exponential backoff where a failure
 * may pass, and in one more where a refused secret has changed meanwhile. `onSecret` hears of each secret that is sent.
 *
 * @throws BipsyncAuthError
 */
export async function mintToken(
  endpoint: TokenEndpoint,
  clientSecret: ClientSecret,
  firstSecret: string,
  scopes: readonly string[],
  deadline: Deadline,
  onSecret: (secret: string) => void,
): Promise<MintedToken> {
  let secret = firstSecret;
  let attempt = 1;
  for (;;) {
    deadline.signal.throwIfAborted();
    onSecret(secret);
    const sentAt = now();
    try {
      return { ...(await requestToken(endpoint, secret, scopes, deadline.signal)), sentAt };
    } catch (failure) {
      const error = failure as BipsyncAuthError;
      const isRefused = isRefusal(error);
      if (isRefused && secret !== firstSecret) throw error;
      if (!isRefused) {
        const delayMs = retryDelayMs(error, attempt);
        // Waiting beyond the deadline would only turn a clear error into a time-out.
        if (delayMs === undefined || performance.now() + delayMs >= deadline.at) throw error;
        await pause(delayMs);
        attempt += 1;
      }
      // Nor is a refusal to be lost because of a function that hangs now.
      const next = await askAgain(clientSecret, secret, (deadline.at - performance.now()) / 2);
      if (isRefused && next === secret) throw error;
      secret = next;
    }
  }
}

function retryDelayMs(error: BipsyncAuthError, attempt: number): number | undefined {
  if (error.code !== 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' || attempt >= MAX_ATTEMPTS) return undefined;
  const backoffMs = FIRST_RETRY_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
  return Math.max(backoffMs, error.retryAfterMs ?? 0);
}
