import { PassThrough } from 'node:stream';
import { inspect } from 'node:util';

import axios, { type AxiosAdapter, type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';

import { ORIGIN, rejection, scripted, type Scripted } from '../support/scripted';

const lenient = { validateStatus: (): boolean => true };

/** An adapter of somebody's own: 401 first, then 200, with whatever else `extra` puts into the answers. */
function foreign(extra: object = {}): { adapter: AxiosAdapter; calls: InternalAxiosRequestConfig[] } {
  const calls: InternalAxiosRequestConfig[] = [];
  return {
    calls,
    adapter: async (config) => {
      calls.push(config);
      const status = calls.length === 1 ? 401 : 200;
      return { data: '', status, statusText: '', headers: {}, config, request: {}, ...extra } as never;
    },
  };
}

/** The plugin on an instance whose adapter is put aside, above the plugin's layer, for every request to the API. */
function replaced(adapter: AxiosAdapter): Scripted {
  const instance: AxiosInstance = axios.create();
  instance.interceptors.request.use((config) => Object.assign(config, { adapter }));
  return scripted({}, instance);
}

describe('a 401 of an adapter that somebody put in place of the bound one', () => {
  it("a 401 of an adapter that was put in place of the plugin's is answered with a token and a second attempt", async () => {
    const { adapter, calls } = foreign();
    const state = replaced(adapter);
    expect((await state.api.get('/v1/x', lenient)).status).toBe(200);
    expect(calls).toHaveLength(2);
    expect(calls[1]!.headers['Authorization']).toBe('Bearer token-1');
    expect(state.events).toEqual([
      expect.objectContaining({ type: 'token-acquired', reason: 'first' }),
      expect.objectContaining({ type: 'request-replayed' }),
    ]);
  });

  it('the error of its second attempt shows no token', async () => {
    const adapter: AxiosAdapter = async (config) => {
      const isFirst = !config.headers.has('Authorization');
      const sent = { _header: `Authorization: ${String(config.headers.get('Authorization'))}` };
      const response = { data: '', status: isFirst ? 401 : 500, statusText: '', headers: {}, config };
      throw new axios.AxiosError('failed', 'ERR_X', config, Object.assign(new PassThrough(), sent), response);
    };
    const error = await rejection(replaced(adapter).api.get('/v1/x'));
    expect(error['response']).toMatchObject({ status: 500 });
    expect(inspect(error, { depth: 20 })).not.toContain('token-1');
  });

  it('a 401 of a request that was sent without a token starts no pause', async () => {
    const { adapter, calls } = foreign({ status: 401 });
    const state = replaced(adapter);
    await state.api.get('/v1/x', lenient);
    state.auth.invalidate();
    await state.api.get('/v1/x', lenient);
    expect(calls).toHaveLength(4);
    expect(state.tokenRequests).toHaveLength(2);
  });

  it("a revoked token is renewed for the next request even if the plugin's adapter was replaced", async () => {
    jest.useFakeTimers();
    const good = new Set(['token-1']);
    const adapter: AxiosAdapter = async (config) => {
      const sent = String(config.headers.get('Authorization')).slice('Bearer '.length);
      const status = good.has(sent) ? 200 : 401;
      return { data: '', status, statusText: '', headers: {}, config, request: {} };
    };
    const state = replaced(adapter);
    const get = async (): Promise<number> => {
      const { status } = await state.api.get('/v1/x', lenient);
      await jest.advanceTimersByTimeAsync(2000);
      return status;
    };
    expect(await get()).toBe(200);
    good.clear();
    good.add('token-2');
    expect(await get()).toBe(401);
    expect(await get()).toBe(200);
    expect(state.tokenRequests).toHaveLength(2);
    jest.useRealTimers();
  });

  it('an unhelpful 401 of a replaced adapter costs a token no more often than any other', async () => {
    jest.useFakeTimers();
    const { adapter } = foreign({ status: 401 });
    const state = replaced(adapter);
    for (let second = 0; second < 60; second += 1) {
      await state.api.get('/v1/x', lenient);
      await jest.advanceTimersByTimeAsync(1000);
    }
    // 1, 2, 4, 8, 16, 32 s between them.
    expect(state.tokenRequests.length).toBeLessThanOrEqual(8);
    jest.useRealTimers();
  });

  it('a 401 of a replaced adapter is answered even if the interceptors cannot be listed', async () => {
    const { adapter, calls } = foreign();
    const instance = axios.create();
    const { request } = instance.interceptors;
    const sealed = {
      use: request.use.bind(request),
      eject: request.eject.bind(request),
      forEach: (visit: () => void) =>
        (request as unknown as { forEach(visit: () => void): void }).forEach(visit),
    };
    Object.assign(instance.interceptors, { request: sealed });
    instance.interceptors.request.use((config) => Object.assign(config, { adapter }));
    const state = scripted({}, instance);
    expect((await state.api.get('/v1/x', lenient)).status).toBe(200);
    expect(calls).toHaveLength(2);
  });

  it('a 401 of a replaced adapter is answered even if another interceptor was ejected', async () => {
    const { adapter, calls } = foreign();
    const instance: AxiosInstance = axios.create();
    instance.interceptors.request.eject(instance.interceptors.request.use((config) => config));
    instance.interceptors.request.use((config) => Object.assign(config, { adapter }));
    const state = scripted({}, instance);
    const ids = [0, 1, 2].map(() => state.api.interceptors.request.use((config) => config));
    ids.forEach((id) => state.api.interceptors.request.eject(id));
    await state.api.get('/v1/x', lenient);
    expect(calls).toHaveLength(2);
  });

  it.each<[string, object]>([
    ['that was to be left alone', { bipsyncAuth: false }],
    ['that went elsewhere', { baseURL: 'https://other.example' }],
  ])('a 401 of a request %s is left alone', async (_which, options) => {
    const { adapter, calls } = foreign();
    const state = replaced(adapter);
    expect((await state.api.get('/v1/x', { ...lenient, ...options })).status).toBe(401);
    expect(calls).toHaveLength(1);
    expect(state.tokenRequests).toHaveLength(0);
  });

  it.each<[string, object]>([
    ['without a config', { config: undefined }],
    ['whose config has no headers', { config: { url: ORIGIN } }],
    ['whose config has none that could be', { config: { url: ORIGIN, headers: null } }],
  ])('a 401 %s is left alone', async (_which, extra) => {
    const { adapter, calls } = foreign(extra);
    const state = replaced(adapter);
    expect((await state.api.get('/v1/x', lenient)).status).toBe(401);
    expect(calls).toHaveLength(1);
  });

  it('a 401 is left alone after the request interceptors were cleared', async () => {
    const state = scripted();
    state.api.interceptors.request.clear();
    state.api.interceptors.request.use((config) => config);
    state.onApi = () => ({ status: 401 });
    expect((await state.api.get('/v1/x', lenient)).status).toBe(401);
    await rejection(state.api.get('/v1/x'));
    expect(state.apiRequests).toHaveLength(2);
    expect(state.tokenRequests).toHaveLength(0);
  });
});

describe('12. a 401 whose replay is refused too costs one replay, whatever an adapter gives for headers,', () => {
  const headersOf: [string, object | undefined][] = [
    ['none', undefined],
    ['null', null as unknown as undefined],
    ['a plain object', {}],
    ['its own', new axios.AxiosHeaders()],
  ];

  function refusing(headers: object | undefined, instance = axios.create()): Scripted {
    const state = scripted({}, instance);
    const own = state.api.defaults.adapter as AxiosAdapter;
    state.api.defaults.adapter = async (config) => {
      if (config.url !== '/v1/x') return own(config);
      state.apiRequests.push(config);
      const response = { data: '', status: 401, statusText: '', headers, config, request: {} } as never;
      if (config.validateStatus!(401)) return response;
      throw new axios.AxiosError('Refused', 'ERR_BAD_REQUEST', config, {}, response);
    };
    return state;
  }

  it.each(headersOf)(
    'a 401 with %s as headers that is refused twice surfaces as it is',
    async (_which, headers) => {
      const state = refusing(headers);
      expect((await state.api.get('/v1/x', lenient)).status).toBe(401);
      expect(state.apiRequests).toHaveLength(2);
      state.auth.invalidate();
      const error = await rejection(state.api.get('/v1/x'));
      expect(error).toMatchObject({ message: 'Refused', response: { status: 401 } });
      expect(error['cause']).toMatchObject({ code: 'ERR_BIPSYNC_ACCESS_DENIED' });
    },
  );

  /** An instance with an interceptor that hands on what it sees in objects of its own. */
  function copying(): AxiosInstance {
    const instance = axios.create();
    instance.interceptors.response.use(
      (response) => ({ ...response }),
      (error: { response: object }) => {
        throw Object.assign(new Error('mapped'), { response: { ...error.response } });
      },
    );
    return instance;
  }

  it.each(headersOf)(
    'a 401 with %s as headers costs one replay even if an earlier interceptor copies the response',
    async (_which, headers) => {
      const state = refusing(headers, copying());
      expect((await state.api.get('/v1/x', lenient)).status).toBe(401);
      expect(state.apiRequests).toHaveLength(2);
    },
  );

  it.each(headersOf)(
    "a 401 with %s as headers costs one replay even if an earlier interceptor copies the error's response",
    async (_which, headers) => {
      const state = refusing(headers, copying());
      expect(await rejection(state.api.get('/v1/x'))).toMatchObject({
        message: 'mapped',
        response: { status: 401 },
      });
      expect(state.apiRequests).toHaveLength(2);
    },
  );
});

describe('a 401 of a request that is not the instance’s own', () => {
  it.each(['request', 'response'] as const)(
    'a 401 of another instance passes as it is in a %s interceptor',
    async (kind) => {
      const calls: string[] = [];
      const plain = axios.create({
        baseURL: ORIGIN,
        adapter: async (config) => {
          calls.push(String(config.headers.get('Authorization')));
          throw new axios.AxiosError(
            'Theirs',
            'ERR_BAD_REQUEST',
            config,
            {},
            {
              ...{ data: '', status: 401, statusText: '', headers: {}, config },
            },
          );
        },
      });
      const instance = axios.create();
      const meet = async <T>(value: T): Promise<T> => {
        await plain.post('/session');
        return value;
      };
      if (kind === 'response') instance.interceptors.response.use(meet);
      const state = scripted({}, instance);
      if (kind === 'request') instance.interceptors.request.use(meet);
      expect(await rejection(state.api.delete('/v1/notes/1'))).toMatchObject({ message: 'Theirs' });
      expect(calls).toEqual(['undefined']);
    },
  );

  it("a 401 of another team's instance is not sent again with this team's token", async () => {
    const b = scripted({ teamId: 'b2' });
    b.onApi = () => ({ status: 401 });
    const instance = axios.create();
    instance.interceptors.response.use(async (response) => {
      await b.api.post('/v1/audit');
      return response;
    });
    const a = scripted({}, instance);
    expect((await rejection(a.api.get('/v1/notes')))['status']).toBe(401);
    expect(a.apiRequests.map(({ url }) => url)).toEqual(['/v1/notes']);
    expect(b.apiRequests).toHaveLength(2);
  });

  it('a 401 costs one replay even if both the response and its config are copied', async () => {
    const instance = axios.create();
    instance.interceptors.response.use(
      (response) => ({ ...response, config: { ...response.config } }),
      (error: { response: { config: object } }) => {
        const { response } = error;
        throw Object.assign(new Error('mapped'), {
          response: { ...response, config: { ...response.config } },
        });
      },
    );
    const state = scripted({}, instance);
    state.onApi = () => ({ status: 401 });
    expect(await rejection(state.api.get('/v1/x'))).toMatchObject({ message: 'mapped' });
    expect(state.apiRequests).toHaveLength(2);
  });

  it('a request that should have been rejected but was sent keeps its answer', async () => {
    for (const options of [
      { auth: { username: 'u', password: 'p' } },
      { bipsyncAuth: { teamId: 'bad team' } },
    ]) {
      const { adapter, calls } = foreign();
      const state = replaced(adapter);
      expect((await state.api.get('/v1/x', { ...lenient, ...options })).status).toBe(401);
      expect(calls).toHaveLength(1);
    }
  });
});

describe('14. the challenge of a 401', () => {
  it('a challenge is read in every form that axios takes headers in', async () => {
    const challenge = { 'WWW-Authenticate': 'Bearer error="insufficient_scope"' };
    for (const headers of [challenge, new axios.AxiosHeaders(challenge), new Headers(challenge)]) {
      const { adapter, calls } = foreign({ headers });
      const state = scripted();
      const own = state.api.defaults.adapter as AxiosAdapter;
      state.api.defaults.adapter = (config) => (config.url === '/v1/x' ? adapter(config) : own(config));
      expect((await state.api.get('/v1/x', lenient)).status).toBe(401);
      expect(calls).toHaveLength(1);
    }
  });
});

describe('16. a 401 from the target of a redirect', () => {
  it.each<[string, object, number]>([
    ['elsewhere', { res: { responseUrl: 'https://a.example/x' } }, 1],
    ['to another that may have the token', { res: { responseUrl: 'https://friend.example/x' } }, 1],
    ['to the same origin', { res: { responseUrl: 'https://acme-api.bipsync.com/v2' } }, 2],
    ['nobody knows where', { res: { responseUrl: '/v2' } }, 2],
    ['nobody knows where, not even in words', { res: { responseUrl: 7 } }, 2],
    ['or not', { res: undefined }, 2],
  ])(
    'a 401 after a redirect %s is answered only if it came from the same origin',
    async (_where, request, count) => {
      const { adapter, calls } = foreign({ request });
      const state = scripted({ allowedOrigins: ['https://friend.example'] });
      const own = state.api.defaults.adapter as AxiosAdapter;
      state.api.defaults.adapter = (config) => (config.url === '/v1/x' ? adapter(config) : own(config));
      await state.api.get('/v1/x', lenient);
      expect(calls).toHaveLength(count);
    },
  );

  it("a 401 whose response has no request counts as the origin's own", async () => {
    const { adapter, calls } = foreign({ request: undefined });
    const state = scripted();
    const own = state.api.defaults.adapter as AxiosAdapter;
    state.api.defaults.adapter = (config) => (config.url === '/v1/x' ? adapter(config) : own(config));
    await state.api.get('/v1/x', lenient);
    expect(calls).toHaveLength(2);
  });
});

it('a request with a token at hand reaches the adapter at once, without waiting for anything', async () => {
  const { api, apiRequests } = scripted();
  await api.get('/v1/x');
  const second = api.get('/v1/x');
  expect(apiRequests).toHaveLength(2);
  await second;
});

it('a request made with the config of another that is on its way is replayed once, not twice', async () => {
  const instance = axios.create();
  let nested: Promise<Error> | undefined;
  instance.interceptors.request.use(async (config) => {
    if (nested === undefined) {
      nested = Promise.resolve(new Error());
      nested = rejection(instance.request(config));
      await nested;
    }
    return config;
  });
  const state = scripted({}, instance);
  state.onApi = () => ({ status: 401 });
  await rejection(state.api.get('/v1/x'));
  // Two for the nested one; the other finds a token that was refused a moment ago, and is not sent again.
  expect(state.apiRequests).toHaveLength(3);
});

it('an adapter is bound once, by name or as a function, however many requests it serves', async () => {
  const instance = axios.create();
  const bound: unknown[] = [];
  instance.interceptors.request.use((config) => {
    bound.push(config.adapter);
    return config;
  });
  const { api } = scripted({}, instance);
  const { adapter } = api.defaults;
  const elsewhere = { bipsyncAuth: false, baseURL: 'http://127.0.0.1:9' } as const;
  for (const given of [
    adapter,
    adapter,
    ['http', 'fetch'],
    ['http', 'fetch'],
    ['http'],
    ['http', 'fetch'],
    ['http', 'xhr'],
    ['x'],
    'x',
    'fetch',
    'fetch',
  ]) {
    await api.get('/v1/x', { ...elsewhere, adapter: given as never }).catch(() => undefined);
  }
  expect(bound.map((one, position) => bound.indexOf(one) === position)).toEqual([
    ...[true, false],
    ...[true, false],
    ...[true, true, true],
    ...[true, true],
    ...[true, false],
  ]);
});
