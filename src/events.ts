import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';

import type { BipsyncAuthErrorCode } from './errors';

/** Why a token was asked for. */
export type AcquisitionReason = 'first' | 'expired' | 'refresh' | 'refused' | 'invalidated';

/** Why a request was sent without a token. */
export type UnauthenticatedReason =
  /** It goes to an origin that may not receive the token. */
  | 'origin'
  /** It is not certain where axios will send it. */
  | 'unknown-destination';

/** What an event is about: the team and the scopes of its token. */
export interface EventTokenScope {
  readonly teamId: string;
  /** The scopes asked for, the team's included. */
  readonly scopes: readonly string[];
}

/** A token was obtained, from the token endpoint or from the shared store. */
export interface TokenAcquiredEvent extends EventTokenScope {
  readonly type: 'token-acquired';
  readonly reason: AcquisitionReason;
  readonly source: 'endpoint' | 'store';
  /** How long the acquisition took, in milliseconds. */
  readonly durationMs: number;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** Scopes that were asked for and not granted. Usually empty. */
  readonly missingScopes: readonly string[];
}

/** A token could not be obtained. */
export interface TokenFailedEvent extends EventTokenScope {
  readonly type: 'token-failed';
  readonly reason: AcquisitionReason;
  readonly code: BipsyncAuthErrorCode;
  /** What the error says. */
  readonly message: string;
  /** HTTP status of the token endpoint's answer, if there was one. */
  readonly tokenEndpointStatus?: number;
  /** Milliseconds until the token endpoint is asked again, if a request needs it then. */
  readonly retryInMs: number;
}

/** The API refused a token, and the request is sent again with another one. */
export interface RequestReplayedEvent extends EventTokenScope {
  readonly type: 'request-replayed';
}

/** A request was sent without a token. */
export interface RequestUnauthenticatedEvent extends EventTokenScope {
  readonly type: 'request-unauthenticated';
  readonly reason: UnauthenticatedReason;
  /** Where it was sent, if that is certain. */
  readonly origin?: string;
}

/** An `Authorization` header that the caller had set was replaced. */
export interface AuthorizationReplacedEvent extends EventTokenScope {
  readonly type: 'authorization-replaced';
}

/** The token store failed. For a few seconds this process continues without it. */
export interface StoreFailedEvent extends EventTokenScope {
  readonly type: 'store-failed';
  readonly operation: 'get' | 'set' | 'lock' | 'release';
  /** It did not answer in time, it threw, or it returned something that is not a token. */
  readonly reason: 'time-out' | 'error' | 'unreadable';
}

/**
 * BipsyncAuthEvent is what `onEvent` and the diagnostics channel get. It never holds a token or a secret.
 *
 * @example
 * ```ts
 * subscribe('axios-bipsync-auth:event', (message) => {
 *   const event = message as BipsyncAuthEvent;
 *   if (event.type === 'token-failed') console.error(event.code, event.message);
 * });
 * ```
 */
export type BipsyncAuthEvent =
  | TokenAcquiredEvent
  | TokenFailedEvent
  | RequestReplayedEvent
  | RequestUnauthenticatedEvent
  | AuthorizationReplacedEvent
  | StoreFailedEvent;

type WithoutScope<Event> = Event extends unknown ? Omit<Event, keyof EventTokenScope> : never;

export type Emit = (scope: EventTokenScope, event: WithoutScope<BipsyncAuthEvent>) => void;

const noop = (): void => undefined;

/**
 * createEmit reports events to the listener, to the diagnostics channel `axios-bipsync-auth:event` and to
 * `NODE_DEBUG=bipsync-auth`. A listener that fails changes nothing.
 */
export function createEmit(onEvent: ((event: BipsyncAuthEvent) => unknown) | undefined): Emit {
  const debug = debuglog('bipsync-auth');
  const diagnostics = channel('axios-bipsync-auth:event');
  return ({ teamId, scopes }, details) => {
    if (onEvent === undefined && !debug.enabled && !diagnostics.hasSubscribers) return;
    const event: BipsyncAuthEvent = Object.freeze({ ...details, teamId, scopes: Object.freeze([...scopes]) });
    debug('%j', event);
    diagnostics.publish(event);
    try {
      Promise.resolve(onEvent?.(event)).catch(noop);
    } catch {
      // A listener observes. Its failures are its own.
    }
  };
}
