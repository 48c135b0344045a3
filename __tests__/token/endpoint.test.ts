import http from 'node:http';

import axios from 'axios';

import { installBipsyncAuth } from '../../src';
import { configFor, emulated, startEmulator } from '../support/emulated';
import { CLOSED_PORT } from '../support/nobody';
import { skipPauses } from '../support/pauses';
import { startRawServer } from '../support/raw-server';
import { rejection, scripted, SECRET } from '../support/scripted';

skipPauses();

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

  it('if the adapter is a function, no default and no transform sees the secret either', async () => {
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
  });

  it("axios's global defaults and interceptors do not see the secret", async () => {
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

  it("the token request goes through the instance's adapter and agents, read at that moment", async () => {
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

  it('the token request uses no proxy for a loopback token endpoint', async () => {
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

  it.each(['form', 'json'] as const)(
    'the body of the token request can have the encoding %s',
    async (tokenEncoding) => {
      const { auth, emulator } = await emulated({ auth: { tokenEncoding } });
      await auth.getToken();
      expect(emulator.tokenLog).toMatchObject([{ encoding: tokenEncoding, status: 200 }]);
    },
  );

  it('the token request goes to the tokenUrl, if one is configured', async () => {
    const gateway = await startEmulator();
    const { api } = await emulated({
      auth: { ...configFor(gateway), tokenUrl: `${gateway.url}/v1/oauth/token` },
    });
    await api.get('/v1/research');
    expect(gateway.tokenRequests).toBe(1);
  });
});

describe.each(['http', 'fetch'] as const)('8. over %s, the token request', (adapter) => {
  it('the token request is never redirected, and the secret stays where it was sent', async () => {
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

  it.each([201, 202])('a token response counts with status 200 only, not %d', async (status) => {
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

  it('an oversized token response is rejected', async () => {
    const { api, emulator } = await emulated({ http: { adapter } });
    emulator.failTokenRequests({ oversizeBytes: 5_000_000 });
    expect(await rejection(api.get('/v1/research'))).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_RESPONSE' });
    expect(emulator.apiRequests).toBe(0);
  });

  it('a token response that comes in drips is read', async () => {
    const { api, emulator } = await emulated({ http: { adapter } });
    emulator.failTokenRequests({ dripMs: 1 });
    expect((await api.get('/v1/research')).status).toBe(200);
  });

  it.each(['stall', 'stall-mid-body'] as const)(
    'the token request is given up after tokenTimeoutMs (%s)',
    async (fault) => {
      const { api, emulator } = await emulated({ http: { adapter }, auth: { tokenTimeoutMs: 150 } });
      emulator.failTokenRequests(fault);
      const error = await rejection(api.get('/v1/research'));
      expect(error).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
      expect(error.message).toContain('tokenTimeoutMs');
    },
  );

  it.each([
    'reset',
    'reset-mid-body',
    { status: 503 },
    { status: 429, headers: { 'Retry-After': '0' } },
  ] as const)('the token request is repeated after %j', async (fault) => {
    const { api, emulator } = await emulated({ http: { adapter } });
    emulator.failTokenRequests(fault, 2);
    expect((await api.get('/v1/research')).status).toBe(200);
    expect(emulator.tokenRequests).toBe(3);
  });

  it.each([
    [401, 'ERR_BIPSYNC_CREDENTIALS'],
    [403, 'ERR_BIPSYNC_IP_NOT_ALLOWED'],
    [400, 'ERR_BIPSYNC_TOKEN_REQUEST'],
  ])('a %d counts, also if its body cannot be read', async (status, code) => {
    const { auth, emulator } = await emulated({ http: { adapter } });
    const headers = { 'Content-Encoding': 'gzip' };
    emulator.failTokenRequests({ status, headers, body: { error: 'not compressed' } }, Infinity);
    expect(await rejection(auth.getToken())).toMatchObject({ code, tokenEndpointStatus: status });
    expect(emulator.tokenRequests).toBe(1);
  });

  it('a 401 that is cut off counts', async () => {
    const server = await startRawServer(
      () => undefined,
      (_request, response) => {
        response.writeHead(401, { 'Content-Length': '100' });
        response.write('{');
        setTimeout(() => response.destroy(), 20);
      },
    );
    const { auth } = await emulated({ http: { adapter }, auth: { baseURL: server.url } });
    const error = await rejection(auth.getToken());
    await server.close();
    expect(error).toMatchObject({ code: 'ERR_BIPSYNC_CREDENTIALS' });
    expect(server.tokenRequests).toHaveLength(1);
  });

  it('the error says that the endpoint answered 200 if only the body could not be read, after two retries', async () => {
    const { auth, emulator } = await emulated({ http: { adapter } });
    const headers = { 'Content-Encoding': 'gzip' };
    emulator.failTokenRequests({ status: 200, headers, body: { access_token: 'not compressed' } }, Infinity);
    const error = await rejection(auth.getToken());
    expect(error).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE', tokenEndpointStatus: 200 });
    expect(error.message).toMatch(
      /\/v1\/oauth\/token answered 200, but its body could not be read \(Z_DATA_ERROR\)\. Check whether a proxy or gateway/,
    );
    expect(emulator.tokenRequests).toBe(3);
  });

  it('the error names the system error if there is no answer at all', async () => {
    const baseURL = `http://127.0.0.1:${CLOSED_PORT}`;
    const { api } = await emulated({ http: { adapter }, auth: { baseURL } });
    const error = await rejection(api.get('/v1/research'));
    expect(error).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
    expect(error.message).toContain('ECONNREFUSED');
  });
});

it('a host whose name contains "redirect", and which is not found, is not reported as a redirect', async () => {
  const state = scripted({ client: undefined, baseURL: 'https://redirect.example' });
  state.onToken = () =>
    Object.assign(new Error('getaddrinfo ENOTFOUND redirect.example'), { code: 'ENOTFOUND' });
  expect(await rejection(state.api.get('/v1/research'))).toMatchObject({
    code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
  });
});
