import { errorMonitor } from 'node:events';
import { Readable } from 'node:stream';

import { readAuthorization, shallowCopy, takeAuthorization } from '../axios/headers';
import { asRecord, isObject } from '../values';

/** Through any of these a Node response leads to the request it answers, header and all. */
const WAYS_TO_THE_REQUEST = ['req', 'socket', 'client'];

/** Through these an agent leads to all that it has under way, token requests too; it works as before. */
const WAYS_TO_OTHER_REQUESTS = ['sockets', 'freeSockets', 'requests'];

/** Through these a stream leads to what it is read by. */
const WAYS_OF_A_STREAM = ['pipes', 'awaitDrainWriters'];

/** Errors wrap errors, but not endlessly. */
const MAX_CAUSES = 5;

/**
 * redactError takes the token out of what callers will log: the error's config becomes a copy without the header (the
 * original belongs to others too, and a placeholder would be sent by plugins that retry), and the raw request is no
 * longer enumerable. An error of a request that carried no token of ours stays as it is, but for what its agents have
 * under way. Gives the error back, to throw.
 */
export function redactError(error: unknown, holdsToken: (authorization: unknown) => boolean): Error {
  let at = error;
  for (let depth = 0; isObject(at) && depth <= MAX_CAUSES; depth += 1) {
    redactOne(at, holdsToken);
    at = at['cause'];
  }
  return error as Error;
}

/** redactErrorsOf does the same for the errors that a streamed body meets later; to handle them is the caller's. */
export function redactErrorsOf(body: unknown, holdsToken: (authorization: unknown) => boolean): void {
  if (body instanceof Readable) body.on(errorMonitor, (error) => void redactError(error, holdsToken));
}

function redactOne(error: Record<string, unknown>, holdsToken: (authorization: unknown) => boolean): void {
  const { config } = error;
  const response = isObject(error['response']) ? error['response'] : undefined;
  const carriers = [config, response?.['config']].filter(isObject);
  for (const { httpAgent, httpsAgent } of carriers) {
    for (const way of WAYS_TO_OTHER_REQUESTS) [httpAgent, httpsAgent].forEach((agent) => hide(agent, way));
  }
  if (!carriers.some(({ headers }) => holdsToken(readAuthorization(headers)))) return;

  const redacted = new Map(carriers.map((carrier) => [carrier, withoutToken(carrier)]));
  for (const holder of [error, response]) {
    const carrier = holder?.['config'];
    if (holder && isObject(carrier)) Reflect.set(holder, 'config', redacted.get(carrier));
    hide(holder, 'request');
  }
  const data: unknown = response?.['data'];
  redactErrorsOf(data, holdsToken);
  for (const way of WAYS_TO_THE_REQUEST) hide(data, way);
}

function withoutToken(config: Record<PropertyKey, unknown>): Record<PropertyKey, unknown> {
  const copy = shallowCopy(config);
  if (isObject(config['headers'])) {
    const headers = shallowCopy(config['headers']);
    takeAuthorization(headers);
    copy['headers'] = headers;
  }
  // A stream that is sent leads to where it goes.
  const state = asRecord(config['data'])['_readableState'];
  for (const way of WAYS_OF_A_STREAM) hide(state, way);
  return copy;
}

function hide(holder: unknown, key: string): void {
  if (!isObject(holder) || !Object.prototype.propertyIsEnumerable.call(holder, key)) return;
  let value = holder[key];
  // An accessor is not followed even by what shows all that is hidden, such as the %o of console.log.
  Reflect.defineProperty(holder, key, {
    get: () => value,
    set: (next: unknown) => (value = next),
    enumerable: false,
    configurable: true,
  });
}
