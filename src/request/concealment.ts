import { errorMonitor } from 'node:events';
import { inspect } from 'node:util';

import { asRecord, isObject } from '../values';
import { isNodeStream } from './body';

// The rule: once the adapter has answered, nothing that a caller prints holds a token. The header stays where it is, but it is
// not enumerable, so that printing and copying pass over it. Raw requests, agents and streams lead to connections, and so to
// the headers of other requests: they print as a name.

/** How much is hidden: on errors also from `%o` and `showHidden`, on successes not, because that costs too much. */
export type Thoroughness = 'quick' | 'thorough';

/** concealConfig hides the token of a request that has its answer. */
export function concealConfig(config: unknown, authorization: string, how: Thoroughness): void {
  const { headers } = asRecord(config);
  if (!isObject(headers)) return;
  if (headers['Authorization'] === authorization) hide(headers, 'Authorization', how);
}

/** concealRoutes makes what a config leads to print as a name. It is called before a request is sent. */
export function concealRoutes(config: object): void {
  const { httpAgent, httpsAgent, fetchOptions } = asRecord(config);
  if (httpAgent !== undefined) printAsName(httpAgent);
  if (httpsAgent !== undefined) printAsName(httpsAgent);
  if (fetchOptions !== undefined) printAsName(asRecord(fetchOptions)['dispatcher']);
}

/** HoldsToken tells whether an `Authorization` header is one of this installation's. */
export type HoldsToken = (authorization: unknown) => boolean;

/** concealResponse hides the raw request behind a response. */
export function concealResponse(response: unknown, how: Thoroughness, holdsToken: HoldsToken): void {
  if (!isObject(response)) return;
  concealRequest(response, how);
  concealStream(asRecord(response['config'])['data']);
  const { data } = response;
  if (!isNodeStream(data)) return;
  concealStream(data);
  // A streamed body may fail later. To handle its errors stays the caller's business.
  data.on(errorMonitor, (error: unknown) => void concealError(error, holdsToken));
}

/** concealError does the same for an error and for everything that it wraps. Returns the same error. */
export function concealError(error: unknown, holdsToken: HoldsToken): unknown {
  const found = new Set<unknown>([error]);
  for (const at of found) {
    if (!isObject(at) || found.size > MAX_WRAPPED) continue;
    const { config, response, cause, errors, originalError } = at;
    concealRequest(at, 'thorough');
    concealResponse(response, 'thorough', holdsToken);
    for (const holder of [config, asRecord(response)['config']]) {
      if (!isObject(holder)) continue;
      concealRoutes(holder);
      concealStream(holder['data']);
      const authorization = asRecord(holder['headers'])['Authorization'];
      if (typeof authorization === 'string' && holdsToken(authorization)) {
        concealConfig(holder, authorization, 'thorough');
      }
    }
    const wrappedErrors: unknown[] = Array.isArray(errors) ? errors : [];
    for (const wrapped of [cause, originalError, ...wrappedErrors]) {
      if (isObject(wrapped)) found.add(wrapped);
    }
  }
  return error;
}

/** Errors wrap errors, but not endlessly. */
const MAX_WRAPPED = 50;

function concealRequest(holder: Record<PropertyKey, unknown>, how: Thoroughness): void {
  const { request } = holder;
  // A plain object was made up by a mock or an adapter of the caller's own. It leads to no connection.
  const isRaw = isObject(request) && Object.getPrototypeOf(request) !== Object.prototype;
  if (isRaw) printAsName(request);
  if (isRaw || (how === 'thorough' && request !== undefined)) hide(holder, 'request', how);
}

/** A stream may lead to the request that it is the body of, or that it answers. */
function concealStream(body: unknown): void {
  if (isNodeStream(body)) printAsName(body);
}

/** printAsName makes an object print as its class's name, and leaves it as it is otherwise. */
function printAsName(value: unknown): void {
  if (!isObject(value) || Object.hasOwn(value, inspect.custom)) return;
  Reflect.defineProperty(value, inspect.custom, NAME);
  Reflect.defineProperty(value, 'toJSON', NAME);
}

const NAME = {
  value(this: object): string {
    return `[${this.constructor.name}]`;
  },
  enumerable: false,
  configurable: true,
  writable: true,
};

const HIDDEN = { enumerable: false };

function hide(holder: Record<PropertyKey, unknown>, key: string, how: Thoroughness): void {
  if (how === 'quick') {
    Reflect.defineProperty(holder, key, HIDDEN);
    return;
  }
  const property = Object.getOwnPropertyDescriptor(holder, key);
  if (property && 'get' in property) return;
  let present: unknown = property?.value;
  // Not even what shows hidden properties, such as the %o of console.log, follows an accessor.
  Reflect.defineProperty(holder, key, {
    get: () => present,
    set: (next: unknown) => (present = next),
    enumerable: false,
    configurable: true,
  });
}
