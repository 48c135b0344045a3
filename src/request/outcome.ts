import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';

import { readResponseHeader } from '../axios/headers';
import type { BipsyncAuthError } from '../errors';
import { asRecord, defineOwn, isObject } from '../values';

/** What became of a request: a response, or an error that may hold one. */
export type Outcome = { response: AxiosResponse } | { response: AxiosResponse | undefined; error: unknown };

export type Send = (config: InternalAxiosRequestConfig) => Promise<AxiosResponse>;

/** failed returns the outcome of a request that was rejected with `error`. */
export function failed(error: unknown): Outcome {
  const { response } = asRecord(error);
  return { response: isObject(response) ? (response as unknown as AxiosResponse) : undefined, error };
}

/**
 * statusOf returns the HTTP status of an outcome. If a body was cut off, stalled or too long, the http adapter's error has no
 * response, but its request still has the status. A cancelled request has none.
 */
export function statusOf(outcome: Outcome): number | undefined {
  return outcome.response?.status ?? (asRecord(unreadOf(outcome))['statusCode'] as number | undefined);
}

/** headerOf reads a header of the answer, if there was one. */
export function headerOf(outcome: Outcome, name: string): unknown {
  const { headers } = outcome.response ?? asRecord(unreadOf(outcome));
  return isObject(headers) ? readResponseHeader(headers, name) : undefined;
}

/** requestOf returns the raw request behind an outcome; only the http adapter has one. */
export function requestOf(outcome: Outcome): unknown {
  return outcome.response?.request ?? ('error' in outcome ? asRecord(outcome.error)['request'] : undefined);
}

/** The http adapter's message whose body could not be read. */
function unreadOf(outcome: Outcome): unknown {
  if (!('error' in outcome) || asRecord(outcome.error)['__CANCEL__']) return undefined;
  const request = asRecord(asRecord(outcome.error)['request']);
  return request['res'] ?? asRecord(request['_currentRequest'])['res'];
}

/** surface hands an outcome to the caller: it returns the response or throws the error, with `cause` if there is one. */
export function surface(outcome: Outcome, cause?: BipsyncAuthError): AxiosResponse {
  if (!('error' in outcome)) return outcome.response;
  const { error } = outcome;
  if (cause && isObject(error)) {
    defineOwn(error, 'cause', { value: cause, enumerable: false, writable: true, configurable: true });
  }
  throw error;
}
