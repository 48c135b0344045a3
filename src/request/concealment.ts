import { errorMonitor } from 'node:events';
import { inspect } from 'node:util';

import { copyOf, createHider, type Hider, isAuthorization, takeAuthorization } from '../axios/headers';
import { asRecord, defineOwn, isObject, ownRecord } from '../values';
import { isNodeStream } from './body';

// The rule: once the adapter has answered, nothing that a caller prints holds a token. The header moves to a
// prototype, so that printing and copying pass over it. Raw requests, agents and streams lead to connections, and so to
// the headers of other requests: they print as a name.

/** How much is hidden: on errors also from `%o` and `showHidden`, on successes not, because that costs too much. */
type Thoroughness = 'quick' | 'thorough';

/** HoldsToken tells whether an `Authorization` header is one of this installation's. */
type HoldsToken = (authorization: unknown) => boolean;

/** Hides the tokens that it has met before without making a {@link Hider} for each request. */
type ConcealConfig = (config: unknown, token: { readonly authorization: string }) => void;

/** createConcealConfig makes the function that hides the token of a request that has its answer. */
export function createConcealConfig(): ConcealConfig {
  const hiders = new WeakMap<object, Hider>();
  return (config, token) => {
    const { headers } = asRecord(config);
    if (!isObject(headers)) return;
    const { authorization } = token;
    let hide = hiders.get(token);
    if (!hide) hiders.set(token, (hide = createHider(authorization)));
    if (headers['Authorization'] === authorization && hide(headers, 'Authorization')) return;
    concealHeaders(config, (value) => value === authorization);
  };
}

/** concealRoutes makes what a config leads to print as a name. It is called before a request is sent. */
export function concealRoutes(config: object): void {
  const { httpAgent, httpsAgent, fetchOptions } = asRecord(config);
  if (httpAgent !== undefined) concealRoute(httpAgent);
  if (httpsAgent !== undefined) concealRoute(httpsAgent);
  if (fetchOptions !== undefined) concealRoute(asRecord(fetchOptions)['dispatcher']);
}

/** concealResponse hides the raw request behind a response. */
export function concealResponse(response: unknown, how: Thoroughness, holdsToken: HoldsToken): void {
  if (!isObject(response)) return;
  concealRequest(response, how);
  const { config } = response;
  if (isObject(config)) concealStream(config['data']);
  const { data } = response;
  if (!isObject(data) || !isNodeStream(data)) return;
  concealStream(data);
  // A streamed body may fail later. To handle its errors stays the caller's business.
  data.on(errorMonitor, (error: unknown) => void concealError(error, holdsToken));
}

/** concealError does the same for an error and for everything that can be reached from it. Returns the same error. */
export function concealError(error: unknown, holdsToken: HoldsToken): unknown {
  const found = new Set<unknown>([error]);
  for (const at of found) {
    if (!isObject(at)) continue;
    if (isMessage(at)) {
      concealContents(at);
      continue;
    }
    concealRequest(at, 'thorough');
    concealRoutes(at);
    concealHeaders(at, holdsToken);
    if (!Array.isArray(at)) hideAuthorization(at, ({ value }) => holdsToken(value));
    concealResponse(at['response'], 'thorough', holdsToken);
    concealStream(at['data']);
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      // What a server sent is the caller's, as it is.
      if (name !== 'data' && isWorthAVisit(value) && found.size < MAX_VISITS) found.add(value);
    }
  }
  return error;
}

/** Errors wrap errors in many ways, but not endlessly. */
const MAX_VISITS = 200;

/** What prints as a name leads nowhere, and neither do bytes. */
function isWorthAVisit(value: unknown): boolean {
  return isObject(value) && !ArrayBuffer.isView(value) && !Object.hasOwn(value, inspect.custom);
}

function concealRequest(holder: Record<PropertyKey, unknown>, how: Thoroughness): void {
  const { request, config } = holder;
  if (!isObject(request) || !Object.hasOwn(holder, 'request')) return;
  // A plain object was made up by a mock or an adapter of the caller's own. It leads to no connection.
  const isRaw = Object.getPrototypeOf(request) !== Object.prototype;
  if (isRaw) (how === 'quick' ? concealSentHeaders : concealContents)(request);
  if (isRaw || (isObject(config) && Object.keys(request).length > 0)) hideRequest(holder, how);
}

