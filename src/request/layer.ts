import axios, {
  type AxiosAdapter,
  type AxiosInstance,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';

import {
  type AdapterOption,
  defaultAdapter,
  isNamed,
  isSameAdapter,
  resolveAdapter,
} from '../axios/adapters';
import type { Target } from '../axios/destination';
import { adoptHeaders } from '../axios/headers';
import { asRequestError, isBipsyncAuthError } from '../errors';
import type { Emit } from '../events';
import type { Token } from '../token/token';
import type { TokenSource } from '../token/source';
import type { TokenSources } from '../token/sources';
import { asRecord, isObject } from '../values';
import { throwIfEnded } from './body';
import { sentWithoutToken, proxyRefusalOf, surfaceExplained } from './causes';
import {
  concealConfig,
  concealError,
  concealResponse,
  concealRoutes,
  type Thoroughness,
} from './concealment';
import type { Gate } from './gate';
import { failed, type Outcome, type Send, statusOf, surface } from './outcome';
import { answerUnauthorized, resourceOf, UNAUTHORIZED } from './unauthorized';
import { waitFor } from './waiting';

type Config = InternalAxiosRequestConfig;

const AT_ONCE = Promise.resolve();

/** Layer is what is registered on the instance. */
export interface Layer {
  onRequest: (config: Config) => Config;
  onResponse: (response: AxiosResponse) => AxiosResponse | Promise<AxiosResponse>;
  onError: (error: unknown) => Promise<AxiosResponse>;
}

export interface LayerParts {
  readonly instance: Pick<AxiosInstance, 'defaults' | 'interceptors'>;
  readonly isOwnCopy: boolean;
  readonly sources: TokenSources;
  readonly sourceFor: (options: NonNullable<Exclude<Config['bipsyncAuth'], false>>) => TokenSource;
  readonly gate: Gate;
  readonly emit: Emit;
}

/** A first attempt that was sent with a token. */
interface Attempted {
  readonly config: Config;
  readonly source: TokenSource;
  readonly target: Target;
  readonly token: Token;
  readonly send: Send;
}

/**
 * createLayer does its work at the adapter, below every interceptor. Only there is it certain where a request goes, and only
 * there is an answer still as the server sent it. The request interceptor merely puts that layer in place. The response
 * interceptor deals with what happened above it.
 */
export function createLayer({ instance, isOwnCopy, sources, sourceFor, gate, emit }: LayerParts): Layer {
  const seen = createSeen();
  const boundAdapters = new WeakSet<object>();
  let lastBound: { to: AdapterOption; adapter: AxiosAdapter } | undefined;

  function onRequest(config: Config): Config {
    config.adapter = bind(adapterOf(config));
    seen.add(config);
    return config;
  }

  const adapterOf = (config: Config): AdapterOption =>
    (config.adapter ?? instance.defaults.adapter ?? defaultAdapter()) as AdapterOption;

  function bind(adapter: AdapterOption): AxiosAdapter {
    if (lastBound && isSameAdapter(lastBound.to, adapter)) return lastBound.adapter;
    // A name is in no such set.
    if (boundAdapters.has(adapter as AxiosAdapter)) return adapter as AxiosAdapter;
    const send = senderTo(adapter);
    const bound: AxiosAdapter = (config) => dispatch(config, adapter, send);
    boundAdapters.add(bound);
    lastBound = { to: adapter, adapter: bound };
    return bound;
  }

  function dispatch(config: Config, adapter: AdapterOption, send: Send): Promise<AxiosResponse> {
    // What the caller finds in `config`, or sends again, must be the caller's own adapter.
    config.adapter = adapter;
    seen.remove(config);
    concealRoutes(config);
    const options = optionsOf(config);
    if (options === false) return sendWithoutToken(config, send);
    try {
      const source = options === undefined ? sources.configured : sourceFor(options);
      const target = gate.admit(config, adapter);
      if (target === undefined) {
        gate.withhold(config, source);
        return sendWithoutToken(config, send);
      }
      const token = source.present();
      return token
        ? sendWithToken(config, send, source, target, token)
        : obtainAndSend(config, adapter, send, source);
    } catch (error) {
      return reject(error, config);
    }
  }

  const senderTo =
    (adapter: AdapterOption): Send =>
    (config) => {
      try {
        if (!isOwnCopy && isNamed(adapter)) adoptHeaders(config);
        return resolveAdapter(adapter, config)(config);
      } catch (error) {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- rejected as it was thrown
        return Promise.reject(error);
      }
    };

  function sourceOf(config: Config): TokenSource {
    const options = optionsOf(config);
    return options === undefined || options === false ? sources.configured : sourceFor(options);
  }

  function sendWithoutToken(config: Config, send: Send): Promise<AxiosResponse> {
    return send(config).then(
      (response) => {
        concealResponse(response, 'quick', sources.hasIssued);
        return response;
      },
      (error: unknown) => {
        throw concealError(error, sources.hasIssued);
      },
    );
  }

  async function obtainAndSend(
    config: Config,
    adapter: AdapterOption,
    send: Send,
    source: TokenSource,
  ): Promise<AxiosResponse> {
    try {
      const token = await waitFor(source.obtain(), config);
      throwIfEnded(config);
      // Meanwhile the config may have changed.
      const target = gate.admit(config, adapter);
      if (target) return await sendWithToken(config, send, source, target, token);
      gate.withhold(config, source);
    } catch (error) {
      return reject(error, config);
    }
    return sendWithoutToken(config, send);
  }

  function sendWithToken(
    config: Config,
    send: Send,
    source: TokenSource,
    target: Target,
    token: Token,
  ): Promise<AxiosResponse> {
    const options = gate.attach(config, target, source, token);
    let isPending = true;
    const sent = send(config).then(
      (response) => {
        isPending = false;
        gate.release(config, options);
        concealSent(config, response, token, 'quick');
        if (response.status === UNAUTHORIZED)
          return settle({ config, source, target, token, send }, { response });
        if (!source.pauses.isIdle()) source.pauses.accepted(resourceOf(config, target), false);
        return response;
      },
      (error: unknown) => {
        isPending = false;
        gate.release(config, options);
        const outcome = failed(error);
        concealSent(config, outcome.response, token, 'thorough');
        concealError(error, sources.hasIssued);
        return settle({ config, source, target, token, send }, outcome);
      },
    );
    // axios's own adapters have read the destination by now. Another function may read it later.
    if (typeof config.adapter === 'function') {
      void AT_ONCE.then(() => {
        if (isPending) gate.watch(config, target, token);
      });
    }
    return sent;
  }

  /** Deals with an outcome other than a success. */
  async function settle(
    { config, source, target, token, send }: Attempted,
    outcome: Outcome,
  ): Promise<AxiosResponse> {
    if (statusOf(outcome) !== UNAUTHORIZED || proxyRefusalOf(outcome, target, config)) {
      if (outcome.response && !source.pauses.isIdle())
        source.pauses.accepted(resourceOf(config, target), false);
      return surfaceExplained(outcome, target, config);
    }
    const resend = (next: Token): Promise<Outcome> => attemptAgain(config, send, source, next);
    return answerUnauthorized({ config, source, target, sent: token, resend }, outcome, emit);
  }

  /** The second attempt: once more through the gate, since the adapter may have changed the config. */
  async function attemptAgain(
    config: Config,
    send: Send,
    source: TokenSource,
    token: Token,
  ): Promise<Outcome> {
    const replay = replayOf(config);
    let release = (): void => undefined;
    try {
      const target = gate.admit(replay, config.adapter);
      if (target) {
        const options = gate.attach(replay, target, source, token);
        release = () => gate.release(replay, options);
      } else gate.withhold(replay, source);
      const response = await send(replay);
      release();
      concealSent(replay, response, token, 'quick');
      return { response };
    } catch (error) {
      release();
      const outcome = failed(error);
      concealSent(replay, outcome.response, token, 'thorough');
      concealError(error, sources.hasIssued);
      return outcome;
    }
  }

  function concealSent(
    config: Config,
    response: AxiosResponse | undefined,
    { authorization }: Token,
    outcome: Thoroughness,
  ): void {
    // A streamed answer may still end in an error.
    const how = config.responseType === 'stream' ? 'thorough' : outcome;
    concealConfig(config, authorization, how);
    if (response === undefined) return;
    if (response.config !== config) concealConfig(response.config, authorization, how);
    concealResponse(response, how, sources.hasIssued);
  }

  function onResponse(response: AxiosResponse): AxiosResponse | Promise<AxiosResponse> {
    if (seen.has(response.config)) {
      concealResponse(response, 'quick', sources.hasIssued);
    }
    return response.status === UNAUTHORIZED ? settleAbove({ response }) : response;
  }

  async function onError(error: unknown): Promise<AxiosResponse> {
    concealError(error, sources.hasIssued);
    const outcome = failed(error);
    if (outcome.response?.status !== UNAUTHORIZED) throw error;
    return settleAbove(outcome);
  }

  /** Deals with the 401 of a request that did not come by the layer at the adapter. */
  async function settleAbove(outcome: Outcome): Promise<AxiosResponse> {
    const config = outcome.response?.config;
    const target = config && isObject(config.headers) ? targetAbove(config) : undefined;
    if (!config || !target) return surface(outcome);
    if (!seen.has(config)) {
      const isExplained = 'error' in outcome && asRecord(outcome.error)['cause'] !== undefined;
      const hadToken = Object.hasOwn(config.headers, 'Authorization');
      return surface(outcome, isExplained || hadToken ? undefined : sentWithoutToken());
    }
    seen.remove(config);
    const source = sourceOf(config);
    const resend = (token: Token) => attemptAgain(config, resendAbove, source, token);
    return answerUnauthorized({ config, source, target, sent: undefined, resend }, outcome, emit);
  }

  function targetAbove(config: Config): Target | undefined {
    if (optionsOf(config) === false) return undefined;
    // After `interceptors.request.clear()` the plugin has no part in a request.
    if (!isRegistered(instance.interceptors.request, onRequest)) return undefined;
    try {
      sourceOf(config);
      return gate.admit(config, adapterOf(config));
    } catch {
      // What would have been rejected was sent, and has its answer.
      return undefined;
    }
  }

  /** Sends a request that has been through the transforms already. */
  const resendAbove: Send = (config) =>
    new axios.Axios({}).request({ ...config, adapter: adapterOf(config), transformRequest: [] });

  return { onRequest, onResponse, onError };
}

/**
 * The configs that the request interceptor saw and that have not reached the layer at the adapter. Most configs reach it before
 * the next request begins. They never enter the WeakSet, because adding every config would cost a few percent of its time.
 */
function createSeen(): {
  add(config: object): void;
  remove(config: object): void;
  has(config: object): boolean;
} {
  const earlier = new WeakSet<object>();
  let latest: object | undefined;
  return {
    add(config) {
      if (latest) earlier.add(latest);
      latest = config;
    },
    remove(config) {
      if (latest === config) latest = undefined;
      else earlier.delete(config);
    },
    has: (config) => latest === config || earlier.has(config),
  };
}

/** isRegistered returns whether this interceptor is still registered. Its number alone does not tell, because another one may have it now. */
export function isRegistered(manager: object, fulfilled: unknown): boolean {
  const { handlers } = manager as { handlers?: ({ fulfilled?: unknown } | null)[] };
  return handlers === undefined || handlers.some((handler) => handler?.fulfilled === fulfilled);
}

/** Only an own property counts. */
const optionsOf = (config: Config): Config['bipsyncAuth'] =>
  Object.hasOwn(config, 'bipsyncAuth') ? config.bipsyncAuth : undefined;

/** A copy, so that whoever kept the first attempt's config sees it unchanged. */
function replayOf(config: Config): Config {
  const replay = shallowCopy(config);
  replay.headers = shallowCopy(config.headers);
  return replay;
}

/** Unlike a spread, it keeps the prototype, and properties that are not enumerable. */
function shallowCopy<T extends object>(original: T): T {
  const prototype = Object.getPrototypeOf(original) as object | null;
  return Object.create(prototype, Object.getOwnPropertyDescriptors(original)) as T;
}

function reject(error: unknown, config: Config): Promise<never> {
  const rejection = isBipsyncAuthError(error) ? asRequestError(error, config) : error;
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- others are rejected as they were thrown
  return Promise.reject(rejection);
}
