import http, { createServer } from 'node:http';
import { Readable } from 'node:stream';

import axios, { AxiosError, type AxiosInstance } from 'axios';

import { emulated } from '../support/emulated';
import { deferred, rejection, scripted, tokenAnswer, type Answer, type Scripted } from '../support/scripted';

const adapters = ['http', 'fetch'] as const;
const CHALLENGE = 'WWW-Authenticate';

/** Accepts the present token only: what a server does that revokes the others. */
function acceptOnly(state: Scripted, accepted: () => string, headers: Record<string, string> = {}): void {
  state.onApi = (request) =>
    request.headers.get('Authorization') === `Bearer ${accepted()}`
      ? { body: { ok: true } }
      : { status: 401, headers };
}

async function* chunks(): AsyncGenerator<string> {
  yield 'some bytes';
}

describe.each(adapters)('11. over %s, a 401', (adapter) => {
  it('the 401s of 50 concurrent requests cost one token, and all 50 succeed', async () => {
    const { api, emulator, events } = await emulated({ http: { adapter } });
    await api.get('/v1/research');
    emulator.revokeTokens();
    const responses = await Promise.all(Array.from({ length: 50 }, () => api.get('/v1/research')));
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    expect(emulator.tokenRequests).toBe(2);
    expect(emulator.apiRequests).toBe(101);
    expect(events.filter(({ type }) => type === 'request-replayed')).toHaveLength(50);
    expect(events).toContainEqual(expect.objectContaining({ type: 'token-acquired', reason: 'refused' }));
  });

  it('a 401 is answered the same if a lenient validateStatus lets it through', async () => {
    for (const validateStatus of [() => true, null, (status: number) => status < 500]) {
      const { api, emulator } = await emulated({ http: { adapter, validateStatus } });
      await api.get('/v1/research');
      emulator.revokeTokens();
      expect((await api.get('/v1/research')).status).toBe(200);
      expect((await api.get('/v1/field')).status).toBe(401);
    }
  });
});

it('11. a late 401 of an old token is answered with the newer one, and nothing is minted', async () => {
  const state = scripted();
  const late = deferred<Answer>();
  const answers: (Answer | Promise<Answer>)[] = [late.promise, { status: 401 }];
  state.onApi = () => answers.shift() ?? { body: { ok: true } };
  const first = state.api.get('/v1/slow');
  await state.api.get('/v1/fast');
  late.resolve({ status: 401 });
  await first;
  expect(state.tokenRequests).toHaveLength(2);
  expect(state.sent).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2', 'Bearer token-2']);
});

describe('11. wherever the plugin stands among interceptors, the caller sees the same', () => {
  class ApiProblem extends Error {
    constructor(readonly status: number | undefined) {
      super('mapped');
    }
  }
  const neighbours: Record<string, (api: AxiosInstance) => void> = {
    'one that unwraps response.data': (api) => {
      api.interceptors.response.use((response) => response.data as never);
    },
    'one that maps errors': (api) => {
      api.interceptors.response.use(undefined, (error: unknown) => {
        throw error instanceof AxiosError ? new ApiProblem(error.response?.status) : error;
      });
    },
    'one that clones the config': (api) => {
      api.interceptors.request.use((config) => ({ ...config, headers: config.headers.concat() as never }));
    },
    'one that sets its own Authorization': (api) => {
      api.interceptors.request.use((config) => {
        config.headers.set('Authorization', 'Basic other');
        return config;
      });
    },
  };
  const all = Object.values(neighbours);
  const places = {
    first: { before: [] as typeof all, after: all },
    middle: { before: all.slice(0, 2), after: all.slice(2) },
    last: { before: all, after: [] as typeof all },
  };

  for (const [place, { before, after }] of Object.entries(places)) {
    it.each(adapters)(`installed ${place}, over %s`, async (adapter) => {
      const { api, emulator } = await emulated({
        http: { adapter },
        before: (instance) => before.forEach((add) => add(instance)),
        after: (instance) => after.forEach((add) => add(instance)),
      });
      await api.get('/v1/contenttype').catch(() => undefined);
      emulator.revokeTokens();
      const data = (await api.get('/v1/contenttype')) as unknown as Record<string, unknown>;
      expect(data).not.toHaveProperty('status');
      expect(data).not.toHaveProperty('headers');
      const refused = await rejection(api.get('/v1/field'));
      expect(refused).toMatchObject({ message: 'mapped', status: 401 });
      expect(emulator.requests.every(({ authorization }) => authorization !== 'none')).toBe(true);
    });

    it(`installed ${place}, over a mocked adapter`, async () => {
      const api = axios.create();
      before.forEach((add) => add(api));
      const state = scripted({}, api);
      after.forEach((add) => add(api));
      acceptOnly(state, () => 'token-2');
      expect(await api.get('/v1/research')).toEqual({ ok: true });
      acceptOnly(state, () => 'none');
      expect(await rejection(api.get('/v1/research'))).toMatchObject({ message: 'mapped', status: 401 });
    });
  }

  const canOrder = 'legacyInterceptorReqResOrdering' in (axios.defaults.transitional ?? {});
  (canOrder ? it : it.skip)(
    'request interceptors that run first-registered first change nothing either',
    async () => {
      const transitional = { legacyInterceptorReqResOrdering: false } as object;
      const api = axios.create({ transitional });
      const state = scripted({}, api);
      api.interceptors.request.use((config) => ({ ...config }));
      acceptOnly(state, () => 'token-2');
      expect((await api.get('/v1/research')).status).toBe(200);
    },
  );
});

