import http from 'node:http';

import axios from 'axios';

import { installBipsyncAuth } from '../../src';
import { atLength } from '../support/at-length';
import { configFor, emulated, startEmulator } from '../support/emulated';
import { deferred, formOf, rejection, scripted, SECRET, tokenAnswer, type Answer } from '../support/scripted';

const get = (state: { api: { get(url: string): Promise<unknown> } }): Promise<unknown> =>
  state.api.get('/v1/research');

describe('7. the token request is made on an axios of its own', () => {
  it('no interceptor or transform of the instance sees the secret', async () => {
    const seen: unknown[] = [];
    const spy = (value: unknown): unknown => {
      seen.push(value);
      return value;
    };
    const { api, emulator } = await emulated({
      http: {
        transformRequest: [spy],
        transformResponse: [spy, (data: string) => JSON.parse(data) as unknown],
        headers: { 'X-Instance': 'yes' },
        params: { instance: 'yes' },
      },
      before: (instance) => instance.interceptors.request.use(spy as never),
      after: (instance) => instance.interceptors.request.use(spy as never),
    });
    await api.get('/v1/research');
    expect(emulator.tokenRequests).toBe(1);
    expect(seen.length).toBeGreaterThan(3);
    expect(JSON.stringify(seen)).not.toContain(emulator.clientSecret);
  });

  it.failing(
    'an adapter that is a function gets the secret past every default and transform too',
    async () => {
      const seen: unknown[] = [];
      const spy = (value: unknown): unknown => {
        seen.push(value);
        return value;
      };
      const instance = axios.create({
        transformRequest: [spy],
        transformResponse: [spy],
        headers: { 'X-Instance': 'yes' },
        params: { instance: 'yes' },
      });
      const state = scripted({}, instance);
      await state.auth.getToken();
      expect(JSON.stringify(seen)).not.toContain(SECRET);
      const [request] = state.tokenRequests;
      expect(request?.headers.has('X-Instance')).toBe(false);
      expect(request?.params).toBeUndefined();
    },
  );

  it("nor do axios's global defaults and interceptors", async () => {
    const { api, emulator } = await emulated();
    const use = jest.fn(<T>(config: T): T => config);
    const id = axios.interceptors.request.use(use);
    axios.defaults.headers.common['X-Global'] = 'yes';
    try {
      await api.get('/v1/research');
    } finally {
      axios.interceptors.request.eject(id);
      delete axios.defaults.headers.common['X-Global'];
    }
    expect(use).not.toHaveBeenCalled();
    expect(emulator.tokenRequests).toBe(1);
  });

  it("goes through the instance's adapter and agents, read at the moment of the request", async () => {
    const { api, emulator } = await emulated();
    const agent = new http.Agent();
    const createConnection = jest.spyOn(agent, 'createConnection' as never);
    api.defaults.httpAgent = agent;
    await api.get('/v1/research');
    expect(createConnection).toHaveBeenCalledTimes(2);
    const adapter = jest.fn(axios.getAdapter('fetch'));
    api.defaults.adapter = adapter;
    emulator.revokeTokens();
    await api.get('/v1/research');
    expect(adapter).toHaveBeenCalledTimes(3);
    agent.destroy();
  });

  it('uses no proxy for a loopback token endpoint', async () => {
    const seen: string[] = [];
    const proxy = http.createServer((request, response) => {
      seen.push(request.url ?? '');
      response.end('{}');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as { port: number };
    process.env['http_proxy'] = `http://127.0.0.1:${port}`;
    try {
      const { auth, emulator } = await emulated();
      await auth.getToken();
      expect(emulator.tokenRequests).toBe(1);
      expect(seen).toEqual([]);
    } finally {
      delete process.env['http_proxy'];
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  it.each(['form', 'json'] as const)('in %s encoding', async (tokenEncoding) => {
    const { auth, emulator } = await emulated({ auth: { tokenEncoding } });
    await auth.getToken();
    expect(emulator.tokenLog).toMatchObject([{ encoding: tokenEncoding, status: 200 }]);
  });

  it('to the tokenUrl, where one is configured', async () => {
    const gateway = await startEmulator();
    const { api } = await emulated({
      auth: { ...configFor(gateway), tokenUrl: `${gateway.url}/v1/oauth/token` },
    });
    await api.get('/v1/research');
    expect(gateway.tokenRequests).toBe(1);
  });
});

describe.each(['http', 'fetch'] as const)('8. over %s, the token request', (adapter) => {
  it('is never redirected, and the secret stays where it was sent', async () => {
    const other = await startEmulator();
    const { api, emulator } = await emulated({ http: { adapter } });
    for (const status of [301, 302, 303, 307, 308] as const) {
      emulator.failTokenRequests({ redirectTo: `${other.url}/v1/oauth/token`, status });
      const fresh = axios.create({ adapter });
      installBipsyncAuth(fresh, configFor(emulator));
      expect(await rejection(fresh.get('/v1/research'))).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_REQUEST' });
    }
    expect(other.tokenRequests + other.apiRequests).toBe(0);
    expect(emulator.apiRequests).toBe(0);
    expect((await api.get('/v1/research')).status).toBe(200);
  });

  it.each([201, 202])('counts with status 200 only, not %d', async (status) => {
    const { api, emulator } = await emulated({ http: { adapter } });
    emulator.failTokenRequests({
      status,
      body: { token_type: 'bearer', access_token: 'abc', expires_in: 3600 },
    });
    expect(await rejection(api.get('/v1/research'))).toMatchObject({
      code: 'ERR_BIPSYNC_TOKEN_REQUEST',
      tokenEndpointStatus: status,
    });
    expect(emulator.apiRequests).toBe(0);
  });

  it('is bounded in the size of its answer', async () => {
    const { api, emulator } = await emulated({ http: { adapter } });
    emulator.failTokenRequests({ oversizeBytes: 5_000_000 });
    expect(await rejection(api.get('/v1/research'))).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_RESPONSE' });
    expect(emulator.apiRequests).toBe(0);
  });

  it('reads an answer that comes in drips', async () => {
    const { api, emulator } = await emulated({ http: { adapter } });
    emulator.failTokenRequests({ dripMs: 1 });
    expect((await api.get('/v1/research')).status).toBe(200);
  });

  it.each(['stall', 'stall-mid-body'] as const)('is given up after tokenTimeoutMs (%s)', async (fault) => {
    const { api, emulator } = await emulated({ http: { adapter }, auth: { tokenTimeoutMs: 150 } });
    emulator.failTokenRequests(fault);
    const error = await rejection(api.get('/v1/research'));
    expect(error).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
    expect(error.message).toContain('tokenTimeoutMs');
  });

  atLength.each([
    'reset',
    'reset-mid-body',
    { status: 503 },
    { status: 429, headers: { 'Retry-After': '0' } },
  ] as const)('is repeated after %j', async (fault) => {
    const { api, emulator } = await emulated({ http: { adapter } });
    emulator.failTokenRequests(fault, 2);
    expect((await api.get('/v1/research')).status).toBe(200);
    expect(emulator.tokenRequests).toBe(3);
  });

  it('names the system error where there is no answer at all', async () => {
    const { api, emulator } = await emulated({ http: { adapter } });
    await emulator.close();
    const error = await rejection(api.get('/v1/research'));
    expect(error).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
    expect(error.message).toContain('ECONNREFUSED');
  });
});

describe('with time under control', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });
  const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

  /** The outcome of a call that may take up to a minute of the clock. */
  async function outcome(call: () => Promise<unknown>): Promise<Error & Record<string, unknown>> {
    const failed = rejection(call());
    await advance(60_000);
    return failed;
  }

  /** What a promise has been settled with by now, without waiting for it. */
  const byNow = <T>(promise: Promise<T>): Promise<T | 'still waiting'> =>
    Promise.race([promise, Promise.resolve('still waiting' as const)]);

  describe('9. retries', () => {
    it('network errors, 429 and 5xx twice, with exponential backoff', async () => {
      const at: number[] = [];
      const answers: (Answer | Error)[] = [new Error('socket hang up'), { status: 500 }, { status: 429 }];
      const state = scripted();
      state.onToken = () => {
        at.push(performance.now());
        return answers.shift() ?? tokenAnswer('late');
      };
      const failed = rejection(get(state));
      await advance(10_000);
      expect(await failed).toMatchObject({
        code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
        tokenEndpointStatus: 429,
      });
      expect(at).toHaveLength(3);
      expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(125);
      expect(at[1]! - at[0]!).toBeLessThanOrEqual(250);
      expect(at[2]! - at[1]!).toBeGreaterThanOrEqual(250);
      expect(at[2]! - at[1]!).toBeLessThanOrEqual(500);
    });

    it.each([
      ['seconds', '2', 2000],
      ['a date', (): string => new Date(Date.now() + 3000).toUTCString(), 2000],
      [
        'a date as C writes it',
        (): string =>
          new Date(Date.now() + 3000)
            .toUTCString()
            .replace(/(.+), (.+) (.+) (.+) (.+) GMT/, '$1 $3 $2 $5 $4 GMT'),
        2000,
      ],
    ])('honours a Retry-After in %s', async (_name, value, leastMs) => {
      const state = scripted();
      state.onToken = () =>
        state.tokenRequests.length > 1
          ? tokenAnswer('t')
          : { status: 503, headers: { 'Retry-After': typeof value === 'string' ? value : value() } };
      const answered = get(state);
      await advance(leastMs - 1);
      expect(state.tokenRequests).toHaveLength(1);
      await advance(1002);
      await answered;
      expect(state.tokenRequests).toHaveLength(2);
    });

    it('a Retry-After beyond the time left is not waited for but becomes the cool-down', async () => {
      const state = scripted();
      state.onToken = () => ({ status: 503, headers: { 'Retry-After': '120' } });
      const before = performance.now();
      expect(await rejection(get(state))).toMatchObject({ retryAfterMs: 120_000 });
      expect(performance.now()).toBe(before);
      await advance(119_999);
      expect((await rejection(get(state)))['retryAfterMs']).toBe(1);
      expect(state.tokenRequests).toHaveLength(1);
      await advance(1);
      state.onToken = () => tokenAnswer('t');
      await get(state);
    });

    it('nor is one that takes all of it', async () => {
      const state = scripted({ tokenTimeoutMs: 1000 });
      state.onToken = () => ({ status: 503, headers: { 'Retry-After': '1' } });
      expect(await rejection(state.api.get('/v1/research'))).toMatchObject({ tokenEndpointStatus: 503 });
    });

    it('a Retry-After of hours is a cool-down of five minutes', async () => {
      const state = scripted();
      state.onToken = () => ({ status: 503, headers: { 'Retry-After': '86400' } });
      expect((await rejection(get(state)))['retryAfterMs']).toBe(300_000);
    });

    it.each(['', 'soon', '-5', '1e3', 'Infinity', '99999999999999999999', '1 Jan, 2099'])(
      'a Retry-After of %p is none',
      async (value) => {
        const state = scripted();
        state.onToken = () => ({ status: 503, headers: { 'Retry-After': value } });
        const error = await outcome(() => get(state));
        expect(error).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
        expect(state.tokenRequests).toHaveLength(3);
      },
    );

    it('nor is a redirect that fetch refuses to follow', async () => {
      const state = scripted();
      state.onToken = () =>
        Object.assign(new Error('fetch failed'), { cause: new Error('unexpected redirect') });
      expect(await outcome(() => get(state))).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_REQUEST' });
      expect(state.tokenRequests).toHaveLength(1);
    });

    it.each([400, 401, 403, 404, 405])('a refusal with status %d is not retried', async (status) => {
      const state = scripted();
      state.onToken = () => ({ status });
      await rejection(get(state));
      expect(state.tokenRequests).toHaveLength(1);
    });

    it('but a clientSecret function that now gives another secret earns one more try', async () => {
      const secrets = ['old', 'new'];
      const state = scripted({ clientSecret: () => Promise.resolve(secrets.shift() ?? 'newest') });
      state.onToken = (request) =>
        formOf(request)['client_secret'] === 'new'
          ? tokenAnswer('t')
          : { status: 401, body: { error: 'invalid_client' } };
      await get(state);
      expect(state.tokenRequests.map((request) => formOf(request)['client_secret'])).toEqual(['old', 'new']);
    });

    it('one more, not one each', async () => {
      let asked = 0;
      const state = scripted({ clientSecret: () => `secret-${(asked += 1)}` });
      state.onToken = () => ({ status: 401 });
      await rejection(get(state));
      expect(state.tokenRequests).toHaveLength(2);
    });

    it('and once: the other secret, refused too, is not tried again in the cool-down', async () => {
      const secrets = ['old'];
      const state = scripted({ clientSecret: () => secrets.shift() ?? 'new' });
      state.onToken = () => ({ status: 401 });
      await rejection(get(state));
      await advance(1000);
      await rejection(get(state));
      expect(state.tokenRequests).toHaveLength(2);
    });

    it('each asks the secret function, and one that fails now leaves the secret as it was', async () => {
      const secrets: (() => string)[] = [
        () => 'first',
        () => 'second',
        () => {
          throw new Error(SECRET);
        },
      ];
      const state = scripted({ clientSecret: () => secrets.shift()!() });
      state.onToken = () => (state.tokenRequests.length < 3 ? { status: 503 } : tokenAnswer('t'));
      const answered = get(state);
      await advance(2000);
      await answered;
      expect(state.tokenRequests.map((request) => formOf(request)['client_secret'])).toEqual([
        'first',
        'second',
        'second',
      ]);
    });

    it.failing('a refusal is told also where the secret function hangs when asked again', async () => {
      const secrets: (string | Promise<string>)[] = ['wrong'];
      const state = scripted({ clientSecret: () => secrets.shift() ?? new Promise<string>(() => undefined) });
      state.onToken = () => ({ status: 401, body: { error: 'invalid_client' } });
      const failed = rejection(get(state));
      await advance(10_000);
      expect(await failed).toMatchObject({ code: 'ERR_BIPSYNC_CREDENTIALS' });
      await advance(15_000);
      const again = rejection(get(state));
      await advance(1000);
      expect(await byNow(again)).toMatchObject({ code: 'ERR_BIPSYNC_CREDENTIALS' });
      expect(state.tokenRequests).toHaveLength(1);
    });

    it('all within tokenTimeoutMs, the secret function included', async () => {
      const state = scripted({
        clientSecret: () => new Promise<string>(() => undefined),
        tokenTimeoutMs: 500,
      });
      const failed = rejection(get(state));
      await advance(499);
      const settled = jest.fn();
      void failed.then(settled);
      await advance(0);
      expect(settled).not.toHaveBeenCalled();
      await advance(1);
      expect(await failed).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
      expect(jest.getTimerCount()).toBe(0);
    });
  });

  describe('10. cool-down', () => {
    it.each([
      ['CREDENTIALS', { status: 401 }, 30_000],
      ['CREDENTIALS', { status: 400, body: { error: 'unauthorized_client' } }, 30_000],
      ['CREDENTIALS', { status: 400, body: { error: 'invalid_client' } }, 30_000],
      ['SCOPE', { status: 400, body: { error: 'invalid_scope', error_description: 'no such team' } }, 30_000],
      ['IP_NOT_ALLOWED', { status: 403, body: { error: 'forbidden', message: 'no', hint: 'ip' } }, 30_000],
      ['TOKEN_REQUEST', { status: 404, body: '<html>' }, 30_000],
      ['TOKEN_RESPONSE', { status: 200, body: '<html>' }, 1000],
    ])('after %s (%j): the next requests fail at once for %d ms', async (kind, answer, coolDownMs) => {
      const state = scripted();
      state.onToken = () => answer;
      const first = await rejection(get(state));
      expect(first).toMatchObject({ code: `ERR_BIPSYNC_${kind}`, tokenEndpointStatus: answer.status });
      await advance(coolDownMs - 1);
      const next = await Promise.all(Array.from({ length: 100 }, () => rejection(get(state))));
      expect(state.tokenRequests).toHaveLength(1);
      expect(new Set(next.map(({ code }) => code))).toEqual(new Set([`ERR_BIPSYNC_${kind}`]));
      expect(new Set([...next, first]).size).toBe(101);
      await advance(1);
      state.onToken = () => tokenAnswer('t');
      await get(state);
      expect(state.apiRequests).toHaveLength(1);
    });

    it('of 1 s doubling to 30 s after UNAVAILABLE, back to 1 s after a success', async () => {
      const state = scripted();
      state.onToken = () => ({ status: 500 });
      const retries: unknown[] = [];
      for (let round = 0; round < 7; round += 1) {
        const failed = rejection(get(state));
        await advance(1000);
        await failed;
        retries.push(state.events.at(-1));
        await advance(31_000);
      }
      expect(retries).toMatchObject(
        [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000].map((retryInMs, round) => ({
          type: 'token-failed',
          reason: round === 0 ? 'first' : 'first',
          code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
          retryInMs,
        })),
      );
      state.onToken = () => tokenAnswer('t', 1);
      await get(state);
      await advance(2000);
      state.onToken = () => ({ status: 200 });
      await rejection(get(state));
      expect(state.events.at(-1)).toMatchObject({ retryInMs: 1000, reason: 'expired' });
    });

    it('tells callers how long it lasts, and each has an error of its own', async () => {
      const state = scripted();
      state.onToken = () => ({ status: 401 });
      const waiting = await Promise.all([rejection(get(state)), rejection(get(state))]);
      expect(waiting[0]).not.toBe(waiting[1]);
      await advance(10_000);
      expect((await rejection(get(state)))['retryAfterMs']).toBe(20_000);
    });

    it.each([
      ['throws', () => Promise.reject(new Error(`vault says ${SECRET}`))],
      [
        'throws at once',
        () => {
          throw new Error(SECRET);
        },
      ],
      ['gives no string', () => 42 as unknown as string],
      ['gives an empty string', () => ''],
    ])('after SECRET, where the clientSecret function %s', async (_name, clientSecret) => {
      const state = scripted({ clientSecret });
      const error = await rejection(get(state));
      expect(error).toMatchObject({ code: 'ERR_BIPSYNC_SECRET' });
      expect(error.message).not.toContain(SECRET);
      expect(error.cause).toBeUndefined();
      expect(state.tokenRequests).toHaveLength(0);
      expect(state.events).toMatchObject([{ type: 'token-failed', retryInMs: 1000 }]);
    });

    it('ends with a new secret, for which the function is asked at most once a second', async () => {
      let secret = 'wrong';
      const clientSecret = jest.fn(() => secret);
      const state = scripted({ clientSecret });
      state.onToken = (request) =>
        formOf(request)['client_secret'] === 'right' ? tokenAnswer('t') : { status: 401 };
      await rejection(get(state));
      const asked = clientSecret.mock.calls.length;
      for (let call = 0; call < 100; call += 1) {
        await rejection(get(state));
        await advance(40);
      }
      expect(clientSecret.mock.calls.length - asked).toBeLessThanOrEqual(4);
      expect(state.tokenRequests).toHaveLength(1);
      secret = 'right';
      await advance(1000);
      await get(state);
      expect(state.tokenRequests).toHaveLength(2);
    });

    it.each<[string, string | (() => string)]>([
      ['a secret', 'wrong'],
      ['a function that gives the same', () => 'wrong'],
    ])(
      'lasts as long as it was to, however many requests come in it, with %s',
      async (_what, clientSecret) => {
        const state = scripted({ clientSecret });
        state.onToken = () => ({ status: 401 });
        for (let second = 0; second < 30; second += 1) {
          await rejection(get(state));
          await advance(second < 29 ? 1000 : 999);
        }
        await rejection(get(state));
        expect(state.tokenRequests).toHaveLength(1);
        expect(state.events.map(({ type }) => type)).toEqual(['token-failed']);
        await advance(1);
        await rejection(get(state));
        expect(state.tokenRequests).toHaveLength(2);
      },
    );

    it('ends with invalidate(), also for the request that is asking the function just then', async () => {
      const secrets: (string | Promise<string>)[] = ['right', 'right'];
      const late = deferred<string>();
      const state = scripted({ clientSecret: () => secrets.shift() ?? late.promise });
      state.onToken = () => ({ status: 401 });
      await rejection(get(state));
      await advance(1000);
      state.onToken = () => tokenAnswer('t');
      const asking = get(state);
      await advance(0);
      state.auth.invalidate();
      const another = get(state);
      late.resolve('right');
      await Promise.all([asking, another]);
      expect(state.sent).toEqual(['Bearer t', 'Bearer t']);
      expect(state.tokenRequests).toHaveLength(2);
    });

    it('also where the function gives another secret each time, or throws, or hangs', async () => {
      let asked = 0;
      const restless = scripted({ clientSecret: () => `secret-${(asked += 1)}` });
      restless.onToken = () => ({ status: 401 });
      for (let call = 0; call < 20; call += 1) await rejection(get(restless));
      expect(restless.tokenRequests).toHaveLength(2);

      const hanging = scripted({
        clientSecret: () => new Promise<string>(() => undefined),
        tokenTimeoutMs: 500,
      });
      const first = rejection(get(hanging));
      await advance(500);
      await first;
      await advance(999);
      const next = await rejection(get(hanging));
      expect(next['retryAfterMs']).toBe(1);
    });

    it.failing.each([
      ['CREDENTIALS', { status: 401 }, 30_000],
      ['TOKEN_UNAVAILABLE', { status: 429, headers: { 'retry-after': '300' } }, 300_000],
    ])(
      'after %s stays as long, and the same, where the function hangs meanwhile',
      async (code, answer, ms) => {
        const secrets: (string | Promise<string>)[] = ['the-secret', 'the-secret'];
        const state = scripted({
          clientSecret: () => secrets.shift() ?? new Promise<string>(() => undefined),
        });
        state.onToken = () => answer;
        await rejection(get(state));
        secrets.length = 0;
        const end = performance.now() + ms;
        while (performance.now() < end - 1000) {
          const failed = rejection(get(state));
          await advance(1000);
          expect(await byNow(failed)).toMatchObject({ code: `ERR_BIPSYNC_${code}` });
        }
        expect(state.tokenRequests).toHaveLength(1);
        await advance(1000);
        secrets.push('the-secret');
        state.onToken = () => tokenAnswer('t');
        await get(state);
        expect(state.tokenRequests).toHaveLength(2);
      },
    );

    it('that ends while a request asks whether the secret has changed lets that request go on', async () => {
      const late = deferred<string>();
      const secrets: (string | Promise<string>)[] = ['the-secret', 'the-secret', late.promise];
      const state = scripted({ clientSecret: () => secrets.shift() ?? 'the-secret' });
      state.onToken = () => ({ status: 403 });
      await rejection(get(state));
      await advance(29_900);
      state.onToken = () => tokenAnswer('t');
      const asking = get(state);
      await advance(200);
      late.resolve('the-secret');
      await asking;
      expect(state.sent).toEqual(['Bearer t']);
    });

    it('after SECRET ends as soon as the function gives a secret, also the one that once served', async () => {
      let broken = false;
      const state = scripted({
        clientSecret: () => {
          if (broken) throw new Error(SECRET);
          return 'the-secret';
        },
      });
      await get(state);
      broken = true;
      state.auth.invalidate();
      for (const seconds of [1, 2, 4, 8]) {
        expect(await rejection(get(state))).toMatchObject({ code: 'ERR_BIPSYNC_SECRET' });
        await advance(seconds * 1000);
      }
      expect(await rejection(get(state))).toMatchObject({ code: 'ERR_BIPSYNC_SECRET' });
      broken = false;
      await advance(1000);
      await get(state);
      expect(state.tokenRequests).toHaveLength(2);
    });

    it('does not make others wait for the one that asks whether the secret has changed', async () => {
      let secret: string | Promise<string> = 'wrong';
      const state = scripted({ clientSecret: () => secret });
      state.onToken = () => ({ status: 401 });
      await rejection(get(state));
      await advance(1000);
      const late = deferred<string>();
      secret = late.promise;
      const asking = get(state);
      await rejection(get(state));
      state.onToken = () => tokenAnswer('t');
      late.resolve('right');
      await asking;
      expect(state.sent).toEqual(['Bearer t']);
    });

    it('of a refused secret is not shortened by a function that throws when asked again', async () => {
      const answers: (() => string)[] = [
        () => 'wrong',
        () => {
          throw new Error('vault');
        },
      ];
      const state = scripted({ clientSecret: () => answers.shift()!() });
      state.onToken = () => ({ status: 401 });
      expect(await rejection(get(state))).toMatchObject({
        code: 'ERR_BIPSYNC_CREDENTIALS',
        retryAfterMs: 30_000,
      });
    });

    it('is not there while a usable token is', async () => {
      const state = scripted();
      await get(state);
      await advance(56 * 60_000);
      state.onToken = () => ({ status: 401 });
      await Promise.all([get(state), get(state)]);
      await get(state);
      expect(state.apiRequests).toHaveLength(4);
    });

    it('tells of itself whoever waited, also where invalidate() ends it at that moment', async () => {
      for (let microtasks = 0; microtasks < 20; microtasks += 1) {
        const state = scripted();
        const answer = deferred<Answer>();
        state.onToken = () => answer.promise;
        const failed = rejection(get(state));
        await advance(0);
        answer.resolve({ status: 401 });
        for (let i = 0; i < microtasks; i += 1) await Promise.resolve();
        state.auth.invalidate();
        expect(await failed).toMatchObject({ code: 'ERR_BIPSYNC_CREDENTIALS', tokenEndpointStatus: 401 });
      }
    });

    it('of one team leaves another alone', async () => {
      const state = scripted();
      state.onToken = (request) =>
        formOf(request)['scope'] === 'team_a1'
          ? { status: 400, body: { error: 'invalid_scope' } }
          : tokenAnswer('t');
      await rejection(get(state));
      await state.api.get('/v1/research', { bipsyncAuth: { teamId: 'b2' } });
      expect(state.apiRequests).toHaveLength(1);
    });
  });

  it('an adapter that ignores the abort signal is given up all the same, and its late answer harms nobody', async () => {
    const state = scripted({ tokenTimeoutMs: 1000 });
    const answer = deferred<Answer>();
    state.onToken = () => answer.promise;
    const failed = rejection(get(state));
    await advance(1000);
    expect(await failed).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
    answer.resolve(tokenAnswer('late'));
    await advance(1000);
    state.onToken = () => tokenAnswer('fresh');
    await get(state);
    expect(state.sent).toEqual(['Bearer fresh']);
  });
});

it('100 calls with a wrong secret make at most 5 token requests, and none to the API', async () => {
  const { api, emulator } = await emulated({ auth: { clientSecret: 'wrong' } });
  for (let call = 0; call < 10; call += 1) {
    const errors = await Promise.all(Array.from({ length: 10 }, () => rejection(api.get('/v1/research'))));
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['ERR_BIPSYNC_CREDENTIALS']));
  }
  expect(emulator.tokenRequests).toBeLessThanOrEqual(5);
  expect(emulator.apiRequests).toBe(0);
});

