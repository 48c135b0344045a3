import axios, { type AxiosRequestConfig, type InternalAxiosRequestConfig } from 'axios';

import { throwIfEnded, watchBody } from './body';

/** axios's legacy cancel token, as far as it is needed here. */
interface CancelTokenLike {
  subscribe(listener: (reason: unknown) => void): void;
  unsubscribe(listener: (reason: unknown) => void): void;
  throwIfRequested(): void;
}

type Waiter = Pick<
  AxiosRequestConfig,
  'data' | 'signal' | 'timeout' | 'timeoutErrorMessage' | 'transitional'
> & {
  cancelToken?: CancelTokenLike | undefined;
};

/** A longer timer would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * waitFor lets one request wait for what many share. Its `signal`, `cancelToken` or `timeout` (milliseconds), or the end of its
 * body, rejects that request at once with the errors that axios itself would use. The other waiters are left alone. `obtain`
 * gets a function that tells whether this request still waits.
 */
export function waitFor<T>(obtain: (isWaiting: () => boolean) => Promise<T>, waiter: Waiter): Promise<T> {
  const { signal, cancelToken } = waiter;
  const timeoutMs = waiter.timeout ?? 0;

  return new Promise<T>((resolve, reject) => {
    let isWaiting = true;
    let timer: NodeJS.Timeout | undefined;
    let stopWatching = (): void => undefined;
    const leave = (): void => {
      isWaiting = false;
      clearTimeout(timer);
      stopWatching();
      signal?.removeEventListener?.('abort', onAbort);
      cancelToken?.unsubscribe(onCancel);
    };
    const fail = (error: unknown): void => {
      leave();
      // The reason of a cancel token is the caller's own error and is passed on as it is.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      reject(error);
    };
    const onAbort = (): void => fail(new axios.CanceledError(undefined, asConfig(waiter)));
    const onCancel = (reason: unknown): void => fail(reason);

    obtain(() => isWaiting).then((value) => {
      leave();
      resolve(value);
    }, fail);
    try {
      throwIfCancelled(waiter);
      throwIfEnded(waiter);
    } catch (error) {
      fail(error);
      return;
    }
    stopWatching = watchBody(waiter, fail);
    if (timeoutMs > 0) {
      timer = setTimeout(() => fail(timeoutError(waiter, timeoutMs)), Math.min(timeoutMs, MAX_TIMER_MS));
    }
    signal?.addEventListener?.('abort', onAbort);
    cancelToken?.subscribe(onCancel);
  });
}

/** throwIfCancelled throws what axios itself would throw before it sends a request that was cancelled. */
export function throwIfCancelled(waiter: Waiter): void {
  waiter.cancelToken?.throwIfRequested();
  if (waiter.signal?.aborted) throw new axios.CanceledError(undefined, asConfig(waiter));
}

function timeoutError(waiter: Waiter, timeoutMs: number): Error {
  return new axios.AxiosError(
    waiter.timeoutErrorMessage || `timeout of ${timeoutMs}ms exceeded`,
    waiter.transitional?.clarifyTimeoutError ? 'ETIMEDOUT' : 'ECONNABORTED',
    asConfig(waiter),
  );
}

/** A request's waiter is its config; the handle's `getToken` waits with a signal alone. */
function asConfig(waiter: Waiter): InternalAxiosRequestConfig | undefined {
  return 'headers' in waiter ? (waiter as InternalAxiosRequestConfig) : undefined;
}
