import type { AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from 'axios';

import { type AdapterOption, defaultAdapter } from '../axios/adapters';
import type { Emit } from '../events';
import type { TokenSource } from '../token/source';
import type { TokenSources } from '../token/sources';
import { createAttempts } from './attempts';
import { createBind } from './binding';
import { createBypassed } from './bypassed';
import { concealError, concealResponse, concealRoutes } from './concealment';
import { createDispatch } from './dispatch';
import type { Gate } from './gate';
import { failed, type Outcome, surface } from './outcome';
import { createReplay } from './replay';
import { createSeen } from './seen';
import { UNAUTHORIZED } from './unauthorized';

type Config = InternalAxiosRequestConfig;

/** Layer is what is registered on the instance. */
interface Layer {
  onRequest: (config: Config) => Config;
  onResponse: (response: AxiosResponse) => AxiosResponse | Promise<AxiosResponse>;
  onError: (error: unknown) => Promise<AxiosResponse>;
}

interface LayerParts {
  readonly instance: Pick<AxiosInstance, 'defaults' | 'interceptors'>;
  readonly isOwnCopy: boolean;
  readonly sources: TokenSources;
  readonly sourceFor: (options: NonNullable<Exclude<Config['bipsyncAuth'], false>>) => TokenSource;
  readonly gate: Gate;
  readonly emit: Emit;
}

/**
 * createLayer does its work at the adapter, below every interceptor. Only there is it certain where a request goes, and only
 * there is an answer still as the server sent it. The request interceptor merely puts that layer in place. The response
 * interceptor deals with what happened above it.
 */
export function createLayer(parts: LayerParts): Layer {
  const { instance, isOwnCopy, sources, sourceFor, gate, emit } = parts;
  const seen = createSeen();
  const attempts = createAttempts(gate, sources);
  const replay = createReplay(gate, attempts);
  const dispatch = createDispatch({ gate, attempts, replay, emit, sourceOf });
  const bypassed = createBypassed({ seen, gate, replay, emit, adapterOf, sourceOf });

  const bind = createBind(isOwnCopy, (config, adapter, send) => {
    // What the caller finds in `config`, or sends again, must be the caller's own adapter.
    config.adapter = adapter;
    seen.remove(config);
    concealRoutes(config);
    return dispatch(config, adapter, send);
  });

  function onRequest(config: Config): Config {
    config.adapter = bind(adapterOf(config));
    seen.add(config);
    return config;
  }

  function onResponse(response: AxiosResponse): AxiosResponse | Promise<AxiosResponse> {
    if (seen.has(response.config)) concealResponse(response, 'quick', sources.hasIssued);
    return response.status === UNAUTHORIZED ? settle({ response }) : response;
  }

  async function onError(error: unknown): Promise<AxiosResponse> {
    concealError(error, sources.hasIssued);
    const outcome = failed(error);
    if (outcome.response?.status !== UNAUTHORIZED) throw error;
    return settle(outcome);
  }

  /** After `interceptors.request.clear()` the plugin has no part in a request. */
  async function settle(outcome: Outcome): Promise<AxiosResponse> {
    return isRegistered(instance.interceptors.request, onRequest)
      ? attempts.surfacing(bypassed(outcome))
      : surface(outcome);
  }

  function adapterOf(config: Config): AdapterOption {
    return (config.adapter ?? instance.defaults.adapter ?? defaultAdapter()) as AdapterOption;
  }

  function sourceOf(config: Config): TokenSource | undefined {
    // Only an own property counts.
    const options = Object.hasOwn(config, 'bipsyncAuth') ? config.bipsyncAuth : undefined;
    if (options === false) return undefined;
    return options === undefined ? sources.configured : sourceFor(options);
  }

  return { onRequest, onResponse, onError };
}

/** isRegistered returns whether this interceptor is still registered. Its number alone does not tell, because another one may have it now. */
export function isRegistered(manager: object, fulfilled: unknown): boolean {
  const { handlers } = manager as { handlers?: ({ fulfilled?: unknown } | null)[] };
  return handlers === undefined || handlers.some((handler) => handler?.fulfilled === fulfilled);
}
