import { errorMonitor } from 'node:events';
import { Readable } from 'node:stream';

import { readAuthorization, shallowCopy, takeAuthorization } from './headers';
import { asRecord, isObject } from './json';

/** Through any of these a Node response leads to the request it answers, header and all. */
const WAYS_TO_THE_REQUEST = ['req', 'socket', 'client'];

/** Through these an agent leads to all that it has under way, token requests too; it works as before. */
const WAYS_TO_OTHER_REQUESTS = ['sockets', 'freeSockets', 'requests'];

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
  const config: unknown = error['config'];
  const response: unknown = error['response'];
  const carrier = isObject(config) ? config : isObject(response) ? response['config'] : undefined;
  if (!isObject(carrier)) return;
  for (const agent of [carrier['httpAgent'], carrier['httpsAgent']]) {
    for (const way of WAYS_TO_OTHER_REQUESTS) hide(agent, way);
  }
  if (!holdsToken(readAuthorization(carrier['headers']))) return;

  const redacted = withoutToken(carrier);
  if (isObject(config)) Reflect.set(error, 'config', redacted);
  hide(error, 'request');
  if (!isObject(response)) return;
  Reflect.set(response, 'config', redacted);
  hide(response, 'request');
  const data: unknown = response['data'];
  redactErrorsOf(data, holdsToken);
  for (const way of WAYS_TO_THE_REQUEST) hide(data, way);
}

function withoutToken(config: Record<string, unknown>): Record<string, unknown> {
  const copy = shallowCopy(config);
  const headers = shallowCopy(config['headers'] as object);
  takeAuthorization(headers);
  copy['headers'] = headers;
  // A stream that is sent leads to where it goes.
  hide(asRecord(config['data'])['_readableState'], 'pipes');
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