describe('12. the replay', () => {
  it("the replay goes to the caller's adapter; interceptors and transforms run once and see the last outcome", async () => {
    const state = scripted();
    const calls = { request: 0, transform: 0, response: [] as number[] };
    state.api.interceptors.request.use((config) => {
      calls.request += 1;
      return config;
    });
    state.api.interceptors.response.use((response) => {
      calls.response.push(response.status);
      return response;
    });
    acceptOnly(state, () => 'token-2');
    const response = await state.api.post(
      '/v1/research',
      { a: 1 },
      {
        transformRequest: [
          (data: unknown) => {
            calls.transform += 1;
            return JSON.stringify({ wrapped: data });
          },
        ],
      },
    );
    expect(calls).toEqual({ request: 1, transform: 1, response: [200] });
    expect(state.apiRequests.map(({ data }) => data as unknown)).toEqual([
      '{"wrapped":{"a":1}}',
      '{"wrapped":{"a":1}}',
    ]);
    expect(response.config.headers['Authorization']).toBe('Bearer token-2');
    expect(state.sent).toEqual(['Bearer token-1', 'Bearer token-2']);
    expect(state.apiRequests[0]?.headers['Authorization']).toBe('Bearer token-1');
  });

  it('a request is replayed only once: a second 401 goes to the caller', async () => {
    const state = scripted();
    state.onApi = () => ({ status: 401 });
    const error = await rejection(state.api.get('/v1/research'));
    expect(axios.isAxiosError(error)).toBe(true);
    expect(error['status']).toBe(401);
    expect(error.cause).toMatchObject({ code: 'ERR_BIPSYNC_ACCESS_DENIED' });
    expect((error.cause as Error).message).toContain('team_a1');
    expect(state.apiRequests).toHaveLength(2);
  });

  it("a 401 of an adapter that replaced the plugin's is answered too", async () => {
    const state = scripted();
    const adapter = jest.fn(axios.getAdapter(state.api.defaults.adapter));
    const api = state.api;
    state.auth.eject();
    const later = (config: { adapter?: unknown }): never => {
      config.adapter = adapter;
      return config as never;
    };
    api.interceptors.request.use(later);
    const again = scripted({}, api);
    const inner = axios.getAdapter(api.defaults.adapter);
    adapter.mockImplementation(inner);
    again.onApi = (request) =>
      request.headers.has('Authorization') ? { body: { ok: true } } : { status: 401 };
    const response = await api.post('/v1/research', { a: 1 });
    expect(response.data).toEqual({ ok: true });
    expect(again.sent).toEqual([undefined, 'Bearer token-1']);
    again.onApi = () => ({ status: 401 });
    const error = await rejection(api.get('/v1/research'));
    expect(error['status']).toBe(401);
    expect(again.apiRequests).toHaveLength(4);
  });

  it('a request is replayed only once even if an earlier interceptor copies the response into its own error', async () => {
    const api = axios.create();
    api.interceptors.response.use(undefined, (error: AxiosError) => {
      throw Object.assign(new Error('mapped'), { response: { ...error.response } });
    });
    const state = scripted({}, api);
    state.onApi = () => ({ status: 401 });
    await rejection(api.post('/v1/research', {}));
    expect(state.apiRequests).toHaveLength(2);
  });

  it('a config that is sent again is not wrapped twice', async () => {
    const state = scripted();
    state.onApi = () => ({ status: 500 });
    const error = await rejection(state.api.get('/v1/research'));
    const { config } = error as unknown as { config: { adapter: unknown } };
    expect(config.adapter).toBe(state.api.defaults.adapter);
    state.onApi = () => ({ status: 401 });
    await rejection(state.api.request(config as never));
    expect(state.apiRequests).toHaveLength(3);
  });
});

