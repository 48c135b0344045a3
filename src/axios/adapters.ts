import axios, {
  type AxiosAdapter,
  type AxiosRequestConfig,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';

import { asRecord, isObject } from '../values';

/** An adapter as an instance or a request names it: names are resolved, functions are called as they are. */
export type AdapterOption = NonNullable<AxiosRequestConfig['adapter']>;

/** `mockBipsyncToken` puts this symbol on the adapter of a mock: nothing that it gets leaves the process. */
const mock = Symbol.for('axios-bipsync-auth.mock');

/** defaultAdapter returns the adapter of an instance that names none. */
export const defaultAdapter = (): AdapterOption => (axios.defaults.adapter ?? 'http') as AdapterOption;

/**
 * resolveAdapter returns the adapter function. Names are those of this package's copy of axios.
 *
 * @throws AxiosError if there is no such adapter.
 */
export function resolveAdapter(adapter: AdapterOption, config: InternalAxiosRequestConfig): AxiosAdapter {
  if (typeof adapter === 'function') return adapter;
  // The config decides about an environment of fetch's own; the declared type lacks it.
  const resolver = axios as { getAdapter(adapter: AdapterOption, config: unknown): AxiosAdapter };
  return resolver.getAdapter(adapter, config);
}

/** isSameAdapter compares adapters: axios merges names into a new array for every request. */
export function isSameAdapter(one: AdapterOption, other: AdapterOption): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((adapter, position) => adapter === other[position]);
}

/** isNamed tells whether an adapter is resolved by this package's copy of axios. */
export function isNamed(adapter: unknown): boolean {
  return typeof adapter === 'string' || (Array.isArray(adapter) && adapter.every(isNamed));
}

export function isMock(adapter: unknown): boolean {
  return typeof adapter === 'function' && Reflect.get(adapter, mock) === true;
}

/**
 * isUnmatchedMock tells the response of an axios-mock-adapter that has no handler for a request: a 404 without headers
 * and data, and without a raw request behind it. A handler with `reply(404)` returns the same.
 */
export function isUnmatchedMock({ status, headers, data, request }: AxiosResponse<unknown>): boolean {
  const isRaw = isObject(request) && 'destroy' in request;
  return status === 404 && Object.keys(asRecord(headers)).length === 0 && data === undefined && !isRaw;
}

/** isUnmatchedMockError tells the error of an axios-mock-adapter with `onNoMatch: 'throwException'`. */
export function isUnmatchedMockError(error: unknown): boolean {
  return asRecord(error)['isCouldNotFindMockError'] === true;
}

/** isFetch tells whether requests certainly go through `fetch`, which opens a tunnel or uses no proxy at all. */
export function isFetch(adapter: unknown): boolean {
  return isAdapter('fetch', adapter);
}

export function isHttp(adapter: unknown): boolean {
  return isAdapter('http', adapter);
}

function isAdapter(name: 'http' | 'fetch', adapter: unknown): boolean {
  try {
    return axios.getAdapter(adapter as AdapterOption) === axios.getAdapter(name);
  } catch {
    // One of the two does not exist here.
    return false;
  }
}

/**
 * isPlainDispatcher tells whether the dispatcher of a `fetch` connects directly. A dispatcher that is not plainly an undici
 * `Agent`, with the `dispatch` of that class and without a `factory` or `connect` of its own, could be a proxy.
 */
export function isPlainDispatcher({ fetchOptions }: Pick<AxiosRequestConfig, 'fetchOptions'>): boolean {
  const own: unknown = asRecord(fetchOptions)['dispatcher'];
  return own ? isPlainAgent(own) : globalDispatchers().every(isPlainAgent);
}

function isPlainAgent(dispatcher: unknown): boolean {
  const agent = Object.getPrototypeOf(dispatcher) as {
    dispatch?: unknown;
    constructor?: { name?: string };
  } | null;
  const base = agent && (Object.getPrototypeOf(agent) as typeof agent);
  return (
    agent?.constructor?.name === 'Agent' &&
    base?.constructor?.name === 'DispatcherBase' &&
    (dispatcher as { dispatch?: unknown }).dispatch === agent.dispatch &&
    (internal(dispatcher as object, 'factory') as { name?: string } | undefined)?.name === 'defaultFactory' &&
    typeof asRecord(internal(dispatcher as object, 'options'))['connect'] !== 'function'
  );
}

/** undici keeps its state under symbols. */
function internal(holder: object, description: string): unknown {
  const symbol = Object.getOwnPropertySymbols(holder).find((each) => each.description === description);
  return symbol && asRecord(holder)[symbol];
}

/** Either may be the one that fetch uses. Since undici 8 the first may only hand over to the second. */
function globalDispatchers(): unknown[] {
  const [first, second] = ['1', '2'].map((version): unknown =>
    Reflect.get(globalThis, Symbol.for(`undici.globalDispatcher.${version}`)),
  );
  const handsOver = second && asRecord(first).constructor.name === 'Dispatcher1Wrapper';
  return [handsOver ? undefined : first, second].filter(Boolean);
}
