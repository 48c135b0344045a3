import http from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { inspect } from 'node:util';

import axios, { type AxiosAdapter, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import axiosRetry from 'axios-retry';

import type { BipsyncEmulator } from '../../src/testing';
import { emulated } from '../support/emulated';
import { rejection, scripted, SECRET } from '../support/scripted';

/** Everything that a logger could make of a value. */
function logged(value: unknown): string {
  const printed: string[] = [];
  const spies = [jest.spyOn(process.stdout, 'write'), jest.spyOn(process.stderr, 'write')];
  for (const spy of spies) {
    spy.mockImplementation((text) => {
      printed.push(String(text));
      return true;
    });
  }
  new console.Console(process.stdout, process.stderr).log(value);
  for (const spy of spies) spy.mockRestore();
  const { toJSON } = value as { toJSON?: () => unknown };
  return [
    ...printed,
    inspect(value, { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity }),
    JSON.stringify(value) ?? '',
    JSON.stringify(toJSON?.call(value)) ?? '',
    String((value as Error).stack),
    inspect(Object.entries(value as object), { depth: 10 }),
  ].join('\n');
}

type Headers = InternalAxiosRequestConfig['headers'];

/** A response with the `Authorization` that was sent. */
const answerTo = (config: InternalAxiosRequestConfig): AxiosResponse => ({
  status: 200,
  statusText: '',
  headers: {},
  config,
  data: config.headers.get('Authorization'),
});

describe.each(['http', 'fetch'] as const)(
  '20. over %s, what callers see shows neither secret nor token',
  (adapter) => {
    async function setUp(options: Parameters<typeof emulated>[0] = {}): Promise<{
      get: Awaited<ReturnType<typeof emulated>>;
      check: (value: unknown) => void;
    }> {
      const get = await emulated({ ...options, http: { adapter, ...options.http } });
      const { accessToken } = await get.auth.getToken();
      return {
        get,
        check: (value) => {
          const text = logged(value);
          expect(text.length).toBeGreaterThan(100);
          expect(text).not.toContain(get.emulator.clientSecret);
          expect(text).not.toContain(accessToken);
          expect(text).not.toMatch(/Bearer (?!error)[\w-]{20}/);
        },
      };
    }

    it.each([404, 500, 429])('an error with status %d shows neither secret nor token', async (status) => {
      const { get, check } = await setUp();
      get.emulator.failApiRequests({ status, body: { error: 'x' } });
      const error = await rejection(get.api.post('/v1/research', { some: 'data' }));
      expect(error['status']).toBe(status);
      check(error);
      expect((error as unknown as { response: { data: unknown } }).response.data).toEqual({ error: 'x' });
    });

    it('the error of a 401 shows neither secret nor token', async () => {
      const { get, check } = await setUp();
      check(await rejection(get.api.get('/v1/field')));
    });

    it('a time-out shows neither secret nor token', async () => {
      const { get, check } = await setUp();
      get.emulator.failApiRequests('stall');
      const error = await rejection(get.api.get('/v1/research', { timeout: 50 }));
      expect(['ECONNABORTED', 'ETIMEDOUT']).toContain(error['code']);
      check(error);
    });

    it('a reset shows neither secret nor token', async () => {
      const { get, check } = await setUp();
      get.emulator.failApiRequests('reset');
      check(await rejection(get.api.get('/v1/research')));
    });

    it('a cancelled request, by signal shows neither secret nor token', async () => {
      const { get, check } = await setUp();
      get.emulator.failApiRequests('stall');
      const controller = new AbortController();
      const failed = rejection(get.api.get('/v1/research', { signal: controller.signal }));
      setTimeout(() => controller.abort(), 30);
      const error = await failed;
      expect(axios.isCancel(error)).toBe(true);
      check(error);
    });

    it('a cancelled request, by cancelToken shows neither secret nor token', async () => {
      const { get } = await setUp();
      get.emulator.failApiRequests('stall');
      const source = axios.CancelToken.source();
      const failed = rejection(get.api.get('/v1/research', { cancelToken: source.token }));
      setTimeout(() => source.cancel('enough'), 30);
      const error = await failed;
      expect(axios.isCancel(error)).toBe(true);
      // JSON of it is beyond axios itself over fetch: its config leads back to it.
      expect(inspect(error, { depth: Infinity })).not.toMatch(/Bearer [\w.-]{10,}/);
    });

    it('the error of a transform shows neither secret nor token', async () => {
      const { get, check } = await setUp({
        http: { responseType: 'json', transitional: { silentJSONParsing: false } },
      });
      get.emulator.failApiRequests({ status: 200, body: '{"cut' });
      check(await rejection(get.api.get('/v1/research')));
    });

    it('a streamed error shows neither secret nor token', async () => {
      const { get, check } = await setUp({ http: { responseType: 'stream' } });
      get.emulator.failApiRequests({ status: 500, body: 'x' });
      const error = await rejection(get.api.get('/v1/research'));
      check(error);
      const { data } = (error as unknown as { response: { data: AsyncIterable<Uint8Array> } }).response;
      let text = '';
      for await (const chunk of data) text += Buffer.from(chunk).toString();
      expect(text).toBe('x');
    });

    it('an error shows no token of other requests under way on the same agent', async () => {
      const httpAgent = new http.Agent({ keepAlive: true });
      const { get, check } = await setUp({ http: { httpAgent } });
      get.emulator.failApiRequests({ status: 404 });
      get.emulator.failApiRequests({ delayMs: 200 });
      const first = rejection(get.api.get('/v1/research'));
      const second = get.api.get('/v1/research');
      const error = await first;
      check(error);
      expect((error as unknown as { config: { httpAgent: unknown } }).config.httpAgent).toBe(httpAgent);
      await second;
      expect((await get.api.get('/v1/research')).status).toBe(200);
      httpAgent.destroy();
    });

    it('an error of a request without a token shows no token of others on the same agent', async () => {
      const httpAgent = new http.Agent({ keepAlive: true });
      const { get, check } = await setUp({ http: { httpAgent } });
      get.emulator.failApiRequests({ delayMs: 200 });
      const second = get.api.get('/v1/research');
      await new Promise((resolve) => setTimeout(resolve, 50));
      check(await rejection(get.api.get('http://127.0.0.1:1/x')));
      check(await rejection(get.api.get('/nowhere', { bipsyncAuth: false })));
      await second;
      httpAgent.destroy();
    });

    it('a late error of a streamed body shows neither secret nor token', async () => {
      const { get, check } = await setUp({ http: { responseType: 'stream' } });
      get.emulator.failApiRequests('stall-mid-body');
      const controller = new AbortController();
      const { data } = await get.api.get<AsyncIterable<unknown>>('/v1/research', {
        signal: controller.signal,
      });
      const failed = rejection(
        (async () => {
          for await (const chunk of data) if (chunk) controller.abort();
        })(),
      );
      setTimeout(() => controller.abort(), 100);
      check(await failed);
    });

    it('an error of an upload that is still under way shows neither secret nor token', async () => {
      const { get, check } = await setUp();
      get.emulator.failApiRequests({ status: 413, body: {} });
      const body = Readable.from(
        (async function* () {
          for (let chunk = 0; chunk < 200; chunk += 1) yield Buffer.alloc(65_536);
        })(),
      );
      body.on('error', () => undefined);
      check(await rejection(get.api.post('/v1/research', body)));
      body.destroy();
    });

    it.each<[string, (emulator: BipsyncEmulator) => unknown]>([
      ['a time-out', (emulator) => (emulator.revokeTokens(), (emulator.tokenDelayMs = 300))],
      ['a 500', (emulator) => emulator.failApiRequests({ status: 500 })],
      ['a 401 after a new token', (emulator) => emulator.failApiRequests({ status: 401 }, 2)],
    ])('%s that an earlier interceptor prints shows neither secret nor token', async (_what, fail) => {
      const seen: unknown[] = [];
      const { get, check } = await setUp({
        before: (api) => {
          api.interceptors.response.use(undefined, (error: unknown) => {
            // Now, because the interceptors that follow could hide it.
            check(error);
            seen.push(error);
            throw error;
          });
        },
      });
      fail(get.emulator);
      await rejection(get.api.get('/v1/research', { timeout: 100 }));
      expect(seen).toHaveLength(1);
    });

    it('a token failure shows neither secret nor token', async () => {
      const { get, check } = await setUp();
      get.auth.invalidate();
      get.emulator.rotateSecret();
      const error = await rejection(get.api.get('/v1/research'));
      expect(error['code']).toBe('ERR_BIPSYNC_CREDENTIALS');
      expect(error.cause).toBeUndefined();
      check(error);
    });

    it('the handle and the instance show neither secret nor token', async () => {
      const { get, check } = await setUp();
      await get.api.get('/v1/research');
      check(get.auth);
      check(get.api);
      check(get.api.interceptors);
    });

    it.each([
      ['success', 'assigns to', (headers: Headers) => void (headers.Authorization = 'Basic eA==')],
      ['success', 'sets in', (headers: Headers) => void headers.set('Authorization', 'Basic eA==')],
      ['failure', 'assigns to', (headers: Headers) => void (headers.Authorization = 'Basic eA==')],
      ['failure', 'sets in', (headers: Headers) => void headers.set('Authorization', 'Basic eA==')],
    ])(
      'after a %s, a header that a caller %s the config is sent with it by an instance without the plugin',
      async (outcome, _, give) => {
        const { get } = await setUp();
        if (outcome === 'failure') get.emulator.failApiRequests({ status: 500 }, 1);
        const sent = get.api.get('/v1/research');
        const { config } = (outcome === 'failure' ? await rejection(sent) : await sent) as {
          config: InternalAxiosRequestConfig;
        };
        const server = {
          adapter: (request: InternalAxiosRequestConfig) => Promise.resolve(answerTo(request)),
        };
        const resend = (): Promise<AxiosResponse> => axios.request({ ...config, ...server });
        expect((await resend()).data).toBeUndefined();
        config.headers.Authorization = 'Basic eQ==';
        give(config.headers);
        expect((await resend()).data).toBe('Basic eA==');
        expect(delete config.headers['Authorization']).toBe(true);
        expect((await resend()).data).toBeUndefined();
        // The caller may want the very same token.
        const { Authorization: authorization } = config.headers;
        expect(authorization).toMatch(/^Bearer /);
        config.headers.Authorization = String(authorization);
        expect((await resend()).data).toBe(authorization);
      },
    );

    it('retrying plugins that send error.config again keep working', async () => {
      const { get } = await setUp({ before: (api) => axiosRetry(api, { retries: 2, retryDelay: () => 1 }) });
      get.emulator.failApiRequests({ status: 503 }, 2);
      expect((await get.api.get('/v1/research')).status).toBe(200);
      expect(get.emulator.requests.map(({ authorization }) => authorization)).toEqual([
        'valid',
        'valid',
        'valid',
      ]);
      expect(get.emulator.tokenRequests).toBe(1);
    });
  },
);

it('20. a time-out shows no secret while the token request waits for a socket', async () => {
  const httpAgent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const { api, emulator } = await emulated({ http: { httpAgent, adapter: 'http' } });
  emulator.failApiRequests('stall');
  const controller = new AbortController();
  const stalled = rejection(api.get('/v1/research', { bipsyncAuth: false, signal: controller.signal }));
  while (emulator.apiRequests < 1) await new Promise((resolve) => setTimeout(resolve, 5));
  const error = await rejection(api.get('/v1/research', { timeout: 50 }));
  expect(error['code']).toBe('ECONNABORTED');
  const bytes = Buffer.from(`client_secret=${emulator.clientSecret}`).join(',');
  expect(logged(error).replace(/\s/g, '')).not.toContain(bytes);
  expect(logged(error)).not.toContain(emulator.clientSecret);
  controller.abort();
  await stalled;
  httpAgent.destroy();
});

describe('20. concealment', () => {
  it('the header of an answered request is readable by its name, and found by nothing else', async () => {
    const state = scripted();
    state.onApi = () => ({ status: 500 });
    const error = (await rejection(state.api.get('/v1/research'))) as unknown as {
      config: { headers: Record<string, unknown> & { has(name: string): boolean } };
      request: unknown;
      response: { config: unknown; request: unknown };
    };
    expect(error.config.headers.has('Authorization')).toBe(false);
    expect(error.response.config).toBe(error.config);
    expect(error.config.headers['Authorization']).toBe('Bearer token-1');
    expect(error.config).toBe(state.apiRequests[0]);
    expect(Object.keys(error.config.headers)).not.toContain('Authorization');
    expect(error.request).toBeDefined();
    expect(Object.keys(error)).not.toContain('request');
    expect(Object.keys(error.response)).not.toContain('request');
  });

  it("an error of a request without a token keeps its caller's header, and hides its raw request all the same", async () => {
    const state = scripted();
    state.onApi = () => ({ status: 500 });
    const error = (await rejection(
      state.api.get('https://other.example/', { headers: { Authorization: 'Bearer theirs' } }),
    )) as unknown as { config: { headers: { get(name: string): unknown } }; request: unknown };
    expect(error.config.headers.get('Authorization')).toBe('Bearer theirs');
    expect(Object.keys(error)).not.toContain('request');
    expect(error.request).toBeDefined();
  });

  it.each([undefined, null, 'text', 42])('an adapter may reject with %p', async (reason) => {
    const state = scripted();

    state.api.defaults.adapter = (config) =>
      config.url === '/v1/oauth/token'
        ? Promise.resolve({
            data: { token_type: 'bearer', access_token: 'abc' },
            status: 200,
            statusText: '',
            headers: {},
            config,
          })
        : Promise.reject(reason);
    await expect(state.api.get('/v1/research')).rejects.toBe(reason);
  });

  describe('a config whose headers are a plain object, because an adapter has copied them,', () => {
    const answered = async (): Promise<InternalAxiosRequestConfig> => {
      const state = scripted();
      state.onApi = (config) => {
        Object.assign(config, { headers: Object.assign({ traceparent: '00-1' }, config.headers) });
        return {};
      };
      return (await state.api.get('/v1/x', { headers: { 'X-Own': 'kept' } })).config;
    };

    it('shows no token, though the token can be read by its name', async () => {
      const config = await answered();
      expect(config.headers['Authorization']).toBe('Bearer token-1');
      expect(JSON.stringify([config, Object.assign({}, config.headers)])).not.toContain('token-1');
      expect(inspect(config, { depth: null, showHidden: true })).not.toContain('token-1');
    });

    it('is sent again with all headers but the token', async () => {
      const sent: unknown[] = [];
      const plain = axios.create();
      await plain.request({
        ...(await answered()),
        adapter: async (config) => {
          sent.push(config.headers.toJSON());
          return { status: 200, statusText: '', headers: {}, data: '', config };
        },
      });
      expect(sent).toEqual([expect.objectContaining({ 'X-Own': 'kept', traceparent: '00-1' })]);
      expect(Object.keys(sent[0] as object)).not.toContain('Authorization');
    });

    it('is sent again with a header that the caller has assigned', async () => {
      const config = await answered();
      config.headers['Authorization'] = 'Bearer mine';
      expect(Object.assign({}, config.headers)).toMatchObject({
        Authorization: 'Bearer mine',
        'X-Own': 'kept',
      });
    });
  });

  it('a success shows no token if the adapter returns another config than it was given', async () => {
    const state = scripted();
    const { adapter } = state.api.defaults as { adapter: AxiosAdapter };
    state.api.defaults.adapter = async (config) => {
      const response = await adapter(config);
      const copy = { ...config, headers: new axios.AxiosHeaders(config.headers.toJSON()), isCopy: true };
      return { ...response, config: copy };
    };
    const response = await state.api.get('/v1/x');
    expect(response.config).toMatchObject({ isCopy: true });
    expect(response.config.headers['Authorization']).toBe('Bearer token-1');
    expect(inspect(response, { depth: 20 })).not.toContain('token-1');
    expect(JSON.stringify(response.config)).not.toContain('token-1');
  });

  it('a success whose body is still to be read shows no token even with showHidden, because it may become an error', async () => {
    const state = scripted();
    const response = await state.api.get('/v1/x', { responseType: 'stream' });
    expect(inspect(response, { depth: 20, showHidden: true })).not.toContain('token-1');
    expect(response.request).toHaveProperty('_header', 'Authorization: Bearer token-1');
  });

  it('the header of an answered request is in no loop over its headers', async () => {
    const { api } = scripted();
    const { headers } = (await api.get('/v1/x')).config;
    const names: string[] = [];
    for (const name in headers) names.push(name);
    expect(names).toContain('Accept');
    expect(names).not.toContain('Authorization');
    expect(Object.keys(headers)).not.toContain('Authorization');
    expect(headers.Authorization).toBe('Bearer token-1');
  });

  describe.each([
    ['freezes the headers', (config: InternalAxiosRequestConfig): void => void Object.freeze(config.headers)],
    ['seals the headers', (config: InternalAxiosRequestConfig): void => void Object.seal(config.headers)],
    [
      'writes the header in lower case',
      ({ headers }: InternalAxiosRequestConfig): void => {
        const { Authorization: authorization } = headers;
        delete headers['Authorization'];
        headers['authorization'] = authorization;
      },
    ],
    [
      'takes the header away',
      ({ headers }: InternalAxiosRequestConfig): void => {
        delete headers['Authorization'];
      },
    ],
  ])('with an adapter that %s', (what, treat) => {
    it.each(['success', 'failure'])(
      `after a %s, a config shows no token if the adapter ${what}`,
      async (outcome) => {
        const state = scripted();
        state.onApi = (config) => {
          treat(config);
          return outcome === 'success' ? {} : new axios.AxiosError('failed', 'ERR_X', config);
        };
        const sent = state.api.get('/v1/x', { headers: { 'X-Own': 'kept' } });
        const { config } = (outcome === 'success' ? await sent : await rejection(sent)) as {
          config: InternalAxiosRequestConfig;
        };
        expect(state.sent).toEqual(['Bearer token-1']);
        expect(inspect(config, { depth: 20 })).toContain("'X-Own': 'kept'");
        expect(inspect(config, { depth: 20, showHidden: true })).not.toContain('token-1');
        expect(JSON.stringify({ ...config })).not.toContain('token-1');
      },
    );
  });

  it('frozen errors and errors without a config pass unchanged', async () => {
    const state = scripted();
    const frozen = Object.freeze(new Error('frozen'));
    state.onApi = () => frozen;
    expect(await rejection(state.api.get('/v1/research'))).toBe(frozen);
  });

  it('the secret is in no error whatever the token endpoint does', async () => {
    for (const answer of [
      { status: 500 },
      { status: 400, body: SECRET },
      new Error(SECRET),
      { status: 200, body: SECRET },
    ]) {
      const state = scripted({ tokenTimeoutMs: 50 });
      state.onToken = () => answer;
      expect(logged(await rejection(state.api.get('/v1/research')))).not.toContain(SECRET);
    }
  });
});

describe("a 401's cause", () => {
  it("a 401's cause is an own property that is not enumerable", async () => {
    const state = scripted({ scopes: ['users:read'] });
    state.onApi = () => ({ status: 401 });
    const error = await rejection(state.api.get('/v1/x'));
    expect(Object.getOwnPropertyDescriptor(error, 'cause')).toMatchObject({
      enumerable: false,
      writable: true,
      configurable: true,
    });
    expect(error.cause).toMatchObject({ code: 'ERR_BIPSYNC_ACCESS_DENIED' });
    expect((error.cause as Error).message).toBe(
      'The API answered 401. A new token did not help (for this request, or for an earlier one), or the API said that the scopes of the token are not enough. The scopes asked for are ' +
        '"team_a1 users:read". Check which scope this endpoint needs, and whether it was granted to the client.',
    );
  });

  it('an error has no cause if there is nothing to explain', async () => {
    const state = scripted();
    state.onApi = () => ({ status: 500 });
    expect('cause' in (await rejection(state.api.get('/v1/x')))).toBe(false);
    state.onApi = () => ({ status: 401 });
    const data = { pipe: (): undefined => undefined };
    expect('cause' in (await rejection(state.api.post('/v1/x', data)))).toBe(false);
  });
});

describe('20. what an error leads to', () => {
  /** An error of an adapter that wraps another `depth` times. */
  const wrapped = (config: InternalAxiosRequestConfig, depth: number): Error => {
    let error: Error = new axios.AxiosError('innermost', 'ERR_X', config);
    for (let level = 0; level < depth; level += 1) error = new Error(`level ${level}`, { cause: error });
    return error;
  };

  it.each([0, 1, 5])('an error shows no token at a depth of %d causes', async (depth) => {
    const state = scripted();
    state.onApi = (request) => wrapped(request, depth);
    const error = await rejection(state.api.get('/v1/x'));
    expect(inspect(error, { depth: 20 })).not.toContain('token-1');
    expect(state.sent).toEqual(['Bearer token-1']);
  });

  it.each(['req', 'res', 'socket'])(
    'an error shows no token by way of a %s of Node that an adapter put on it',
    async (name) => {
      const state = scripted();
      state.onApi = (config) => {
        const raw = {
          req: { _header: '', agent: {} },
          res: { httpVersion: '1.1', req: {} },
          socket: { _httpMessage: {}, server: null },
        }[name];
        const way = Object.assign(new PassThrough(), raw, { sent: config.headers['Authorization'] });
        return Object.assign(new axios.AxiosError('failed', 'ERR_X', config), { [name]: way });
      };
      const error = await rejection(state.api.get('/v1/x'));
      expect(inspect(error, { depth: 20 })).not.toContain('token-1');
      expect(inspect(error, { depth: 20 })).toContain(`${name}: [PassThrough]`);
    },
  );

  it.each([
    ['request', { httpVersion: '1.1', url: '/theirs' }],
    ['response', { _header: '', req: {} }],
    ['connection', { _httpMessage: {}, server: {} }],
  ])("a %s of the caller's own server prints as before after an error", async (_what, raw) => {
    const inbound = Object.assign(new PassThrough(), raw);
    const before = inspect(inbound, { depth: 1 });
    const state = scripted();
    state.onApi = () => ({ status: 500 });
    await rejection(state.api.get('/v1/x', { inbound } as object));
    expect(inspect(inbound, { depth: 1 })).toBe(before);
  });

  it("a getter of the caller's own named request works as before after an error", async () => {
    class Context {
      readonly #request = new URL('https://theirs.example/');
      get request(): object {
        return this.#request;
      }
    }
    const context = new Context();
    const state = scripted();
    state.onApi = () => ({ status: 500 });
    await rejection(state.api.get('/v1/x', { context } as object));
    expect(context.request).toHaveProperty('pathname', '/');
  });

  it('an error shows no token in headers that an adapter has copied to it, under any name', async () => {
    const state = scripted();
    state.onApi = (config) =>
      Object.assign(new axios.AxiosError('failed', 'ERR_X', config), {
        meta: { sent: { authorization: config.headers['Authorization'], accept: 'all' } },
      });
    const error = await rejection(state.api.get('/v1/x'));
    expect(inspect(error, { depth: 20 })).not.toContain('token-1');
    expect(JSON.stringify(Object.assign({}, error))).not.toContain('token-1');
    expect(error['meta']).toMatchObject({ sent: { accept: 'all' } });
    // Who asks for the header by its name still gets it.
    expect(error['meta']).toHaveProperty('sent.authorization', 'Bearer token-1');
  });

  it('console.dir shows no token of an error that an interceptor made of a success', async () => {
    const { api } = await emulated({ http: { adapter: 'http' } });
    api.interceptors.response.use((response) => {
      throw new axios.AxiosError('theirs', 'GQL', response.config, response.request, response);
    });
    const error = await rejection(api.get('/v1/research'));
    expect(inspect(error, { customInspect: false })).toContain('ClientRequest');
    expect(inspect(error, { customInspect: false })).not.toMatch(/Bearer/);
  });

  it('an error that leads back to itself is concealed', async () => {
    const state = scripted();
    state.onApi = (request) => {
      const error = wrapped(request, 1);
      (error.cause as Error).cause = error;
      return error;
    };
    const error = await rejection(state.api.get('/v1/x'));
    expect(inspect(error, { depth: 20 })).not.toContain('token-1');
  });

  it.each([null, undefined, 'text', 7])(
    'an error whose response has the body %p is concealed',
    async (data) => {
      const state = scripted();
      state.onApi = (config) =>
        new axios.AxiosError('failed', 'ERR_X', config, undefined, {
          ...{ status: 500, statusText: '', headers: {}, config, data },
        });
      const error = await rejection(state.api.get('/v1/x'));
      expect(error.message).toBe('failed');
      expect(inspect(error, { depth: 20 })).not.toContain('token-1');
    },
  );

  it('an error whose response is null is concealed', async () => {
    const state = scripted();
    state.onApi = (request) => Object.assign(wrapped(request, 0), { response: null });
    const error = await rejection(state.api.get('/v1/x'));
    expect(error.message).toBe('innermost');
    expect(inspect(error, { depth: 20 })).not.toContain('token-1');
  });

  it('an error shows no token if its response alone has the config', async () => {
    const state = scripted();
    state.onApi = (config) =>
      Object.assign(new Error('bare'), {
        response: { status: 500, config, data: 'text', headers: {}, request: { _header: 'Bearer token-1' } },
      });
    const error = await rejection(state.api.get('/v1/x'));
    expect(inspect(error, { depth: 20 })).not.toContain('token-1');
    expect(Object.getOwnPropertyNames(error)).not.toContain('config');
    expect(Object.getOwnPropertyNames(error)).not.toContain('request');
  });

  it.each(['httpAgent', 'httpsAgent'])(
    'an error shows nothing of other requests under way on its %s',
    async (name) => {
      const under = [{ _header: 'Authorization: Bearer token-1' }];
      const agent = {
        sockets: { a: under },
        freeSockets: { a: under },
        requests: { a: under },
        maxSockets: 7,
      };
      const state = scripted();
      state.onApi = (config) => new axios.AxiosError('failed', 'ERR_X', config);
      const error = await rejection(state.api.get('/v1/x', { [name]: agent }));
      expect(inspect(error, { depth: 20 })).not.toContain('token-1');
      expect(inspect(error, { depth: 20 })).toContain(`${name}: [Object]`);
      expect(agent.maxSockets).toBe(7);
      expect(agent.sockets.a).toBe(under);
      agent.sockets = { a: [] };
      expect(agent.sockets.a).toEqual([]);
    },
  );

  it('an error shows nothing by way of a dispatcher', async () => {
    class Dispatcher {
      readonly sent = 'Authorization: Bearer token-1';
    }
    const dispatcher = new Dispatcher();
    const state = scripted();
    state.onApi = () => ({ status: 500 });
    const error = await rejection(state.api.get('/v1/x', { fetchOptions: { dispatcher } } as object));
    expect(inspect(error, { depth: 20 })).not.toContain('token-1');
    expect(inspect(dispatcher)).toBe('[Dispatcher]');
    expect(dispatcher.sent).toBe('Authorization: Bearer token-1');
  });

  it('an error shows nothing by way of a stream that was sent', async () => {
    const state = scripted();
    const pipes = [{ _header: 'Authorization: Bearer token-1' }];
    const data = Object.assign(new Readable({ read: () => undefined }), { pipes });
    state.onApi = (config) => new axios.AxiosError('failed', 'ERR_X', config);
    const error = await rejection(state.api.post('/v1/x', data));
    expect(inspect(error, { depth: 20 })).not.toContain('token-1');
    expect(inspect(error, { depth: 20 })).toContain('data: [Readable]');
    expect(data.pipes).toBe(pipes);
  });

  it('an agent stays what it was for the code that uses it', async () => {
    const agent = new http.Agent();
    const { sockets } = agent;
    const state = scripted();
    state.onApi = (config) => new axios.AxiosError('failed', 'ERR_X', config);
    for (let time = 0; time < 3; time += 1) await rejection(state.api.get('/v1/x', { httpAgent: agent }));
    expect(agent.sockets).toBe(sockets);
    Object.assign(agent, { sockets: { other: [] } });
    expect(agent.sockets).toEqual({ other: [] });
  });

  it("an error shows no token if its own config has none and its response's has one", async () => {
    const instance = axios.create();
    instance.interceptors.response.use((response) => {
      throw new axios.AxiosError('theirs', 'GQL', { url: '/x' } as never, undefined, response);
    });
    const state = scripted({}, instance);
    const error = await rejection(state.api.get('/v1/x'));
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('token-1');
    expect(error['config']).toMatchObject({ url: '/x' });
  });

  it.each(['req', 'socket', 'client'])(
    "an error shows no token by way of a streamed response's %s",
    async (way) => {
      const state = scripted();
      state.onApi = (config) => {
        const leading = { [way]: { _header: 'Authorization: Bearer token-1' } };
        const data = Object.assign(new PassThrough(), leading);
        const response = { status: 500, statusText: '', headers: {}, config, data };
        return new axios.AxiosError('failed', 'ERR_X', config, undefined, response);
      };
      const error = await rejection(state.api.get('/v1/x', { responseType: 'stream' }));
      expect(inspect(error, { depth: 20 })).not.toContain('token-1');
      expect(inspect(error, { depth: 20 })).toContain('data: [PassThrough]');
    },
  );
});
