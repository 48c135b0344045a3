import { readAuthorization, shallowCopy, takeAuthorization } from './headers';
import { isObject } from './json';

/** Through any of these a Node response leads to the request it answers, header and all. */
const WAYS_TO_THE_REQUEST = ['req', 'socket', 'client'];

/** And through these an agent leads to all that it has under way; it works as before, but is not searched. */
const WAYS_TO_OTHER_REQUESTS = ['sockets', 'freeSockets', 'requests'];

/** Errors wrap errors, but not endlessly. */
const MAX_CAUSES = 5;

/**
 * redactError takes the token out of what callers will log: the error's config becomes a copy without the header (the
 * original belongs to others too, and a placeholder would be sent by plugins that retry), and the raw request is no
 * longer enumerable. Errors of requests that carried no token of ours stay as they are. Gives the error back, to throw.
 */
export function redactError(error: unknown, holdsToken: (authorization: unknown) => boolean): Error {
  let at = error;
  for (let depth = 0; isObject(at) && depth <= MAX_CAUSES; depth += 1) {
    redactOne(at, holdsToken);
    at = at['cause'];
  }
  return error as Error;
}

function redactOne(error: Record<string, unknown>, holdsToken: (authorization: unknown) => boolean): void {
  const config: unknown = error['config'];
  const response: unknown = error['response'];
  const carrier = isObject(config) ? config : isObject(response) ? response['config'] : undefined;
  if (!isObject(carrier) || !holdsToken(readAuthorization(carrier['headers']))) return;

  const redacted = withoutToken(carrier);
  if (isObject(config)) Reflect.set(error, 'config', redacted);
  hide(error, 'request');
  if (!isObject(response)) return;
  Reflect.set(response, 'config', redacted);
  hide(response, 'request');
  const data: unknown = response['data'];
  for (const way of WAYS_TO_THE_REQUEST) hide(data, way);
}

function withoutToken(config: Record<string, unknown>): Record<string, unknown> {
  const copy = shallowCopy(config);
  const headers = shallowCopy(config['headers'] as object);
  takeAuthorization(headers);
  copy['headers'] = headers;
  for (const agent of [config['httpAgent'], config['httpsAgent']]) {
    for (const way of WAYS_TO_OTHER_REQUESTS) hide(agent, way);
  }
  return copy;
}

function hide(holder: unknown, key: string): void {
  if (!isObject(holder) || !Object.hasOwn(holder, key)) return;
  Reflect.defineProperty(holder, key, {
    value: holder[key],
    enumerable: false,
    writable: true,
    configurable: true,
  });
}
