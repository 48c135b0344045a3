import axios, { type AxiosRequestConfig, type AxiosResponse } from 'axios';

import { type AdapterOption, defaultAdapter, isNamed } from '../axios/adapters';
import { ownRecord } from '../values';

/** The instance as far as token requests use it. */
export interface TransportInstance {
  readonly defaults: object;
  readonly create?: unknown;
}

/** How an instance reaches the network now. Nothing else of it has to do with token requests. */
export type Transport = Pick<AxiosRequestConfig, 'adapter' | (typeof transportOptions)[number]> & {
  dispatcher?: unknown;
};

const transportOptions = [
  'env',
  'family',
  'httpAgent',
  'httpsAgent',
  'httpVersion',
  'http2Options',
  'insecureHTTPParser',
  'lookup',
  'proxy',
] as const;

/**
 * transportOf reads the options of an instance that decide how it reaches the network. It is called for each token request,
 * so that a mock or an agent that is set after installation counts.
 */
export function transportOf(instance: TransportInstance): Transport & { adapter: AdapterOption } {
  const defaults = ownRecord(instance.defaults);
  const { dispatcher } = ownRecord(defaults['fetchOptions']);
  const options = [...transportOptions.map((name) => [name, defaults[name]]), ['dispatcher', dispatcher]];
  const present = options.filter(([, value]) => value !== undefined);
  return Object.assign(Object.fromEntries(present) as Transport, {
    adapter: (defaults['adapter'] ?? defaultAdapter()) as AdapterOption,
  });
}

/** A test's stand-in may have no `create`, or one that returns something else. */
function siblingOf({ create }: TransportInstance): Sibling | undefined {
  const sibling: unknown =
    typeof create === 'function' ? (create as (config: object) => unknown)({}) : undefined;
  const { request, defaults, interceptors } = Object(sibling) as Partial<Sibling>;
  return request && defaults && interceptors ? (sibling as Sibling) : undefined;
}

interface Sibling extends BareAxios {
  readonly defaults: object;
  readonly interceptors: Readonly<Record<'request' | 'response', { clear?(): void; handlers?: unknown[] }>>;
}

/** An axios that has no defaults, interceptors or transforms of anybody's. */
interface BareAxios {
  request(config: AxiosRequestConfig): Promise<AxiosResponse<unknown>>;
}

/**
 * bareAxiosFor returns an axios in which nothing of the instance sees the secret. An adapter that is a function gets a
 * config made by the instance's own copy of axios, because it may come from there and read only headers of that copy.
 */
export function bareAxiosFor(instance: TransportInstance, adapter: AdapterOption): BareAxios {
  const sibling = isNamed(adapter) ? undefined : siblingOf(instance);
  if (sibling === undefined) return new axios.Axios({});
  // In place: axios itself holds the same object.
  for (const key of Object.keys(sibling.defaults)) Reflect.deleteProperty(sibling.defaults, key);
  for (const manager of Object.values(sibling.interceptors)) {
    // Before 1.0 a manager had no `clear`.
    if (manager.clear) manager.clear();
    else manager.handlers = [];
  }
  return sibling;
}
