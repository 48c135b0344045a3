import axios, { type AxiosResponseHeaders, type InternalAxiosRequestConfig } from 'axios';

import { asRecord } from '../values';

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

const isAuthorization = (key: string): boolean =>
  key.length === AUTHORIZATION.length && key.toLowerCase() === AUTHORIZATION;

/** copyOf copies headers of any copy of axios. What is hidden in them is left out. */
export function copyOf<T extends object>(headers: T): T {
  return Object.assign(Object.create(Object.getPrototypeOf(headers) as object | null) as T, headers);
}

/**
 * adoptHeaders makes the headers of a config readable for this package's copy of axios, whichever copy made them. Older
 * versions find nothing in the headers of another copy.
 */
export function adoptHeaders(config: InternalAxiosRequestConfig): void {
  const { headers } = config;
  if (headers instanceof axios.AxiosHeaders) return;
  // Version 1.0 holds the defaults apart: only its `toJSON` has them.
  const { toJSON } = headers as { toJSON?: () => object };
  config.headers = new axios.AxiosHeaders(Object.assign({}, toJSON?.call(headers), headers));
}
