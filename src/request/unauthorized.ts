import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';

import type { Attachment } from './gate';
import { readChallengeError } from './challenge';
import { BipsyncAuthError, isBipsyncAuthError } from '../errors';
import type { Emit } from '../events';
import { createForcedRenewal, type ForcedRenewal } from './renewal-pauses';
import { readAuthorization, readResponseHeader } from '../axios/headers';
import { asRecord, isObject } from '../values';
import { redactError } from './concealment';
import { canReplay, disposeBody, replayOf } from './replay';
import { originOf, targetOf } from '../axios/destination';
import type { Token } from '../token/token';
import type { TokenSource } from '../token/source';
import type { TokenSources } from '../token/sources';
import { throwIfCancelled, waitFor } from './waiting';

type Config = InternalAxiosRequestConfig;
export type Send = (config: Config) => Promise<AxiosResponse>;

/** What became of a request: a response, or an error that may hold one. */
export type Outcome = { response: AxiosResponse } | { response: AxiosResponse | undefined; error: unknown };

/** Renewal sees to what becomes of a request that was sent with a token. */
export interface Renewal {
  /** Answers a 401 with another token and a second attempt where that may help; lets everything else through. */
  settle: (first: Outcome, config: Config, send: Send, source: TokenSource) => Promise<AxiosResponse>;
  /** Whether a response is the 401 of a request that is the instance's own and was not settled yet. */
  isUnsettled: (response: AxiosResponse | undefined) => response is AxiosResponse;
}

export const UNAUTHORIZED = 401;
const INSUFFICIENT_SCOPE = 'insufficient_scope';

const noop = (): void => undefined;

export function createRenewal(
  sources: TokenSources,
  emit: Emit,
  { attach, release, isClaimed }: Attachment,
): Renewal {
  const renewals = new WeakMap<TokenSource, ForcedRenewal>();

  async function settle(
    first: Outcome,
    config: Config,
    send: Send,
    source: TokenSource,
  ): Promise<AxiosResponse> {
    const { response } = first;
    const target = targetOf(config)?.origin;
    if (response?.status !== UNAUTHORIZED || !target || isFromElsewhere(response, target)) {
      return surface(first);
    }
    const challenge = challengeOf(response);
    if (challenge === INSUFFICIENT_SCOPE) return surface(first, accessDenied(source));

    const renewal = renewalOf(source);
    const sent = sentToken(config);
    const isForced = sent !== undefined && source.isCurrent(sent);
    if (isForced && !renewal.admits(challenge)) return surface(first, accessDenied(source));
    if (sent !== undefined) source.refuse(sent);
    const isRenewal = source.present() === undefined;
    /** A token that nobody sees help counts as one that did not, or each such request could cost another. */
    const leaveUnproven = (): void => {
      const next = source.obtain();
      (isForced ? next.then(renewal.didNotHelp) : next).catch(noop);
    };
    if (!canReplay(config.data)) {
      leaveUnproven();
      return surface(first);
    }
    disposeBody(response);
    let token: Token;
    try {
      throwIfCancelled(config);
      // One that is there is taken at once: a moment later it may have been given up.
      token = source.present() ?? (await waitFor(source.obtain(), config));
    } catch (error) {
      if (isBipsyncAuthError(error)) return surface(first, error);
      leaveUnproven();
      return surface({ response: undefined, error });
    }

    emit(source.scope, { type: 'request-replayed' });
    const replay = replayOf(config);
    attach(replay, target, source, token);
    const second = await outcomeOf(send, replay);
    if (second.response?.status !== UNAUTHORIZED) {
      if (second.response === undefined) {
        if (isForced) renewal.didNotHelp(token);
      } else if (isRenewal) renewal.helped();
      return surface(second);
    }
    const secondChallenge = challengeOf(second.response);
    /** The first attempt went without a token, so this was the first to tell of one that had been there before. */
    const isFirstToTell = !isRenewal && readAuthorization(config.headers) === undefined;
    const makesRoom =
      source.isBorrowed(token.accessToken) ||
      (isFirstToTell && source.isCurrent(token.accessToken) && renewal.admits(secondChallenge));
    if (makesRoom && secondChallenge !== INSUFFICIENT_SCOPE) {
      // It may be revoked, and another process may have minted it. The next one counts as unhelpful, or processes that
      // borrow from each other would mint one for every request.
      source.refuse(token.accessToken);
      source.obtain().then(renewal.didNotHelp).catch(noop);
      return surface(second);
    }
    if (!isFirstToTell) renewal.didNotHelp(token);
    return surface(second, accessDenied(source));
  }

  /** What the caller sees: without the token, and known to the interceptors when it comes by. */
  function surface(outcome: Outcome, cause?: BipsyncAuthError): AxiosResponse {
    if ('error' in outcome) redactError(withCause(outcome.error, cause), sources.holdsIssuedToken);
    const { status, config } = asRecord(outcome.response);
    if (status === UNAUTHORIZED && isObject(config)) release(config);
    if ('error' in outcome) throw outcome.error;
    return outcome.response;
  }

  function renewalOf(source: TokenSource): ForcedRenewal {
    const renewal = renewals.get(source) ?? createForcedRenewal();
    renewals.set(source, renewal);
    return renewal;
  }

  /** The token a request was sent with can be read from it, so that no state need travel with it. */
  function sentToken({ headers }: Config): string | undefined {
    const authorization = readAuthorization(headers);
    return sources.holdsIssuedToken(authorization)
      ? String(authorization).slice('Bearer '.length)
      : undefined;
  }

  return {
    settle,
    isUnsettled: (response): response is AxiosResponse =>
      response?.status === UNAUTHORIZED && isClaimed(response.config),
  };
}

/** Another origin's 401, that a redirect led to, says nothing about the token; only the http adapter tells. */
function isFromElsewhere({ request }: AxiosResponse, target: string): boolean {
  const actual = originOf(asRecord(asRecord(request)['res'])['responseUrl']);
  return actual !== undefined && actual !== target;
}

const challengeOf = (response: AxiosResponse): string | undefined =>
  readChallengeError(readResponseHeader(response, 'www-authenticate'));

async function outcomeOf(send: Send, config: Config): Promise<Outcome> {
  try {
    return { response: await send(config) };
  } catch (error) {
    return failed(error);
  }
}

/** failed is what becomes of a request that fails with `error`. */
export function failed(error: unknown): Outcome {
  return { response: asRecord(error)['response'] as AxiosResponse | undefined, error };
}

function withCause(error: unknown, cause: BipsyncAuthError | undefined): unknown {
  if (cause) {
    const details = { value: cause, enumerable: false, writable: true, configurable: true };
    Reflect.defineProperty(error as object, 'cause', details);
  }
  return error;
}

function accessDenied({ scope }: TokenSource): BipsyncAuthError {
  return new BipsyncAuthError(
    'ERR_BIPSYNC_ACCESS_DENIED',
    'The API refuses tokens it issued a moment ago, or says that their scope does not suffice. The scopes asked for ' +
      `are "${scope.scopes.join(' ')}": check what this endpoint needs and what the client was granted.`,
    { status: UNAUTHORIZED },
  );
}
