import type { Readable } from 'node:stream';

import type { InternalAxiosRequestConfig } from 'axios';

import { shallowCopy } from '../axios/headers';
import { asRecord } from '../values';

const noop = (): void => undefined;

const has = (value: unknown, method: PropertyKey): boolean => typeof asRecord(value)[method] === 'function';

/**
 * canReplay tells whether a request's body can be sent a second time. Streams, `form-data` and iterables have been read
 * by the first attempt: sent again they would arrive empty, or never end.
 */
export function canReplay(body: unknown): boolean {
  return !has(body, 'pipe') && !has(body, 'getReader') && !has(body, Symbol.asyncIterator);
}

/** replayOf copies a request for its second attempt, so that whoever kept the first one sees it unchanged. */
export function replayOf(config: InternalAxiosRequestConfig): InternalAxiosRequestConfig {
  const replay = shallowCopy(config);
  replay.headers = shallowCopy(config.headers);
  return replay;
}

/**
 * disposeBody lets go of a response that nobody will read. Unread, a streamed body would hold its socket, and with an
 * agent of one socket the token request would wait for it forever.
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
