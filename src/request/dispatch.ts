import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';

import type { AdapterOption } from '../axios/adapters';
import { asRequestError, isBipsyncAuthError } from '../errors';
import type { Emit } from '../events';
import type { TokenSource } from '../token/source';
import type { Attempt, Attempts, Continuation } from './attempts';
import type { Dispatch } from './binding';
import { throwIfEnded } from './body';
import { proxyRefusalOf, surfaceExplained } from './causes';
import type { Gate } from './gate';
import { type Outcome, type Send, statusOf } from './outcome';
import type { Replay } from './replay';
import { answerUnauthorized, type Exchange, resourceOf, UNAUTHORIZED } from './unauthorized';
import { waitFor } from './waiting';

type Config = InternalAxiosRequestConfig;

interface DispatchParts {
  readonly gate: Gate;
  readonly attempts: Attempts;
  readonly replay: Replay;
  readonly emit: Emit;
  /** The source of a request's token; `undefined` if the request is not the plugin's. */
  readonly sourceOf: (config: Config) => TokenSource | undefined;
}

/**
 * createDispatch makes the function that is called in place of the caller's adapter. It obtains a token, sends the request through
 * the gate to that adapter, and deals with the answer.
 */
export function createDispatch({ gate, attempts, replay, emit, sourceOf }: DispatchParts): Dispatch {
  /** Without a token there is still a request to send. */
  function sendWithoutToken(config: Config, source: TokenSource, send: Send): Promise<AxiosResponse> {
    gate.withhold(config, source);
    return attempts.withoutToken(config, send);
  }

  async function obtainAndSend(
    config: Config,
    adapter: AdapterOption,
    send: Send,
    source: TokenSource,
  ): Promise<AxiosResponse> {
    const token = await waitFor(source.obtain, config);
    throwIfEnded(config);
    // Meanwhile the config may have changed.
    const target = gate.admit(config, adapter);
    return target
      ? attempts.withToken({ config, source, target, token, send }, firstAttempt)
      : sendWithoutToken(config, source, send);
  }

  const settle = (attempt: Attempt, outcome: Outcome): Promise<AxiosResponse> =>
    attempts.surfacing(react(attempt, outcome));

  const firstAttempt: Continuation<AxiosResponse> = {
    onResponse(attempt, response) {
      if (response.status === UNAUTHORIZED) return settle(attempt, { response });
      noteAccepted(attempt);
      return response;
    },
    onFailure: settle,
  };

  /** Deals with an outcome other than a success. */
  async function react(attempt: Attempt, outcome: Outcome): Promise<AxiosResponse> {
    const { config, source, target, token: sent, send } = attempt;
    if (statusOf(outcome) !== UNAUTHORIZED || proxyRefusalOf(outcome, target, config)) {
      if (outcome.response) noteAccepted(attempt);
      return surfaceExplained(outcome, target, config);
    }
    const resend: Exchange['resend'] = (next) => replay(config, send, source, next);
    return answerUnauthorized({ config, source, target, sent, resend }, outcome, emit);
  }

  return (config, adapter, send) => {
    try {
      const source = sourceOf(config);
      if (source === undefined) return attempts.withoutToken(config, send);
      const target = gate.admit(config, adapter);
      if (target === undefined) return sendWithoutToken(config, source, send);
      const token = source.present();
      return token
        ? attempts.withToken({ config, source, target, token, send }, firstAttempt)
        : obtainAndSend(config, adapter, send, source).catch((error: unknown) => reject(error, config));
    } catch (error) {
      return reject(error, config);
    }
  };
}

function noteAccepted({ config, source, target }: Attempt): void {
  if (!source.pauses.isIdle()) source.pauses.accepted(resourceOf(config, target), false);
}

function reject(error: unknown, config: Config): Promise<never> {
  const rejection = isBipsyncAuthError(error) ? asRequestError(error, config) : error;
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- others are rejected as they were thrown
  return Promise.reject(rejection);
}
