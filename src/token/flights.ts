import { type BipsyncAuthError, isBipsyncAuthError } from '../errors';
import type { AcquisitionReason, Emit } from '../events';
import type { TokenScope } from '../options/scopes';
import { type Acquire, type Deadline, startDeadline } from './acquisition';
import { type Instant, isPast } from './clock';
import { type CoolDown, type Failure, isRefusal } from './cool-down';
import type { Memory } from './memory';
import type { Token } from './token';

/** Flight is one acquisition under way. */
interface Flight {
  /** `undefined` means: no token from this flight, and no error. A request that waits for it goes on to the next flight. */
  promise: Promise<Token | undefined>;
  readonly reason: AcquisitionReason;
  readonly deadline: Instant;
  readonly probes: Failure | undefined;
  /** The client's last failure when it began. */
  readonly lastOfClient: Failure | undefined;
  /** A request waits for it, so it must not give up. */
  isUrgent: boolean;
  /** `invalidate()` came after it began: its token serves those who wait, and is not kept. */
  isOutdated: boolean;
}

/** Flights runs the acquisitions of one token source, one at a time. */
interface Flights {
  /** The flight that a request may join. No request joins one that is past its deadline: its process was frozen. */
  live(): Flight | undefined;
  start(reason: AcquisitionReason, probes?: Failure): Flight;
  /** From now on the present flight's token is not kept. */
  outdate(): void;
}

/** What the acquisitions of a source need. */
export interface FlightParts {
  readonly scope: TokenScope;
  readonly acquire: Acquire;
  readonly tokenTimeoutMs: number;
  /** What an acquisition waits for, in words. */
  readonly waitsFor: string;
  readonly memory: Memory;
  readonly ownCoolDown: CoolDown;
  /** The cool-down of all sources of the client, after refused credentials. */
  readonly clientCoolDown: CoolDown;
  readonly emit: Emit;
  /** Is told of each token before anybody gets it. */
  readonly onToken: (token: Token) => void;
}

export function createFlights(parts: FlightParts): Flights {
  const { scope, acquire, tokenTimeoutMs, waitsFor, memory, ownCoolDown, clientCoolDown, emit, onToken } =
    parts;
  let flight: Flight | undefined;

  const isKept = (own: Flight): boolean => flight === own && !own.isOutdated;

  async function fly(own: Flight, deadline: Deadline): Promise<Token | undefined> {
    const startedAt = performance.now();
    const acquisition = {
      deadline,
      probes: own.probes,
      isUrgent: () => own.isUrgent,
      accepts: memory.accepts,
      secret: undefined as string | undefined,
    };
    try {
      const token = await Promise.race([acquire(acquisition), deadline.passed]);
      if (token) land(own, token, performance.now() - startedAt);
      else if (!own.probes) ownCoolDown.rest();
      return token;
    } catch (error) {
      if (!isBipsyncAuthError(error)) throw error;
      const isHidden = isHiddenFailure(own, error);
      if (isKept(own)) fail(own, { error, isHidden, secret: acquisition.secret });
      if (isHidden) return undefined;
      throw error;
    }
  }

  /**
   * A failing refresh fails no request: those that wait for it by now need an acquisition that has its whole time. A refusal
   * is different, because the same question would get the same answer.
   */
  const isHiddenFailure = ({ reason, isUrgent }: Flight, error: BipsyncAuthError): boolean =>
    reason === 'refresh' && !(isUrgent && isRefusal(error));

  function land(own: Flight, token: Token, durationMs: number): void {
    onToken(token);
    if (isKept(own)) {
      memory.keep(token);
      ownCoolDown.end();
      if (token.origin === 'endpoint') clientCoolDown.end();
    }
    emit(scope, {
      type: 'token-acquired',
      reason: own.reason,
      source: token.origin,
      durationMs: Math.round(durationMs),
      expiresAt: token.expiry.wall,
      missingScopes: scope.scopes.filter((asked) => !token.scopes.includes(asked)),
    });
  }

  function fail(own: Flight, failed: Pick<Failure, 'error' | 'secret' | 'isHidden'>): void {
    const { reason, deadline, lastOfClient } = own;
    const { error, isHidden } = failed;
    const isOfClient = error.code === 'ERR_BIPSYNC_CREDENTIALS' && !isHidden;
    const coolDown = isOfClient ? clientCoolDown : ownCoolDown;
    const previous = isOfClient ? lastOfClient : ownCoolDown.last();
    const retryInMs = coolDown.begin({ ...failed, deadline, previous });
    const { code, message, tokenEndpointStatus } = error;
    const status = tokenEndpointStatus === undefined ? {} : { tokenEndpointStatus };
    emit(scope, { type: 'token-failed', reason, code, message, ...status, retryInMs });
  }

  return {
    live: () => (flight && !isPast(flight.deadline) ? flight : undefined),
    start(reason, probes) {
      const deadline = startDeadline(tokenTimeoutMs, waitsFor);
      const started: Flight = {
        promise: Promise.resolve(undefined),
        reason,
        deadline: deadline.at,
        probes,
        lastOfClient: clientCoolDown.last(),
        isUrgent: false,
        isOutdated: false,
      };
      // First, because the `clientSecret` function may send a request itself.
      flight = started;
      started.promise = fly(started, deadline).finally(() => {
        deadline.end();
        if (flight === started) flight = undefined;
      });
      return started;
    },
    outdate() {
      if (flight) flight.isOutdated = true;
    },
  };
}