describe('13. a body that can be read once', () => {
  it('a stream is never replayed: the 401 surfaces, and the next request works', async () => {
    const { api, emulator } = await emulated();
    await api.get('/v1/research');
    emulator.revokeTokens();
    const error = await rejection(api.post('/v1/echo', Readable.from(['some ', 'bytes'])));
    expect(error['status']).toBe(401);
    expect((await api.post('/v1/echo', Readable.from(['some ', 'bytes']))).status).toBe(200);
    expect(emulator.tokenRequests).toBe(2);
    expect(emulator.apiRequests).toBe(3);
  });

  it('a web stream, form-data and an async iterable are never replayed', async () => {
    const { default: FormData } = jest.requireActual<{ default: new () => object }>('form-data') as never;
    const LegacyForm = (FormData ?? jest.requireActual('form-data')) as unknown as new () => object;
    for (const body of [new ReadableStream(), new LegacyForm(), chunks()]) {
      const state = scripted();
      state.onApi = () => ({ status: 401 });
      await rejection(state.api.post('/v1/x', body, { transformRequest: [(data: unknown) => data] }));
      expect(state.apiRequests).toHaveLength(1);
      await Promise.resolve();
      expect(state.tokenRequests).toHaveLength(2);
    }
  });
});

describe('14. an endpoint outside the token’s scopes', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });
  const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

  it('a 401 with insufficient_scope is never retried', async () => {
    const state = scripted({ scopes: ['users:read'] });
    state.onApi = () => ({
      status: 401,
      headers: { [CHALLENGE]: 'Bearer realm="x, y", error="insufficient_scope"' },
    });
    const error = await rejection(state.api.get('/v1/research'));
    expect(error.cause).toMatchObject({ code: 'ERR_BIPSYNC_ACCESS_DENIED' });
    expect((error.cause as Error).message).toContain('team_a1 users:read');
    expect(state.tokenRequests).toHaveLength(1);
    expect(state.apiRequests).toHaveLength(1);
  });

  it('60 calls of a denied endpoint within a second cost at most 3 tokens', async () => {
    const state = scripted();
    state.onApi = () => ({ status: 401 });
    await Promise.all(Array.from({ length: 30 }, () => rejection(state.api.get('/v1/x'))));
    for (let call = 0; call < 30; call += 1) {
      await rejection(state.api.get('/v1/x'));
      await advance(30);
    }
    expect(state.tokenRequests.length).toBeLessThanOrEqual(3);
  });

  it('a 401 during the pause surfaces, its cause says why; a revocation is noticed when the pause ends', async () => {
    const state = scripted();
    state.onApi = () => ({ status: 401 });
    await rejection(state.api.get('/v1/x'));
    const during = await rejection(state.api.get('/v1/x'));
    expect(during.cause).toMatchObject({ code: 'ERR_BIPSYNC_ACCESS_DENIED' });
    expect(state.apiRequests).toHaveLength(3);
    acceptOnly(state, () => 'token-3');
    await advance(1000);
    await state.api.get('/v1/x');
    expect(state.tokenRequests).toHaveLength(3);
  });

  it('a pause is over once a new token helps', async () => {
    const state = scripted();
    state.onApi = () => ({ status: 401 });
    for (const pause of [1000, 2000, 4000]) {
      await rejection(state.api.get('/v1/x'));
      await advance(pause);
    }
    state.onApi = (request) =>
      request.headers.get('Authorization') === 'Bearer token-5' ? { body: {} } : { status: 401 };
    await state.api.get('/v1/x');
    expect(state.tokenRequests).toHaveLength(5);
    state.onApi = () => ({ status: 401 });
    await rejection(state.api.get('/v1/x'));
    expect(state.tokenRequests).toHaveLength(6);
    await advance(1000);
    await rejection(state.api.get('/v1/x'));
    expect(state.tokenRequests).toHaveLength(7);
  });

  it('invalid_token in the challenge does not shorten the pause of a resource', async () => {
    const state = scripted();
    const headers = { [CHALLENGE]: 'Basic realm="a", Bearer error="invalid_token"' };
    state.onApi = () => ({ status: 401, headers });
    const minted: number[] = [];
    for (let second = 0; second < 16; second += 1) {
      await rejection(state.api.get('/v1/x'));
      minted.push(state.tokenRequests.length);
      await advance(1000);
    }
    // New tokens at 0, 1, 3, 7 and 15 s.
    expect(minted).toEqual([2, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 6]);
  });

  it('a denied endpoint costs the other endpoints nothing', async () => {
    const state = scripted();
    state.onApi = ({ url }) => (url === '/v1/x' ? { status: 401 } : { body: {} });
    await Promise.all([rejection(state.api.get('/v1/x')), state.api.get('/v1/research')]);
    for (let call = 0; call < 50; call += 1) {
      await rejection(state.api.get('/v1/x'));
      await state.api.get('/v1/research');
    }
    expect(state.tokenRequests).toHaveLength(2);
  });

  it('a denied endpoint does not cost a token a call if no replay can show whether the token helped', async () => {
    const calls: Record<string, (state: Scripted) => Promise<unknown>> = {
      streams: ({ api }) => api.post('/v1/x', Readable.from(['x'])),
      impatient: ({ api }) => api.get('/v1/x', { timeout: 60 }),
      unanswered: (state) => {
        const answers: (Answer | Error)[] = [{ status: 401 }, new Error('socket hang up')];
        state.onApi = () => answers.shift()!;
        return state.api.get('/v1/x');
      },
    };
    for (const [name, call] of Object.entries(calls)) {
      const state = scripted();
      await state.auth.getToken();
      state.onToken = async () => {
        await new Promise((resolve) => setTimeout(resolve, 150));
        return tokenAnswer(`token-${state.tokenRequests.length}`);
      };
      state.onApi = () => ({ status: 401 });
      for (let round = 0; round < 10; round += 1) {
        const failed = rejection(call(state));
        await advance(80);
        await advance(80);
        await failed;
      }
      expect([name, state.tokenRequests.length <= 3]).toEqual([name, true]);
    }
  });

  it('a denied endpoint costs at most 12 tokens for 10 calls if tokens live for no time at all', async () => {
    const state = scripted();
    state.onToken = () => tokenAnswer(`token-${state.tokenRequests.length}`, 0);
    state.onApi = () => ({ status: 401 });
    for (let call = 0; call < 10; call += 1) await rejection(state.api.get('/v1/x'));
    expect(state.tokenRequests.length).toBeLessThanOrEqual(12);
  });
});

