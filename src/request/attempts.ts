import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';

import { isNamed } from '../axios/adapters';
import type { Target } from '../axios/destination';
import type { Token } from '../token/token';
import type { TokenSource } from '../token/source';
import type { TokenSources } from '../token/sources';
import { concealError, concealResponse, createConcealConfig } from './concealment';
import type { Gate } from './gate';
import { failed, type Outcome, type Send } from './outcome';

/** Attempt is a request that was admitted by the gate, and the token it is sent with. */
export interface Attempt {
  readonly config: InternalAxiosRequestConfig;
  readonly source: TokenSource;
  readonly target: Target;
  readonly token: Token;
  readonly send: Send;
}

/** What becomes of an attempt. Its config shows no token by then. Its error may still lead to one, until it is surfaced. */
export interface Continuation<T> {
  onResponse: (attempt: Attempt, response: AxiosResponse) => T | Promise<T>;
  onFailure: (attempt: Attempt, outcome: Outcome) => T | Promise<T>;
}

/** Attempts sends requests to the caller's adapter. What the caller gets to see of them shows no token. */
export interface Attempts {
  withToken<T>(attempt: Attempt, continuation: Continuation<T>): Promise<T>;
  withoutToken(config: InternalAxiosRequestConfig, send: Send): Promise<AxiosResponse>;
  /**
   * Hides the token in the error that the caller gets to see. Not earlier, because this takes time, and nobody sees the error
   * of an attempt that another attempt follows.
   */
  surfacing(outcome: Promise<AxiosResponse>): Promise<AxiosResponse>;
}

const AT_ONCE = Promise.resolve();

export function createAttempts(gate: Gate, { hasIssued }: TokenSources): Attempts {
  const concealConfig = createConcealConfig();
  return {
    withToken(attempt, { onResponse, onFailure }) {
      const { config, source, target, token, send } = attempt;
      const options = gate.attach(config, target, source, token);
      let isPending = true;
      const sent = send(config).then(
        (response) => {
          isPending = false;
          concealConfigs(attempt, response);
          gate.release(config, options);
          // A streamed answer may still end in an error.
          concealResponse(response, config.responseType === 'stream' ? 'thorough' : 'quick', hasIssued);
          return onResponse(attempt, response);
        },
        (error: unknown) => {
          isPending = false;
          const outcome = failed(error);
          concealConfigs(attempt, outcome.response);
          gate.release(config, options);
          return onFailure(attempt, outcome);
        },
      );
      // axios's own adapters have read the destination by now. Functions may read it later.
      if (!isNamed(config.adapter)) {
        void AT_ONCE.then(() => {
          if (isPending) gate.watch(config, target, token);
        });
      }
      return sent;
    },

    withoutToken: (config, send) =>
      send(config).then((response) => {
        concealResponse(response, 'quick', hasIssued);
        return response;
      }, concealAndThrow),

    surfacing: (outcome) => outcome.catch(concealAndThrow),
  };

  function concealAndThrow(error: unknown): never {
    throw concealError(error, hasIssued);
  }

  function concealConfigs({ config, token }: Attempt, response: AxiosResponse | undefined): void {
    concealConfig(config, token);
    if (response && response.config !== config) concealConfig(response.config, token);
  }
}
