import axios, { type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';

import type { AdapterOption } from '../axios/adapters';
import type { Target } from '../axios/destination';
import type { Emit } from '../events';
import type { TokenSource } from '../token/source';
import { asRecord, isObject } from '../values';
import { sentWithoutToken } from './causes';
import type { Gate } from './gate';
import { type Outcome, type Send, surface } from './outcome';
import type { Replay } from './replay';
import type { Seen } from './seen';
import { answerUnauthorized, type Exchange } from './unauthorized';

type Config = InternalAxiosRequestConfig;

interface BypassedParts {
  readonly seen: Seen;
  readonly gate: Gate;
  readonly replay: Replay;
  readonly emit: Emit;
  readonly adapterOf: (config: Config) => AdapterOption;
  /** The source of a request's token; `undefined` if the request is not the plugin's. */
  readonly sourceOf: (config: Config) => TokenSource | undefined;
}

/**
 * createBypassed makes the function that deals with the 401 of a request that did not reach the layer at the adapter:
 * an interceptor has put another adapter in its place, or has built the config anew.
 */
export function createBypassed(parts: BypassedParts): (outcome: Outcome) => Promise<AxiosResponse> {
  const { seen, gate, replay, emit, adapterOf, sourceOf } = parts;

  function placeOf(config: Config): { source: TokenSource; target: Target } | undefined {
    try {
      const source = sourceOf(config);
      const target = source && gate.admit(config, adapterOf(config));
      return target && { source, target };
    } catch {
      // What would have been rejected was sent, and has its answer.
      return undefined;
    }
  }

  /** Sends a request that has been through the transforms already. */
  const send: Send = (config) =>
    new axios.Axios({}).request({ ...config, adapter: adapterOf(config), transformRequest: [] });

  return async (outcome) => {
    const config = outcome.response?.config;
    const place = config && isObject(config.headers) ? placeOf(config) : undefined;
    if (!config || !place) return surface(outcome);
    if (!seen.has(config)) {
      const isExplained = 'error' in outcome && asRecord(outcome.error)['cause'] !== undefined;
      const hadToken = 'Authorization' in config.headers;
      return surface(outcome, isExplained || hadToken ? undefined : sentWithoutToken());
    }
    seen.remove(config);
    const { source, target } = place;
    const resend: Exchange['resend'] = (token) => replay(config, send, source, token);
    return answerUnauthorized({ config, source, target, sent: undefined, resend }, outcome, emit);
  };
}
