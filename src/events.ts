import { debuglog } from 'node:util';

import type { BipsyncAuthErrorCode } from './errors';
import type { TokenScope } from './options/scopes';

/** Why a token was asked for. */
export type AcquisitionReason = 'first' | 'expired' | 'refresh' | 'refused' | 'invalidated';

/** Why a request went out without a token. */
export type UnauthenticatedReason =
  /** It goes to an origin that may not receive the token. */
  | 'origin'
  /** Where axios will send it cannot be told for certain. */
  | 'unknown-destination';

/** What an event is about: the team and the scopes of its token. */
export interface EventTokenScope {
  teamId: string;
  scopes: readonly string[];
}

/** A token was obtained, from the token endpoint or from the shared store. */
export interface TokenAcquiredEvent extends EventTokenScope {
  type: 'token-acquired';
  reason: AcquisitionReason;
  source: 'endpoint' | 'store';
  /** Milliseconds the acquisition took. */
  durationMs: number;
  /** Epoch milliseconds. */
  expiresAt: number;
}

/** A token could not be obtained. */
export interface TokenFailedEvent extends EventTokenScope {
  type: 'token-failed';
  reason: AcquisitionReason;
  code: BipsyncAuthErrorCode;
  /** Milliseconds until the token endpoint is asked again, should a request come by. */
  retryInMs: number;
}

/** The API refused a token and the request is sent again with another. */
export interface RequestReplayedEvent extends EventTokenScope {
  type: 'request-replayed';
}

/** A request went out without a token. */
export interface RequestUnauthenticatedEvent extends EventTokenScope {
  type: 'request-unauthenticated';
  reason: UnauthenticatedReason;
}

/** An `Authorization` header that the caller had set was replaced. */
export interface AuthorizationReplacedEvent extends EventTokenScope {
  type: 'authorization-replaced';
}

/** The token store failed; for a few seconds this process goes on without it. */
export interface StoreFailedEvent extends EventTokenScope {
  type: 'store-failed';
  operation: 'get' | 'set' | 'lock' | 'release';
}

/** BipsyncAuthEvent is what `onEvent` is told; it never holds a token or a secret. */
export type BipsyncAuthEvent =
  | TokenAcquiredEvent
  | TokenFailedEvent
  | RequestReplayedEvent
  | RequestUnauthenticatedEvent
  | AuthorizationReplacedEvent
  | StoreFailedEvent;

type WithoutScope<Event> = Event extends unknown ? Omit<Event, keyof EventTokenScope> : never;

export type Emit = (scope: TokenScope, event: WithoutScope<BipsyncAuthEvent>) => void;

const noop = (): void => undefined;

/** createEmit tells the listener and `NODE_DEBUG=bipsync-auth`; whatever the listener does changes nothing. */
export function createEmit(onEvent: ((event: BipsyncAuthEvent) => unknown) | undefined): Emit {
  const debug = debuglog('bipsync-auth');
  return ({ teamId, scopes }, details) => {
    if (onEvent === undefined && !debug.enabled) return;
    const event: BipsyncAuthEvent = { ...details, teamId, scopes: [...scopes] };
    debug('%j', event);
    try {
      Promise.resolve(onEvent?.(event)).catch(noop);
    } catch {
      // A listener is an observer: its failures are its own.
    }
  };
}