it('a host that is called redirect, and is not found, is no redirect', async () => {
  const state = scripted({ client: undefined, baseURL: 'https://redirect.example' });
  state.onToken = () =>
    Object.assign(new Error('getaddrinfo ENOTFOUND redirect.example'), { code: 'ENOTFOUND' });
  expect(await rejection(get(state))).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
});

it('a secret that cannot be encoded as it is gets an answer as any other', async () => {
  const state = scripted({ clientSecret: 'half a pair: \ud800!' });
  state.onToken = (request) => ({
    status: 401,
    body: { error: 'invalid_client', error_description: formOf(request)['client_secret'] },
  });
  const error = await rejection(get(state));
  expect(error).toMatchObject({ code: 'ERR_BIPSYNC_CREDENTIALS', oauthError: 'invalid_client' });
  expect(error).not.toHaveProperty('oauthErrorDescription');
});

it.each([
  ['without the white space around it', 's3cr3t-abc\n', 's3cr3t-abc'],
  ['as lower-case percent encoding has it', 'a+b/c==', 'a%2bb%2fc%3d%3d'],
  ['as HTML has it', `p&q<r>"s'`, 'p&amp;q&lt;r&gt;&quot;s&#039;'],
])('an echo of the secret is left out also %s', async (_how, secret, echo) => {
  const state = scripted({ clientSecret: secret });
  state.onToken = () => ({
    status: 401,
    body: { error: 'invalid_client', error_description: `bad ${echo}!` },
  });
  const error = await rejection(get(state));
  expect(error).toMatchObject({ oauthError: 'invalid_client' });
  expect(error).not.toHaveProperty('oauthErrorDescription');
  expect(error.message).not.toContain(echo);
});