/** Of a success only the headers are hidden. To hide all that a request holds would cost more than the request itself. */
function concealSentHeaders(request: Record<PropertyKey, unknown>): void {
  printAsName(request);
  outHeaders ??= Object.getOwnPropertySymbols(request).find(
    ({ description }) => description === 'kOutHeaders',
  );
  for (const key of ['_header', outHeaders]) {
    if (key !== undefined && Object.hasOwn(request, key)) Reflect.defineProperty(request, key, HIDDEN);
  }
}

/** Node's name for the headers of a request. It is the same for all requests. */
let outHeaders: symbol | undefined;

/**
 * Tells a request, a response or a connection that a client of Node's http made: each leads to the headers of others. What a
 * server of the caller's has received is left alone.
 */
function isMessage(value: Record<PropertyKey, unknown>): boolean {
  const has = (...names: string[]): boolean => names.every((name) => name in value);
  const isConnection = has('_httpMessage') && !value['server'];
  return isNodeStream(value) && (has('_header', 'agent') || has('httpVersion', 'req') || isConnection);
}

/** A stream may lead to the request that it is the body of, or that it answers. */
function concealStream(body: unknown): void {
  if (isObject(body) && isNodeStream(body)) concealContents(body);
}

/** An adapter may have written the header in another spelling, and somebody may have frozen the headers. */
function concealHeaders(config: unknown, holdsToken: HoldsToken): void {
  const { headers } = asRecord(config);
  if (!isObject(headers)) return;
  const isOurs = (property: PropertyDescriptor): boolean =>
    Object.hasOwn(property, 'get') || holdsToken(property.value);
  if (hideAuthorization(headers, isOurs)) return;
  const copy = copyOf(headers);
  takeAuthorization(copy);
  Reflect.set(config as object, 'headers', copy);
}

/** Returns `false` if the header is there and cannot be hidden. */
function hideAuthorization(
  headers: Record<PropertyKey, unknown>,
  isOurs: (property: PropertyDescriptor) => boolean,
): boolean {
  return Object.getOwnPropertyNames(headers)
    .filter(isAuthorization)
    .filter((name) => isOurs(Object.getOwnPropertyDescriptor(headers, name) ?? {}))
    .every((name) => createHider(headers[name])(headers, name));
}

/** concealRoute hides what leads to connections. Agents and dispatchers pass here again and again. */
function concealRoute(route: unknown): void {
  if (isObject(route) && !Object.hasOwn(route, inspect.custom)) concealContents(route);
}

/**
 * concealContents makes an object print as a name. What it holds is made not enumerable, because `console.dir`, `assert` and
 * Node's own report of an uncaught error do not ask an object how it prints.
 */
function concealContents(value: Record<PropertyKey, unknown>): void {
  printAsName(value);
  for (const key of Reflect.ownKeys(value)) Reflect.defineProperty(value, key, HIDDEN);
}

function printAsName(value: Record<PropertyKey, unknown>): void {
  Reflect.defineProperty(value, inspect.custom, NAME);
  Reflect.defineProperty(value, 'toJSON', NAME);
}

const NAME: PropertyDescriptor = ownRecord({
  value(this: object): string {
    return `[${(this as { constructor?: { name?: string } }).constructor?.name ?? 'Object'}]`;
  },
  enumerable: false,
  configurable: true,
  writable: true,
});

const HIDDEN: PropertyDescriptor = ownRecord({ enumerable: false });

function hideRequest(holder: Record<PropertyKey, unknown>, how: Thoroughness): void {
  const property = Object.getOwnPropertyDescriptor(holder, 'request') ?? {};
  if (how === 'quick' || Object.hasOwn(property, 'get')) {
    Reflect.defineProperty(holder, 'request', HIDDEN);
    return;
  }
  let present: unknown = property.value;
  // What shows hidden properties, such as the %o of console.log, shows their values, but calls no accessor.
  defineOwn(holder, 'request', {
    get: () => present,
    set: (next: unknown) => (present = next),
    enumerable: false,
    configurable: true,
  });
}
