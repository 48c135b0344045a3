import { type EventEmitter, getEventListeners } from 'node:events';

import axios from 'axios';

import { deferred, rejection, scripted, tokenAnswer, type Answer, type Scripted } from '../support/scripted';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});
const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** A plugin whose token request hangs until the test answers it. */
function hanging(): { state: Scripted; answer: (value: Answer) => void } {
  const state = scripted();
  const answer = deferred<Answer>();
  state.onToken = () => answer.promise;
  return { state, answer: answer.resolve };
}

describe('21. while a request waits for a token', () => {
  it('a signal rejects a waiting request at once, and leaves the acquisition and the other waiters alone', async () => {
    const { state, answer } = hanging();
    const controller = new AbortController();
    const cancelled = rejection(state.api.get('/v1/a', { signal: controller.signal }));
    const other = state.api.get('/v1/b');
    await advance(10);
    controller.abort();
    const error = await cancelled;
    expect(axios.isCancel(error)).toBe(true);
    expect(error).toMatchObject({ name: 'CanceledError', code: 'ERR_CANCELED', message: 'canceled' });
    expect(error['config']).toMatchObject({ url: '/v1/a' });
    answer(tokenAnswer('token-1'));
    await other;
    expect(state.apiRequests.map(({ url }) => url)).toEqual(['/v1/b']);
    expect(state.tokenRequests).toHaveLength(1);
    expect(state.tokenRequests[0]?.signal?.aborted).toBe(false);
  });

  it('a cancelToken rejects a waiting request with the reason it was given', async () => {
    const { state, answer } = hanging();
    const source = axios.CancelToken.source();
    const cancelled = rejection(state.api.get('/v1/a', { cancelToken: source.token }));
    await advance(10);
    source.cancel('unsubscribed');
    expect(await cancelled).toBe(source.token.reason);
    answer(tokenAnswer('token-1'));
    await advance(0);
    expect(state.apiRequests).toHaveLength(0);
  });

  it.each([
    [{}, 'ECONNABORTED', 'timeout of 50ms exceeded'],
    [{ transitional: { clarifyTimeoutError: true } }, 'ETIMEDOUT', 'timeout of 50ms exceeded'],
    [{ timeoutErrorMessage: 'too slow' }, 'ECONNABORTED', 'too slow'],
  ])('a timeout rejects a waiting request (%j)', async (options, code, message) => {
    const { state, answer } = hanging();
    const failed = rejection(state.api.get('/v1/a', { timeout: 50, ...options }));
    await advance(49);
    const patient = state.api.get('/v1/b');
    await advance(1);
    expect(await failed).toMatchObject({ name: 'AxiosError', code, message, isAxiosError: true });
    answer(tokenAnswer('token-1'));
    await patient;
    expect(state.apiRequests.map(({ url }) => url)).toEqual(['/v1/b']);
  });

  it('a timeout rejects a waiting request even if an interceptor has taken `transitional` away', async () => {
    const { state } = hanging();
    state.api.interceptors.request.use((config) => Object.assign(config, { transitional: undefined }));
    const failed = rejection(state.api.get('/v1/a', { timeout: 50 }));
    await advance(50);
    expect(await failed).toMatchObject({ code: 'ECONNABORTED' });
  });

  it('a signal that cannot be listened to does no harm', async () => {
    const { state, answer } = hanging();
    const response = state.api.get('/v1/a', { signal: { aborted: false } });
    await advance(10);
    answer(tokenAnswer('token-1'));
    expect((await response).status).toBe(200);
  });

  it('a timeout counts separately for the wait, the request and the replay', async () => {
    const { state, answer } = hanging();
    const slow = deferred<Answer>();
    const answers = [Promise.resolve<Answer>({ status: 401 }), slow.promise];
    state.onApi = () => answers.shift()!;
    const response = state.api.get('/v1/a', { timeout: 50 });
    await advance(40);
    const next = deferred<Answer>();
    state.onToken = () => next.promise;
    answer(tokenAnswer('token-1'));
    await advance(40);
    next.resolve(tokenAnswer('token-2'));
    await advance(40);
    slow.resolve({ body: {} });
    expect((await response).status).toBe(200);
  });

  it('a wait after a 401 can be cancelled too', async () => {
    const state = scripted();
    await state.api.get('/v1/a');
    state.onApi = () => ({ status: 401 });
    state.onToken = () => new Promise(() => undefined);
    const controller = new AbortController();
    const failed = rejection(state.api.get('/v1/a', { signal: controller.signal }));
    await advance(10);
    controller.abort();
    expect(axios.isCancel(await failed)).toBe(true);
    await advance(10_000);
  });

  it('a wait after a 401 can time out', async () => {
    const state = scripted();
    await state.api.get('/v1/a');
    state.onApi = () => ({ status: 401 });
    state.onToken = () => new Promise(() => undefined);
    const failed = rejection(state.api.get('/v1/a', { timeout: 50 }));
    await advance(50);
    expect(await failed).toMatchObject({ code: 'ECONNABORTED', message: 'timeout of 50ms exceeded' });
    await advance(10_000);
  });

  it.each(['signal', 'cancelToken'] as const)(
    'a request whose %s cancels it when a 401 arrives starts no acquisition, even if the adapter ignores the cancellation',
    async (option) => {
      const state = scripted();
      await state.api.get('/v1/a');
      const controller = new AbortController();
      const source = axios.CancelToken.source();
      const cancel = { signal: () => controller.abort(), cancelToken: () => source.cancel() }[option];
      state.onApi = () => {
        cancel();
        return { status: 401 };
      };
      state.onToken = () => new Promise(() => undefined);
      const options = { signal: { signal: controller.signal }, cancelToken: { cancelToken: source.token } }[
        option
      ];
      const failed = rejection(state.api.get('/v1/a', { ...options, timeout: 60_000 }));
      await advance(10);
      expect(axios.isCancel(await failed)).toBe(true);
      expect(state.tokenRequests).toHaveLength(1);
      expect(jest.getTimerCount()).toBe(0);
    },
  );

  it.each(['signal', 'cancelToken'] as const)(
    'a request that was cancelled by its %s is not replayed, even if there is a token',
    async (option) => {
      const state = scripted();
      await state.api.get('/v1/a');
      const controller = new AbortController();
      const source = axios.CancelToken.source();
      const cancel = { signal: () => controller.abort(), cancelToken: () => source.cancel() }[option];
      const late = deferred<Answer>();
      state.onApi = () => late.promise;
      const options = { signal: { signal: controller.signal }, cancelToken: { cancelToken: source.token } }[
        option
      ];
      const failed = rejection(state.api.get('/v1/a', options));
      await advance(0);
      state.auth.invalidate();
      await state.auth.getToken();
      cancel();
      late.resolve({ status: 401 });
      expect(axios.isCancel(await failed)).toBe(true);
      expect(state.apiRequests).toHaveLength(2);
    },
  );

  it('no listener and no timer is left behind, however a wait ends', async () => {
    for (const end of ['answer', 'abort', 'cancel', 'fail'] as const) {
      const { state, answer } = hanging();
      const controller = new AbortController();
      const source = axios.CancelToken.source();
      const waiting = state.api
        .get('/v1/a', { signal: controller.signal, cancelToken: source.token, timeout: 60_000 })
        .catch(() => undefined);
      await advance(10);
      expect(
        getEventListeners(controller.signal as unknown as EventEmitter & AbortSignal, 'abort'),
      ).toHaveLength(1);
      if (end === 'abort') controller.abort();
      if (end === 'cancel') source.cancel();
      answer(end === 'fail' ? { status: 401 } : tokenAnswer('token-1'));
      await waiting;
      await advance(0);
      expect(
        getEventListeners(controller.signal as unknown as EventEmitter & AbortSignal, 'abort'),
      ).toHaveLength(0);
      expect((source.token as unknown as { _listeners: unknown[] | null })._listeners ?? []).toHaveLength(0);
      expect(jest.getTimerCount()).toBe(0);
    }
  });

  it('a caller who left before waiting leaves no rejection unhandled', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    const state = scripted();
    state.onToken = () => ({ status: 401 });
    expect(axios.isCancel(await rejection(state.auth.getToken({ signal: AbortSignal.abort() })))).toBe(true);
    jest.useRealTimers();
    await new Promise((resolve) => setTimeout(resolve, 10));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('a timeout beyond what a timer can hold is not one of 1 ms', async () => {
    const { state, answer } = hanging();
    const response = state.api.get('/v1/a', { timeout: 2 ** 31 });
    await advance(60_000 / 12);
    answer(tokenAnswer('token-1'));
    expect((await response).status).toBe(200);
  });

  it('a request that was cancelled before it began waits for nothing', async () => {
    const { state } = hanging();
    const error = await rejection(state.api.get('/v1/a', { signal: AbortSignal.abort() }));
    expect(axios.isCancel(error)).toBe(true);
    expect(state.tokenRequests).toHaveLength(0);
  });

  it('if every waiter leaves, the token that comes serves the next request', async () => {
    const { state, answer } = hanging();
    const failed = rejection(state.api.get('/v1/a', { timeout: 5 }));
    await advance(5);
    await failed;
    answer(tokenAnswer('token-1'));
    await advance(0);
    await state.api.get('/v1/b');
    expect(state.tokenRequests).toHaveLength(1);
    expect(state.sent).toEqual(['Bearer token-1']);
  });
});
