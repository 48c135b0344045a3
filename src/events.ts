import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';

import type { BipsyncAuthErrorCode } from './errors';

/** Why the plugin tried to obtain a token. */
export type AcquisitionReason =
  /** This process had no token yet for this team and these scopes. */
  | 'first'
  /** The last token has expired, or will expire too soon to be sent. */
  | 'expired'
  /** The current token will expire soon. It is renewed in the background, and requests do not wait. */
  | 'refresh'
  /** The API answered 401 to the last token. */
  | 'refused'
  /** The program called `invalidate()`. */
  | 'invalidated';

/** Why a request was sent without a token. */
export type UnauthenticatedReason =
  /** The request goes to an origin that may not receive the token. */
  | 'origin'
  /** The plugin cannot know for certain where axios will send the request. */
  | 'unknown-destination';

/** The team and the scopes of the token that an event is about. */
export interface EventTokenScope {
  readonly teamId: string;
  /** The scopes that were asked for, including the team's. */
  readonly scopes: readonly string[];
}

/** A token was obtained, from the token endpoint or from the shared store. */
export interface TokenAcquiredEvent extends EventTokenScope {
  readonly type: 'token-acquired';
  readonly reason: AcquisitionReason;
  /** Where the token comes from: the token endpoint or the shared store. */
  readonly source: 'endpoint' | 'store';
  /** How long it took to obtain the token, in milliseconds. */
  readonly durationMs: number;
  /** When the token expires, in epoch milliseconds. */
  readonly expiresAt: number;
  /** Scopes that were asked for but not granted. Usually empty. */
  readonly missingScopes: readonly string[];
}

/** A token could not be obtained. */
export interface TokenFailedEvent extends EventTokenScope {
  readonly type: 'token-failed';
  readonly reason: AcquisitionReason;
  readonly code: BipsyncAuthErrorCode;
  /** The error's message. */
  readonly message: string;
  /** HTTP status of the token endpoint's answer, if it answered. */
  readonly tokenEndpointStatus?: number;
  /** Milliseconds until the next token request is possible. For the reason `refresh`: until the next refresh is possible. */
  readonly retryInMs: number;
}

/** The API answered 401, and the plugin sends the request again with another token. */
export interface RequestReplayedEvent extends EventTokenScope {
  readonly type: 'request-replayed';
}

/** A request was sent without a token. */
export interface RequestUnauthenticatedEvent extends EventTokenScope {
  readonly type: 'request-unauthenticated';
  readonly reason: UnauthenticatedReason;
  /** The origin that the request was sent to, if it is certain. */
  readonly origin?: string;
}

/** The plugin replaced an `Authorization` header that the caller had set. */
export interface AuthorizationReplacedEvent extends EventTokenScope {
  readonly type: 'authorization-replaced';
}

/** The token store failed. For a few seconds, this process may continue without the store. */
export interface StoreFailedEvent extends EventTokenScope {
  readonly type: 'store-failed';
  readonly operation: 'get' | 'set' | 'lock' | 'release';
  /** `time-out`: no answer in time. `error`: the store threw or rejected. `unreadable`: it returned a value that is not a token. */
  readonly reason: 'time-out' | 'error' | 'unreadable';
}

/**
 * BipsyncAuthEvent is what `onEvent` and the diagnostics channel `axios-bipsync-auth:event` receive. It never contains a
 * token or a secret.
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