it('what the token endpoint says is shown in one short line', async () => {
  const state = scripted();
  const error_description = `The client is unknown.\r\nX: ${'so '.repeat(1000)}`;
  state.onToken = () => ({ status: 400, body: { error: 'invalid_request', error_description } });
  const error = await rejection(get(state));
  expect(error['oauthError']).toBe('invalid_request');
  expect(error['oauthErrorDescription']).toMatch(/^The client is unknown\. X: (?:so )+s?o?$/);
  expect(String(error['oauthErrorDescription'])).toHaveLength(300);
});

it('what the token endpoint says is not shown if it repeats the secret in any form', async () => {
  const secret = 'p@ss (w)ord/+"x"';
  const state = scripted({ clientSecret: secret });
  state.onToken = () => ({
    status: 400,
    body: {
      error: 'invalid_request',
      error_description: `bad ${secret} or ${encodeURIComponent(secret)} or ${new URLSearchParams({ s: secret }).toString().slice(2)} or ${JSON.stringify(secret).slice(1, -1)}\r\nX: ${'y'.repeat(1000)}`,
    },
  });
  const error = await rejection(get(state));
  expect(error['oauthError']).toBe('invalid_request');
  expect(error).not.toHaveProperty('oauthErrorDescription');
  expect(error.message).not.toContain(secret);
});