describe.each(adapters)('15. over %s, an unread 401 holds no socket', (adapter) => {
  it('an agent of one socket is not deadlocked by an unread 401', async () => {
    const httpAgent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const { api, emulator } = await emulated({
      http: { adapter, httpAgent, responseType: 'stream', timeout: 15_000 },
    });
    try {
      (await api.get<Readable>('/v1/research')).data.resume?.();
      emulator.revokeTokens();
      const { status, data } = await api.get<AsyncIterable<Uint8Array>>('/v1/research', {
        maxContentLength: 10_000,
      });
      expect(status).toBe(200);
      for await (const chunk of data) expect(chunk.length).toBeGreaterThan(0);
    } finally {
      httpAgent.destroy();
    }
  });
});

it('16. a 401 that came from another origin after a redirect is not the plugin’s business', async () => {
  const other = createServer((_request, response) => {
    response.writeHead(401).end();
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const { api, emulator } = await emulated({ http: { adapter: 'http' } });
  emulator.failApiRequests({ redirectTo: `http://127.0.0.1:${port}/`, status: 302 });
  const error = await rejection(api.get('/v1/research'));
  expect(error['status']).toBe(401);
  expect(error.cause).toBeUndefined();
  expect(emulator.tokenRequests).toBe(1);
  other.closeAllConnections();
  await new Promise((resolve) => other.close(resolve));
});

describe('17. if the re-acquisition fails', () => {
  it.each(adapters)(
    'over %s, the original 401 surfaces with the failed re-acquisition as its cause',
    async (adapter) => {
      const { api, emulator } = await emulated({ http: { adapter } });
      await api.get('/v1/research');
      emulator.revokeTokens();
      emulator.failTokenRequests({ status: 400, body: { error: 'invalid_client' } });
      const error = await rejection(api.get('/v1/research'));
      expect(axios.isAxiosError(error) && error.response?.data).toBeTruthy();
      expect(error['status']).toBe(401);
      expect(error.cause).toMatchObject({ name: 'BipsyncAuthError', code: 'ERR_BIPSYNC_CREDENTIALS' });
      expect(JSON.parse(JSON.stringify(error))).not.toHaveProperty('cause');
    },
  );

  it('the original 401 surfaces as a response if validateStatus lets it through', async () => {
    const { api, emulator } = await emulated({ http: { validateStatus: null } });
    await api.get('/v1/research');
    emulator.revokeTokens();
    emulator.failTokenRequests({ status: 403 });
    expect((await api.get('/v1/research')).status).toBe(401);
  });
});

it('a 401 of one team leaves the token of another alone', async () => {
  const state = scripted();
  await state.api.get('/v1/x');
  await state.api.get('/v1/x', { bipsyncAuth: { teamId: 'b2' } });
  state.onApi = (request) =>
    request.headers.get('Authorization') === 'Bearer token-2' ? { status: 401 } : {};
  await state.api.get('/v1/x', { bipsyncAuth: { teamId: 'b2' } });
  await state.api.get('/v1/x');
  expect(state.sent.slice(2)).toEqual(['Bearer token-2', 'Bearer token-3', 'Bearer token-1']);
});

it('a token from the store that is refused too pauses nothing: the next request gets one of its own', async () => {
  const values = new Map<string, unknown>();
  const tokenStore = {
    get: async (key: string) => values.get(key),
    set: async (key: string, value: string) => values.set(key, value),
  };
  const state = scripted({ tokenStore });
  await state.api.get('/v1/research');
  for (const key of values.keys()) {
    const stored = {
      v: 1,
      accessToken: 'of-another',
      expiresAt: Date.now() + 3_600_000,
      lifetimeMs: 3_600_000,
    };
    values.set(key, JSON.stringify(stored));
  }
  const revoked = ['Bearer token-1', 'Bearer of-another'];
  state.onApi = ({ headers }) => ({
    status: revoked.includes(String(headers.get('Authorization'))) ? 401 : 200,
  });

  expect((await rejection(state.api.get('/v1/research')))['status']).toBe(401);
  expect((await state.api.get('/v1/research')).status).toBe(200);
  expect(state.sent).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer of-another', 'Bearer token-2']);
});

it('a 401 that validateStatus lets through is answered below the interceptors of others, as any other is', async () => {
  const instance = axios.create({ validateStatus: () => true });
  const seen: number[] = [];
  instance.interceptors.response.use((response) => {
    seen.push(response.status);
    return response;
  });
  const state = scripted({}, instance);
  state.onApi = () => ({ status: state.apiRequests.length === 1 ? 401 : 200 });
  await state.api.get('/v1/x');
  expect(seen).toEqual([200]);
});
