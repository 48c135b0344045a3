import { BipsyncAuthError } from '../errors';
import { type Instant, later, now } from './clock';
import type { Failure } from './cool-down';
import type { Token } from './token';

/** Acquire obtains one token. `undefined` means: no token now, and no error. One Acquire can wrap another. */
export type Acquire = (acquisition: Acquisition) => Promise<Token | undefined>;

/** Acquisition is one attempt to obtain a token, under way. */
export interface Acquisition {
  readonly deadline: Deadline;
  /** The failure in whose cool-down this acquisition only looks for a change: a stored token or a new secret. */
  readonly probes: Failure | undefined;
  /** Whether a request waits for it. An acquisition that is not urgent may give up. */
  isUrgent(): boolean;
  /** Whether a token from the store is worth having. */
  accepts(stored: Token): boolean;
  /** The secret of the last token request; undefined until there was one. */
  secret: string | undefined;
}

/** Deadline is when an acquisition has to be over, whatever it waits for. */
export interface Deadline {
  readonly at: Instant;
  readonly signal: AbortSignal;
  /** Rejects when the time has come. */
  readonly passed: Promise<never>;
  end(): void;
}

/** @param waitsFor what an acquisition waits for, in words: one of these was slow if the time runs out. */
export function startDeadline(timeoutMs: number, waitsFor: string): Deadline {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new BipsyncAuthError(
          'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
          `No token could be obtained within ${timeoutMs} ms (tokenTimeoutMs). Check what may be too slow: the ` +
            `network, ${waitsFor}. Or increase tokenTimeoutMs.`,
        ),
      );
      controller.abort();
    }, timeoutMs);
  });
  return {
    at: later(now(), timeoutMs),
    signal: controller.signal,
    passed,
    end: () => clearTimeout(timer),
  };
}
