import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';

import { scripted } from '../support/scripted';

const lenient = { validateStatus: (): boolean => true, transformRequest: [(data: unknown): unknown => data] };
const method = (): undefined => undefined;

describe('13. a body', () => {
  const attempts = async (data: unknown): Promise<number> => {
    const state = scripted();
    state.onApi = () => ({ status: 401 });
    await state.api.post('/v1/x', data, lenient);
    return state.apiRequests.length;
  };

  it.each<[string, unknown]>([
    ['a Node stream', { pipe: method }],
    ['a web stream', { getReader: method }],
    [
      'an async iterable',
      (async function* () {
        yield 'x';
      })(),
    ],
  ])('a body that can be read once (%s) is not sent again', async (_kind, data) => {
    expect(await attempts(data)).toBe(1);
  });

  it.each<[string, unknown]>([
    ['text', 'text'],
    ['null', null],
    ['none', undefined],
    ['bytes', new Uint8Array(3)],
    ['an object with such words in it', { pipe: 'x', getReader: true, [Symbol.iterator]: method }],
  ])('a body of another kind (%s) is sent again', async (_kind, data) => {
    expect(await attempts(data)).toBe(2);
  });
});

describe('15. the body of a 401 that nobody will read', () => {
  /** Sends one request, whose first answer is a 401 with this body and this request. */
  async function refusedWith(data: unknown, request?: unknown): Promise<number> {
    const calls: InternalAxiosRequestConfig[] = [];
    const state = scripted();
    const own = state.api.defaults.adapter as (config: InternalAxiosRequestConfig) => Promise<AxiosResponse>;
    state.api.defaults.adapter = async (config) => {
      const response = await own(config);
      if (config.url !== '/v1/x') return response;
      calls.push(config);
      return calls.length === 1 ? { ...response, status: 401, data, request } : response;
    };
    expect((await state.api.get('/v1/x', { ...lenient, transformResponse: [] })).status).toBe(200);
    return calls.length;
  }

  it('an unread Node stream is destroyed with its request, and its errors are ignored', async () => {
    const stream = { pipe: method, destroy: jest.fn(), on: jest.fn() };
    const request = { destroy: jest.fn() };
    await refusedWith(stream, request);
    expect(stream.destroy).toHaveBeenCalledTimes(1);
    expect(stream.on).toHaveBeenCalledWith('error', expect.any(Function));
    expect(request.destroy).toHaveBeenCalledTimes(1);
  });

  it.each([undefined, null, {}, 7, { destroy: true }])(
    'an unread Node stream is destroyed if its request is %j',
    async (request) => {
      const stream = { pipe: method, destroy: jest.fn(), on: jest.fn() };
      expect(await refusedWith(stream, request)).toBe(2);
      expect(stream.destroy).toHaveBeenCalledTimes(1);
    },
  );

  it('an unread web stream is cancelled, even if that fails', async () => {
    const stream = { getReader: method, cancel: jest.fn(() => Promise.reject(new Error('locked'))) };
    const request = { destroy: jest.fn() };
    expect(await refusedWith(stream, request)).toBe(2);
    expect(stream.cancel).toHaveBeenCalledTimes(1);
    expect(request.destroy).not.toHaveBeenCalled();
  });

  it.each<[unknown]>([
    [undefined],
    [null],
    ['text'],
    [{ destroy: 'x' }],
    [{ pipe: method }],
    [{ cancel: method }],
  ])('an unread body that is not a stream (%j) is left alone', async (data) => {
    const request = { destroy: jest.fn() };
    expect(await refusedWith(data, request)).toBe(2);
    expect(request.destroy).not.toHaveBeenCalled();
  });
});
