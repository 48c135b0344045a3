import http from 'node:http';
import { connect } from 'node:net';
import { inspect } from 'node:util';

import axios, { type AxiosAdapter, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';

import { installBipsyncAuth } from '../../src';
import { answerJson, type RawServer, type Respond, startRawServer } from '../support/raw-server';
import { deferred, rejection, scripted, tokenAnswer } from '../support/scripted';

const SECRET = 'q7Hk2Lr9Zx4Vb8Nm3Wc6Tp1Yd5Sf0Ga8';
const credentials = { clientId: 'my-client', clientSecret: SECRET, teamId: '1' };

/** An adapter that answers token requests with `granted`, and hands API requests to `answer`. */
function adapterWith(
  answer: (config: InternalAxiosRequestConfig) => Promise<unknown>,
  granted: object = {},
): AxiosAdapter {
  return async (config) => {
    const isToken = String(config.url).includes('/oauth/token');
    const data = isToken
      ? { token_type: 'bearer', access_token: 'THE-TOKEN', expires_in: 3600, ...granted }
      : await answer(config);
    return { status: 200, statusText: 'OK', headers: {}, config, data } as AxiosResponse;
  };
}

it.each([
  ['url', 'function', (adapter: AxiosAdapter) => adapter],
  ['baseURL', 'function', (adapter: AxiosAdapter) => adapter],
  ['baseURL', 'function in a list', (adapter: AxiosAdapter) => [adapter]],
] as const)(
  'once the %s names another origin, no token is read by an adapter %s that waits before it sends',
  async (option, _how, named) => {
    let kept: InternalAxiosRequestConfig | undefined;
    const read: unknown[] = [];
    const adapter = adapterWith(async (config) => {
      kept = config;
      await new Promise((resolve) => setTimeout(resolve, 5));
      read.push(config.headers.toJSON()['Authorization']);
    });
    const api = axios.create({ adapter: named(adapter) as AxiosAdapter });
    installBipsyncAuth(api, { ...credentials, client: 'acme' });
    await api.get('/v1/field');
    const moving = api.get('/v1/field');
    await new Promise(setImmediate);
    kept![option] = 'https://other.example/x';
    await moving;
    expect(read).toEqual(['Bearer THE-TOKEN', undefined]);
  },
);

it('a config that is frozen while its request is under way hides no answer and shows no token', async () => {
  const adapter = adapterWith(async (config) => {
    await new Promise(setImmediate);
    Object.freeze(config);
  });
  const api = axios.create({ adapter, validateStatus: null });
  installBipsyncAuth(api, { ...credentials, client: 'acme' });
  let seen: InternalAxiosRequestConfig | undefined;
  api.interceptors.request.use((config) => (seen = config));
  await api.get('/v1/field').catch(() => undefined);
  expect(Object.isFrozen(seen)).toBe(true);
  for (const shown of [inspect(seen, { depth: null }), JSON.stringify(seen)])
    expect(shown).not.toContain('THE-TOKEN');
});

it('a scope that the server made of the secret is not among the granted scopes', async () => {
  const adapter = adapterWith(async () => undefined, { scope: `team_1 ${SECRET}` });
  const auth = installBipsyncAuth(axios.create({ adapter }), { ...credentials, client: 'acme' });
  expect((await auth.getToken()).scopes).toEqual(['team_1']);
});

it.each([
  ['a proxy', { proxy: { host: '127.0.0.1', port: 1 } }],
  ['another agent', { httpAgent: {} }],
])(
  'an adapter that waits reads no token for a loopback host once the config names %s',
  async (_what, change) => {
    const read: unknown[] = [];
    const adapter = adapterWith(async (config) => {
      await new Promise(setImmediate);
      read.push(config.headers['Authorization']);
      Object.assign(config, change);
      read.push(config.headers['Authorization']);
    });
    // The mark of mockBipsyncToken: nothing that this adapter gets leaves the process.
    Object.assign(adapter, { [Symbol.for('axios-bipsync-auth.mock')]: true });
    const api = axios.create({ adapter });
    installBipsyncAuth(api, { ...credentials, baseURL: 'http://127.0.0.1:8080' });
    await api.get('/v1/field');
    expect(read).toEqual(['Bearer THE-TOKEN', undefined]);
  },
);

it('an adapter that takes the headers away and waits does not end the process', async () => {
  const unhandled = jest.fn();
  process.on('unhandledRejection', unhandled);
  const adapter = adapterWith(async (config) => {
    Reflect.deleteProperty(config, 'headers');
    await new Promise(setImmediate);
  });
  const api = axios.create({ adapter });
  installBipsyncAuth(api, { ...credentials, client: 'acme' });
  await api.get('/v1/field');
  await new Promise(setImmediate);
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

it('a 401 is what the caller gets if the adapter has taken the headers away, and the next request has a new token', async () => {
  const state = scripted();
  state.onApi = (config) => {
    if (state.sent.length > 1) return {};
    Reflect.deleteProperty(config, 'headers');
    return new axios.AxiosError('refused', 'ERR_X', config, undefined, {
      ...{ status: 401, statusText: '', headers: {}, config, data: '' },
    });
  };
  expect(await rejection(state.api.get('/v1/field'))).toMatchObject({ message: 'refused' });
  await state.api.get('/v1/field');
  expect(state.sent).toEqual(['Bearer token-1', 'Bearer token-2']);
});

it('a 401 is answered by a second attempt if the adapter has made the headers of the config read-only', async () => {
  const sent: unknown[] = [];
  const state = scripted();
  state.onApi = (config) => {
    sent.push(config.headers['Authorization']);
    Object.defineProperty(config, 'headers', { writable: false });
    return new axios.AxiosError('failed', 'ERR_X', config, undefined, {
      ...{ status: sent.length === 1 ? 401 : 418, statusText: '', headers: {}, config, data: '' },
    });
  };
  expect((await rejection(state.api.get('/v1/field')))['response']).toMatchObject({ status: 418 });
  expect(sent).toEqual(['Bearer token-1', 'Bearer token-2']);
});

it('an adapter function that waits reads no token for another origin on the replay either', async () => {
  const read: unknown[] = [];
  const api = axios.create({
    adapter: async (config) => {
      const isToken = String(config.url).includes('/oauth/token');
      let status = 200;
      if (!isToken && read.length === 0) {
        read.push(config.headers['Authorization']);
        status = 401;
      } else if (!isToken) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        config.baseURL = 'https://other.example';
        read.push(config.headers['Authorization']);
      }
      const data = { token_type: 'bearer', access_token: 'THE-TOKEN', expires_in: 3600 };
      return { status, statusText: '', headers: {}, config, data } as AxiosResponse;
    },
  });
  installBipsyncAuth(api, { ...credentials, client: 'acme' });
  await api.get('/v1/field');
  expect(read).toEqual(['Bearer THE-TOKEN', undefined]);
});

it('an adapter function that waits reads no token for another origin after axios has put the headers in order', async () => {
  const read: unknown[] = [];
  const state = scripted();
  state.onApi = async (config) => {
    await new Promise(setImmediate);
    config.headers.normalize(true);
    read.push(config.headers.get('Authorization'));
    config.baseURL = 'https://other.example';
    read.push(config.headers.get('Authorization'));
    return {};
  };
  await state.api.get('/v1/field');
  expect(read).toEqual(['Bearer token-1', undefined]);
});

it('a replay goes without a token, with an event, if the adapter led its config to another origin before the 401', async () => {
  const state = scripted();
  state.onApi = (config) => {
    config.baseURL = 'https://other.example';
    return state.sent.length === 1 ? { status: 401 } : { body: 'theirs' };
  };
  expect((await state.api.get('/v1/field')).data).toBe('theirs');
  expect(state.sent).toEqual(['Bearer token-1', undefined]);
  expect(state.events.at(-1)).toMatchObject({
    type: 'request-unauthenticated',
    reason: 'origin',
    origin: 'https://other.example',
  });
});

it('an adapter that answers without a promise leaves no token on the config', async () => {
  let config: InternalAxiosRequestConfig | undefined;
  const adapter = adapterWith(async () => undefined);
  const api = axios.create({
    adapter: ((one: InternalAxiosRequestConfig) => {
      config = one;
      return String(one.url).includes('/oauth/token')
        ? adapter(one)
        : { status: 200, statusText: '', headers: {}, config: one, data: 'at once' };
    }) as AxiosAdapter,
  });
  installBipsyncAuth(api, { ...credentials, client: 'acme' });
  expect((await api.get('/v1/field')).data).toBe('at once');
  expect(JSON.stringify(config)).not.toContain('THE-TOKEN');
});

it('a token that was obtained while invalidate() was called is known afterwards, and goes to no other origin', async () => {
  const token = deferred<ReturnType<typeof tokenAnswer>>();
  const state = scripted();
  state.onToken = () => token.promise;
  const first = deferred<object>();
  state.onApi = () => (state.apiRequests.length === 1 ? first.promise : { body: {} });
  const asked = state.api.get('/v1/field');
  await new Promise(setImmediate);
  state.auth.invalidate();
  token.resolve(tokenAnswer('OUTDATED'));
  await new Promise(setImmediate);
  expect(state.sent).toEqual(['Bearer OUTDATED']);
  await state.api.request({ ...state.apiRequests[0], baseURL: 'https://other.example' });
  expect(state.sent).toEqual(['Bearer OUTDATED', undefined]);
  first.resolve({});
  await asked;
});

it('a headers object that an interceptor gives to every request shows no token of a request that has ended', async () => {
  const shared = new axios.AxiosHeaders({ Accept: 'text/plain' });
  const state = scripted();
  state.api.interceptors.request.use((config) => Object.assign(config, { headers: shared }));
  const held = deferred<object>();
  const ended = await state.api.get('/v1/field');
  state.onApi = () => held.promise;
  const running = state.api.get('/v1/field');
  await new Promise(setImmediate);
  expect(inspect(ended, { depth: null })).not.toContain('Bearer');
  expect(JSON.stringify(ended.config)).not.toContain('Bearer');
  held.resolve({});
  await running;
  expect(state.sent).toEqual(['Bearer token-1', 'Bearer token-1']);
});

it('a config that an interceptor has wrapped in a Proxy gets no token, because a Proxy may tell axios another origin', async () => {
  const state = scripted();
  state.api.interceptors.request.use(
    (config) =>
      new Proxy(config, {
        get: (target, key) =>
          key === 'baseURL' ? 'https://other.example' : (Reflect.get(target, key) as unknown),
      }),
  );
  await state.api.get('/v1/field');
  expect(state.sent).toEqual([undefined]);
});

class Tunnel {
  constructor(readonly port: number) {}
  addRequest(request: http.ClientRequest): void {
    request.onSocket(connect(this.port, '127.0.0.1'));
  }
}

describe('over real HTTP', () => {
  let servers: RawServer[] = [];
  const start = async (api: Respond): Promise<RawServer> => {
    const server = await startRawServer(api);
    servers.push(server);
    return server;
  };
  afterEach(async () => {
    await Promise.all(servers.map((server) => server.close()));
    servers = [];
  });

  it.each([403, 500, 407])(
    'an answer %d from the target of a redirect is not explained as an answer of the API',
    async (status) => {
      const other = await start((_request, response) => answerJson(response, status));
      const home = await start((_request, response) =>
        response.writeHead(302, { Location: `${other.url}/elsewhere` }).end(),
      );
      const api = axios.create({ adapter: 'http' });
      installBipsyncAuth(api, { ...credentials, baseURL: home.url });
      const error = await rejection(api.get('/v1/field'));
      expect(error).toMatchObject({ response: { status } });
      expect(error.cause).toBeUndefined();
      expect(other.arrived[0]?.authorization).toBeUndefined();
    },
  );

  /** Agents that lead to a proxy, as packages make them, and as Node makes them since 24. */
  const proxyAgents: Record<string, (port: number) => unknown> = {
    'an agent that names its proxy': (port) => {
      const agent = new http.Agent();
      const createConnection = () => connect(port, '127.0.0.1');
      return Object.assign(agent, { proxy: new URL(`http://127.0.0.1:${port}`), createConnection });
    },
    'an agent that is no agent of Node': (port) => new Tunnel(port),
    'an agent of Node with proxyEnv': (port) => {
      const options = { proxyEnv: { HTTP_PROXY: `http://127.0.0.1:${port}` } };
      const agent = new http.Agent(options as http.AgentOptions);
      return Object.assign(agent, { createConnection: () => connect(port, '127.0.0.1') });
    },
  };

  it.each(Object.keys(proxyAgents))('7. %s is not used for a loopback host', async (kind) => {
    const proxy = await start((_request, response) => answerJson(response, 200));
    const home = await start((_request, response) => answerJson(response, 200, { at: 'home' }));
    const httpAgent = proxyAgents[kind]!(proxy.port);
    const api = axios.create({ adapter: 'http', httpAgent });
    installBipsyncAuth(api, { ...credentials, baseURL: home.url });
    const response = await api.get('/v1/field');
    expect(response.data).toEqual({ at: 'home' });
    expect(response.config.httpAgent).toBe(httpAgent);
    expect([...proxy.arrived, ...proxy.tokenRequests]).toEqual([]);
  });

  it('20. what a streamed answer leads to is hidden from console.dir and from the report of an uncaught error', async () => {
    const home = await start((_request, response) => answerJson(response, 404));
    const httpAgent = Object.preventExtensions(new http.Agent({ keepAlive: true }));
    const api = axios.create({ adapter: 'http', httpAgent });
    installBipsyncAuth(api, { ...credentials, baseURL: home.url });
    const error = await rejection(api.get('/v1/field', { responseType: 'stream' }));
    const text = inspect(error, { depth: null, customInspect: false });
    expect(text).not.toContain(home.issued[0]);
    expect(inspect(api, { depth: null })).not.toContain(home.issued[0]);
    httpAgent.destroy();
  });
});
