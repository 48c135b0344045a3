import type { BipsyncAuthError } from '../errors';
import type { Acquisition } from './acquisition';
import type { TokenResponse } from './answers';
import { type Instant, msUntil, now, pause } from './clock';
import { type CoolDown, isRefusal } from './cool-down';
import { requestToken, type TokenEndpoint } from './endpoint';
import { askAgain, type ClientSecret } from './secret';
import { createToken, type Token, type TokenWindows } from './token';

/**
 * Prepare reads the secret and returns the function that mints a token, or `undefined`: not now. The secret comes first, so
 * that a slow secret function holds no lock.
 */
export type Prepare = (acquisition: Acquisition) => Promise<(() => Promise<Token>) | undefined>;

/** What the token sources of one client have in common. */
export interface Client {
  readonly endpoint: TokenEndpoint;
  readonly clientSecret: ClientSecret;
  readonly windows: TokenWindows & { readonly tokenTimeoutMs: number };
  /** After refused credentials, all token sources of the client cool down. */
  readonly coolDown: CoolDown;
}

const MAX_ATTEMPTS = 3;
const FIRST_RETRY_MS = 250;
const MAX_PROBE_MS = 1000;

/** createMinting makes the layer that gets tokens for `scopes` from the token endpoint. */
export function createMinting(client: Client, scopes: readonly string[]): Prepare {
  const { clientSecret, windows, coolDown } = client;

  return async (acquisition) => {
    const { probes } = acquisition;
    let secret: string | undefined;
    if (probes) {
      if (!coolDown.claimProbe()) return undefined;
      // The request that looks for a new secret must not wait for long.
      const patienceMs = Math.min(MAX_PROBE_MS, windows.tokenTimeoutMs / 2);
      secret = await askAgain(clientSecret, probes.secret, patienceMs);
      if (secret === probes.secret) return undefined;
    }
    const first = secret ?? (await clientSecret());
    return () => mint(client, scopes, first, acquisition);
  };
}

/**
 * mint makes up to three attempts, with jittered exponential backoff, if a failure may pass. A refusal ends it, except that
 * one more attempt is made if the secret has changed meanwhile.
 */
async function mint(
  { endpoint, clientSecret, windows }: Client,
  scopes: readonly string[],
  firstSecret: string,
  acquisition: Acquisition,
): Promise<Token> {
  const { deadline } = acquisition;
  let secret = firstSecret;
  for (let attempt = 1; ;) {
    acquisition.secret = secret;
    const issuedAt = now();
    try {
      const response = await requestToken(endpoint, {
        secret,
        clientId: endpoint.clientId,
        scopes,
        signal: deadline.signal,
        reusedConnectionMs: windows.tokenTimeoutMs / 2,
      });
      return tokenOf(response, scopes, issuedAt, windows);
    } catch (thrown) {
      const error = thrown as BipsyncAuthError;
      const isRefused = isRefusal(error);
      if (isRefused && secret !== firstSecret) throw error;
      if (!isRefused) {
        const delayMs = retryDelayMs(error, attempt);
        // Waiting beyond the deadline would only turn a clear error into a time-out.
        if (delayMs === undefined || delayMs >= msUntil(deadline.at)) throw error;
        await pause(delayMs);
        attempt += 1;
      }
      // If the function hangs now, the refusal must not get lost.
      const next = await askAgain(clientSecret, secret, Math.max(0, msUntil(deadline.at)) / 2);
      if (isRefused && next === secret) throw error;
      secret = next;
    }
  }
}

function tokenOf(
  { accessToken, lifetimeMs, scopes: granted }: TokenResponse,
  asked: readonly string[],
  issuedAt: Instant,
  windows: TokenWindows,
): Token {
  const scopes = granted ?? asked;
  return createToken({ accessToken, lifetimeMs, scopes, issuedAt, origin: 'endpoint' }, windows);
}

/** How long to wait before the next attempt, or `undefined` if there is none. */
function retryDelayMs(error: BipsyncAuthError, attempt: number): number | undefined {
  const mayPass = error.code === 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' || (error.proxyStatus ?? 0) >= 500;
  if (!mayPass || attempt >= MAX_ATTEMPTS) return undefined;
  const backoffMs = FIRST_RETRY_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
  return Math.max(backoffMs, error.retryAfterMs ?? 0);
}
