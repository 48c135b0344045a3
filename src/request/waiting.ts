import axios, { type AxiosRequestConfig, type InternalAxiosRequestConfig } from 'axios';

/** axios's legacy cancel token, as far as it is needed here. */
interface CancelTokenLike {
  subscribe(listener: (reason: unknown) => void): void;
  unsubscribe(listener: (reason: unknown) => void): void;
  throwIfRequested(): void;
}

type Waiter = Pick<AxiosRequestConfig, 'signal' | 'timeout' | 'timeoutErrorMessage' | 'transitional'> & {
  cancelToken?: CancelTokenLike | undefined;
};

/** A longer timer would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * waitFor lets one request wait for a promise that many share. Its `signal`, `cancelToken` or `timeout` (milliseconds)
 * rejects that request at once, with the errors axios itself would give, and leaves the promise and the other waiters
 * alone.
 */
export function waitFor<T>(shared: Promise<T>, waiter: Waiter): Promise<T> {
  const { signal, cancelToken } = waiter;
  const timeoutMs = waiter.timeout ?? 0;
  if (!signal && !cancelToken && !(timeoutMs > 0)) return shared;

  return new Promise<T>((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const leave = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener?.('abort', onAbort);
      cancelToken?.unsubscribe(onCancel);
    };
    const fail = (error: unknown): void => {
      leave();
      // Reasons of a cancel token are the caller's own errors and are passed on as they are.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      reject(error);
    };
    const onAbort = (): void => fail(new axios.CanceledError(undefined, asConfig(waiter)));
    const onCancel = (reason: unknown): void => fail(reason);

    shared.then((value) => {
      leave();
      resolve(value);
    }, fail);
    throwIfCancelled(waiter);
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

/** pause resolves after `ms` milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
