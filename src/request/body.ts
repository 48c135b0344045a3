import type { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';

import axios, { type InternalAxiosRequestConfig } from 'axios';

import { asRecord } from '../values';

const noop = (): void => undefined;

const has = (value: unknown, method: PropertyKey): boolean => typeof asRecord(value)[method] === 'function';

/** isNodeStream tells a stream of Node, or of a library in its style such as `form-data`. */
export function isNodeStream(value: unknown): value is EventEmitter & Partial<Readable> {
  return has(value, 'pipe') && has(value, 'on');
}

/**
 * canReplay tells whether a request's body can be sent a second time. Streams, `form-data` and iterables have been read by
 * the first attempt: sent again, they would arrive empty or never end.
 */
export function canReplay(body: unknown): boolean {
  return !has(body, 'pipe') && !has(body, 'getReader') && !has(body, Symbol.asyncIterator);
}

type Config = Pick<InternalAxiosRequestConfig, 'data'>;

/**
 * throwIfEnded throws if the body of a request has failed or ended early, with the error that axios would reject with if it
 * had begun to send.
 */
export function throwIfEnded(config: Config): void {
  const body: unknown = config.data;
  if (!isNodeStream(body)) return;
  if (body.errored) throw failedBody(body.errored, config);
  if (body.destroyed) throw closedBody(config);
}

/** watchBody calls `onEnd` with that error as soon as it happens. Returns the function that stops watching. */
export function watchBody(config: Config, onEnd: (error: Error) => void): () => void {
  const body: unknown = config.data;
  if (!isNodeStream(body)) return noop;
  const onError = (error: Error): void => onEnd(failedBody(error, config));
  const onClose = (): void => onEnd(closedBody(config));
  // Without a listener, an error would end the process, also in the moment before axios listens.
  body.on('error', noop);
  body.on('error', onError);
  body.on('close', onClose);
  return () => {
    body.off('error', onError);
    body.off('close', onClose);
  };
}

const failedBody = (error: Error, config: Config): Error =>
  axios.AxiosError.from(error, undefined, config as InternalAxiosRequestConfig);

const closedBody = (config: Config): Error =>
  new axios.CanceledError('Request stream has been aborted', config as InternalAxiosRequestConfig);

/**
 * disposeBody lets go of a response that nobody will read. An unread stream would hold its socket, and with an agent of one
 * socket the token request would wait for it forever.
 */
export function disposeBody(response: { data?: unknown; request?: unknown }): void {
  const { data, request } = response;
  if (has(data, 'pipe') && has(data, 'destroy')) {
    const stream = data as Readable;
    stream.on('error', noop);
    stream.destroy();
    if (has(request, 'destroy')) (request as Readable).destroy();
  } else if (has(data, 'getReader')) {
    (data as ReadableStream).cancel().catch(noop);
  }
}
