import type { InternalAxiosRequestConfig } from 'axios';

import type { Token } from '../token/token';
import type { TokenSource } from '../token/source';
import { defineOwn } from '../values';
import type { Attempts, Continuation } from './attempts';
import type { Gate } from './gate';
import { failed, type Outcome, type Send } from './outcome';

/** Replay makes the second attempt of a request. It goes once more through the gate, because the adapter may have changed the config. */
export type Replay = (
  config: InternalAxiosRequestConfig,
  send: Send,
  source: TokenSource,
  token: Token,
) => Promise<Outcome>;

const asOutcome: Continuation<Outcome> = {
  onResponse: (_attempt, response) => ({ response }),
  onFailure: (_attempt, outcome) => outcome,
};

export function createReplay(gate: Gate, attempts: Attempts): Replay {
  return async (first, send, source, token) => {
    try {
      const config = copyOf(first);
      const target = gate.admit(config, first.adapter);
      if (target) return await attempts.withToken({ config, source, target, token, send }, asOutcome);
      gate.withhold(config, source);
      return { response: await attempts.withoutToken(config, send) };
    } catch (error) {
      return failed(error);
    }
  };
}

/** A copy, so that whoever kept the first attempt's config sees it unchanged. */
function copyOf(config: InternalAxiosRequestConfig): InternalAxiosRequestConfig {
  const copy = shallowCopy(config);
  copy.headers = shallowCopy(copy.headers);
  return copy;
}

/**
 * Unlike a spread, it keeps the prototype, and properties that are not enumerable. Unlike the original, which somebody may have
 * frozen, it can be changed.
 */
function shallowCopy<T extends object>(original: T): T {
  const copy = Object.create(Object.getPrototypeOf(original) as object | null) as T;
  for (const key of Reflect.ownKeys(original)) {
    const property = Reflect.getOwnPropertyDescriptor(original, key);
    const isValue = Object.hasOwn(property ?? {}, 'value');
    defineOwn(copy, key, { ...property, configurable: true, ...(isValue && { writable: true }) });
  }
  return copy;
}
