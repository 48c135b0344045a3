import axios, { type AxiosResponseHeaders, type InternalAxiosRequestConfig } from 'axios';

import { asRecord, defineOwn } from '../values';

const AUTHORIZATION = 'authorization';

/** readResponseHeader reads what an adapter returned as headers: an object with `get`, of any copy of axios, or a record. */
export function readResponseHeader(headers: object, name: string): unknown {
  if ('get' in headers && typeof headers.get === 'function') {
    return (headers as { get(name: string): unknown }).get(name) ?? undefined;
  }
  return new axios.AxiosHeaders(headers as AxiosResponseHeaders).get(name);
}

/** readAuthorization looks in anything that a caller may have set as headers, in every spelling. */
export function readAuthorization(headers: unknown): unknown {
  const record = asRecord(headers);
  const found = Object.keys(record).find(isAuthorization);
  return found && record[found];
}

/**
 * takeAuthorization deletes the header in every spelling and returns its value. A header that is hidden counts as absent:
 * nobody would have sent it.
 */
export function takeAuthorization(headers: object): unknown {
  let taken: unknown;
  for (const key of Object.keys(headers)) {
    if (!isAuthorization(key)) continue;
    taken ??= Reflect.get(headers, key);
    Reflect.deleteProperty(headers, key);
  }
  return taken;
}

/** isAuthorization tells the header's name in every spelling. */
export const isAuthorization = (key: string): boolean =>
  key.length === AUTHORIZATION.length && key.toLowerCase() === AUTHORIZATION;

/** copyOf copies headers of any copy of axios. What is hidden in them is left out. */
export function copyOf<T extends object>(headers: T): T {
  return Object.assign(Object.create(prototypeOf(headers)) as T, headers);
}

/** Hider hides a header that is spelled like `name`. It returns `false` if somebody has frozen the headers. */
export type Hider = (headers: object, name: string) => boolean;

/** The prototypes that hold a hidden header. */
const hiding = new WeakSet<object>();

/**
 * createHider makes a function that moves the header from its headers to a prototype. There it can still be read, but what prints
 * or copies the headers passes over it. The `%o` of `console.log` shows prototypes too, but calls no accessor.
 *
 * To make the property itself not enumerable would cost V8 several times as much, and whoever assigned it anew would not get it
 * sent.
 */
export function createHider(authorization: unknown): Hider {
  /** Nearly all headers have one class. */
  let last: { base: object | null; prototype: object } | undefined;
  return (headers, name) => {
    if (!Reflect.deleteProperty(headers, name)) return false;
    const base = prototypeOf(headers);
    if (last?.base !== base) {
      // With another prototype, axios does not see a plain object and drops all these headers when the config is sent again.
      if (isRoot(base)) return defineAuthorization(headers, { name, get: () => authorization });
      const prototype = Object.create(base) as object;
      defineAuthorization(prototype, { get: () => authorization });
      hiding.add(prototype);
      last = { base, prototype };
    }
    return Reflect.setPrototypeOf(headers, last.prototype);
  };
}

interface HeaderAccess {
  /** Default: `Authorization`. */
  readonly name?: string;
  readonly get: () => unknown;
  readonly enumerable?: boolean;
  /** To assign a value other than this one makes the accessor an ordinary header again. */
  readonly kept?: string;
}

/** defineAuthorization makes the header an accessor. */
export function defineAuthorization(holder: object, access: HeaderAccess): boolean {
  const { name = 'Authorization', get, enumerable = false, kept } = access;
  return defineOwn(holder, name, {
    get,
    set(this: object, value: unknown) {
      if (kept !== undefined && value === kept) return;
      defineOwn(this, name, { value, enumerable: true, configurable: true, writable: true });
    },
    enumerable,
    configurable: true,
  });
}

/** Tells `Object.prototype`, of every realm. */
function isRoot(prototype: object | null): boolean {
  return prototype !== null && Object.getPrototypeOf(prototype) === null;
}

/** The prototype of headers, whether one of them is hidden or not. */
function prototypeOf(headers: object): object | null {
  const prototype = Object.getPrototypeOf(headers) as object | null;
  return prototype && hiding.has(prototype) ? (Object.getPrototypeOf(prototype) as object | null) : prototype;
}

/**
 * adoptHeaders makes the headers of a config readable for this package's copy of axios, whichever copy made them. Older
 * versions find nothing in the headers of another copy. So the function that it returns gives the config its own object back,
 * with what the adapter has changed.
 */
export function adoptHeaders(config: InternalAxiosRequestConfig): () => void {
  const { headers } = config;
  if (headers instanceof axios.AxiosHeaders) return () => undefined;
  // Version 1.0 holds the defaults apart: only its `toJSON` has them.
  const { toJSON } = headers as { toJSON?: () => object };
  const adopted = new axios.AxiosHeaders(Object.assign({}, toJSON?.call(headers), headers));
  const before: Record<string, unknown> = Object.assign({}, adopted);
  config.headers = adopted;
  return () => {
    if (config.headers !== adopted) return;
    // Nothing here may throw, because somebody may have frozen either of them. The answer counts.
    for (const name of Object.keys(before)) if (!(name in adopted)) Reflect.deleteProperty(headers, name);
    for (const [name, value] of Object.entries(adopted)) {
      if (value !== before[name]) Reflect.set(headers, name, value);
    }
    Reflect.set(config, 'headers', headers);
  };
}
