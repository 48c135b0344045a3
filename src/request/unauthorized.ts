import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';

import { pathOf, type Target } from '../axios/destination';
import { isBipsyncAuthError } from '../errors';
import type { Emit } from '../events';
import type { Renewal } from '../token/renewal-pauses';
import type { Token } from '../token/token';
import type { TokenSource } from '../token/source';
import { isObject } from '../values';
import { canReplay, disposeBody } from './body';
import { accessDenied, isFromElsewhere, isScopeTooSmall, proxyRefusalOf, surfaceExplained } from './causes';
import { failed, type Outcome, statusOf, surface } from './outcome';
import { throwIfCancelled, waitFor } from './waiting';

/** Exchange is one request under way. */
export interface Exchange {
  readonly config: InternalAxiosRequestConfig;
  readonly source: TokenSource;
  readonly target: Target;
  /** The token of the first attempt, unless it was sent without one because the plugin's adapter was bypassed. */
  readonly sent: Token | undefined;
  /** Sends the second attempt with this token, through the gate and to the caller's adapter. Never rejects. */
  readonly resend: (token: Token) => Promise<Outcome>;
}

/** What a 401 leads to. docs/architecture.md has the same table. */
type Verdict =
  /** A redirect led to another origin: its 401 says nothing about the token. */
  | 'not-ours'
  /** The API says that the token's scope is not enough: a new token would have the same scope. */
  | 'scope-too-small'
  /** New tokens did not help this resource a moment ago. */
  | 'paused'
  /** The request cannot be sent twice: the next request gets the new token. */
  | 'renew-for-the-next'
  /** Another token and a second attempt. */
  | 'replay';

export const UNAUTHORIZED = 401;

const noop = (): void => undefined;

/** answerUnauthorized deals with the 401 of a first attempt. */
export async function answerUnauthorized(
  exchange: Exchange,
  outcome: Outcome,
  emit: Emit,
): Promise<AxiosResponse> {
  const { source, sent } = exchange;
  switch (judge(exchange, outcome)) {
    case 'not-ours':
      return surface(outcome);
    case 'scope-too-small':
    case 'paused':
      return surface(outcome, accessDenied(source));
    case 'renew-for-the-next':
      renewForTheNext(exchange, sent);
      return surface(outcome);
    case 'replay': {
      const renewal = retire(exchange, sent);
      try {
        return await replay(exchange, outcome, renewal, emit);
      } finally {
        renewal?.end();
      }
    }
  }
}

function judge({ config, source, target, sent }: Exchange, outcome: Outcome): Verdict {
  if (isFromElsewhere(outcome, target)) return 'not-ours';
  if (isScopeTooSmall(outcome)) return 'scope-too-small';
  const isForced = sent !== undefined && source.isCurrent(sent);
  if (isForced && !source.pauses.admits(resourceOf(config, target))) return 'paused';
  // An adapter may have taken the headers away. Without them it would be another request.
  return isObject(config.headers) && canReplay(config.data) ? 'replay' : 'renew-for-the-next';
}

async function replay(
  exchange: Exchange,
  first: Outcome,
  forced: Renewal | undefined,
  emit: Emit,
): Promise<AxiosResponse> {
  const { config, source, target } = exchange;
  const resource = resourceOf(config, target);
  if (first.response) disposeBody(first.response);
  throwIfCancelled(config);
  // A token that is present is taken at once: a moment later it may be retired.
  let token = source.present();
  let isNew = false;
  if (token === undefined) {
    try {
      token = await waitFor(source.obtain, config);
    } catch (error) {
      return isBipsyncAuthError(error) ? surface(first, error) : surface(failed(error));
    }
    // Another process may have stored this token before the API began to refuse it.
    isNew = token.origin === 'endpoint';
  }
  emit(source.scope, { type: 'request-replayed' });
  const second = await exchange.resend(token);

  if (statusOf(second) !== UNAUTHORIZED || proxyRefusalOf(second, target, config)) {
    if (second.response) source.pauses.accepted(resource, isNew || forced !== undefined);
    return surfaceExplained(second, target, config);
  }
  if (isNew || isScopeTooSmall(second)) {
    source.pauses.refused(resource);
  } else if (source.isCurrent(token) && (forced || source.pauses.admits(resource))) {
    // This is the first refusal of this token, so it is retired and the next request gets a new one. A renewal that this request
    // has forced already may be completed in spite of the pause that it began.
    renewForTheNext(exchange, token);
    return surface(second);
  }
  return surface(second, accessDenied(source));
}

function renewForTheNext(exchange: Exchange, token: Token | undefined): void {
  retire(exchange, token)?.end();
  exchange.source.obtain().catch(noop);
}

/** Retires a refused token. That forces a renewal if the next request would have used the token. */
function retire({ config, source, target }: Exchange, token: Token | undefined): Renewal | undefined {
  if (token === undefined) return undefined;
  const renewal = source.isCurrent(token) ? source.pauses.begin(resourceOf(config, target)) : undefined;
  source.refuse(token);
  return renewal;
}

/**
 * resourceOf names what a client may be allowed or forbidden to use as a whole: origin, reading or writing, and the first two
 * segments of the path.
 */
export function resourceOf(config: InternalAxiosRequestConfig, target: Target): string {
  const isRead = /^(?:get|head|options)$/i.test(config.method ?? 'get');
  const segments = pathOf(config, target)
    .split('/')
    .filter((segment) => segment !== '');
  return [target.origin, isRead ? 'read' : 'write', ...segments.slice(0, 2)].join(' ');
}
