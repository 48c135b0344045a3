import type { InternalAxiosRequestConfig } from 'axios';

import { shallowCopy } from './headers';

const noop = (): void => undefined;

const has = (value: object, method: string | symbol): boolean =>
  typeof Reflect.get(value, method) === 'function';

/**
 * canReplay tells whether a request's body can be sent a second time. Streams, `form-data` and iterables have been read
 * by the first attempt: sent again they would arrive empty, or never end.
 */
export function canReplay(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return true;
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
  if (typeof data !== 'object' || data === null) return;
  if (has(data, 'pipe') && has(data, 'destroy')) {
    const stream = data as NodeJS.ReadableStream & { destroy(): void };
    stream.on('error', noop);
    stream.destroy();
    if (isDestroyable(request)) request.destroy();
  } else if (has(data, 'getReader')) {
    (data as ReadableStream).cancel().catch(noop);
  }
}

function isDestroyable(value: unknown): value is { destroy(): void } {
  return typeof value === 'object' && value !== null && has(value, 'destroy');
}
