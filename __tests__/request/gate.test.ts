import { createServer, type Server } from 'node:http';

import axios, { type InternalAxiosRequestConfig } from 'axios';

import { emulated } from '../support/emulated';
import { ORIGIN, rejection, scripted, tokenAnswer } from '../support/scripted';

type Options = Record<string, unknown>;
type Hook = (options: Options, ...details: unknown[]) => void;

const hookOf = (request: InternalAxiosRequestConfig | undefined): Hook => request!.beforeRedirect as Hook;

/** The parts of a URL as a redirect's options have them, beside its href. */
function partsOf(href: string | undefined): Options {
  if (href === undefined || !URL.canParse(href)) return {};
  const { protocol, hostname, port, host } = new URL(href);
  return { protocol, hostname, host, port };
}

describe('18. on redirects', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  /** A server that remembers what Authorization came to it, by path. */
  async function witness(): Promise<{ port: number; seen: Record<string, string | undefined> }> {
    const seen: Record<string, string | undefined> = {};
    const server = createServer((request, response) => {
      seen[request.url ?? ''] = request.headers.authorization;
      response.end('{}');
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { port: (server.address() as { port: number }).port, seen };
  }

  it.each(['http', 'fetch'])(
    'over %s, the token does not go to another host, port or subdomain',
    async (adapter) => {
      const { port, seen } = await witness();
      const { api, emulator } = await emulated({ http: { adapter } });
      emulator.failApiRequests({ redirectTo: `http://127.0.0.1:${port}/host`, status: 307 });
      await api.get('/v1/research');
      expect(seen).toEqual({ '/host': undefined });
    },
  );

  it('the token stays on redirects within the origin', async () => {
    const { api, emulator } = await emulated({ http: { adapter: 'fetch' } });
    emulator.failApiRequests({ redirectTo: `${emulator.url}/v1/contenttype`, status: 307 });
    expect((await api.get('/v1/research')).status).toBe(200);
    expect(emulator.requests.map(({ authorization }) => authorization)).toEqual(['valid', 'valid']);
  });
});

describe('19. the plugin owns Authorization on those origins', () => {
  const types = (state: ReturnType<typeof scripted>): string[] => state.events.map(({ type }) => type);

  it.each(['Authorization', 'authorization', 'AUTHORIZATION'])(
    'a different %s header of the caller is replaced, and an event reports it',
    async (name) => {
      const state = scripted();
      await state.api.get('/v1/research', { headers: { [name]: 'Bearer mine' } });
      expect(state.sent).toEqual(['Bearer token-1']);
      const sent = Object.keys(state.asSent[0]!.headers).filter(
        (key) => key.toLowerCase() === 'authorization',
      );
      expect(sent).toEqual(['Authorization']);
      expect(types(state)).toEqual(['token-acquired', 'authorization-replaced']);
    },
  );

  it.each([
    ['of a minute counts as left over for an hour', 60, 59 * 60_000, []],
    ['of two hours for as long', 7200, 119 * 60_000, []],
    ['of a minute does so after two hours', 60, 121 * 60_000, []],
  ])("a token left over in a caller's header: one %s", async (_what, expiresIn, afterMs, told) => {
    jest.useFakeTimers();
    const state = scripted();
    state.onToken = () => tokenAnswer(`token-${state.tokenRequests.length}`, expiresIn);
    await state.api.get('/v1/research');
    await jest.advanceTimersByTimeAsync(afterMs);
    state.auth.invalidate();
    await state.api.get('/v1/research');
    state.events.length = 0;
    await state.api.get('/v1/research', { headers: { Authorization: 'Bearer token-1' } });
    expect(types(state)).toEqual(told);
    jest.useRealTimers();
  });

  it('a header left over from an earlier attempt is replaced without an event', async () => {
    const state = scripted();
    const { config } = await state.api.get('/v1/research');
    state.auth.invalidate();
    await state.api.request(config);
    expect(state.sent).toEqual(['Bearer token-1', 'Bearer token-2']);
    expect(types(state)).toEqual(['token-acquired', 'token-acquired']);
  });

  it('a default Authorization header is replaced without an event', async () => {
    const api = axios.create({ headers: { Authorization: 'Basic default' } });
    api.defaults.headers.common['Authorization'] = 'Basic common';
    api.defaults.headers.post['Authorization'] = 'Basic post';
    const state = scripted({}, api);
    await api.get('/v1/research');
    await api.post('/v1/research');
    expect(state.sent).toEqual(['Bearer token-1', 'Bearer token-1']);
    expect(types(state)).toEqual(['token-acquired']);
  });

  it.each([
    ['auth', { auth: { username: 'u', password: 'p' } }, '`auth`'],
    ['user info in the URL', { url: 'https://u:p@acme-api.bipsync.com/v1' }, 'user name or password'],
    [
      'user info in the baseURL',
      { baseURL: 'https://u@acme-api.bipsync.com', url: '/v1' },
      'user name or password',
    ],
  ])('a request with %s is rejected clearly', async (_name, config, words) => {
    const state = scripted();
    const error = await rejection(state.api.request({ url: '/v1/research', ...config }));
    expect(error['code']).toBe('ERR_BIPSYNC_CONFIG');
    expect(error.message).toContain(words);
    expect(state.apiRequests).toHaveLength(0);
  });

  it('a request with auth to another host is sent as it is', async () => {
    const state = scripted();
    await state.api.get('https://other.example/', { auth: { username: 'u', password: 'p' } });
    expect(state.apiRequests).toHaveLength(1);
  });
});

describe('18. before a redirect', () => {
  it.each([
    ['to the same origin', `${ORIGIN}/v2`, true],
    ['to an allowed origin', 'https://other.example/x', false],
    ['to a subdomain', ORIGIN.replace('//', '//sub.'), false],
    ['to the same host without TLS', ORIGIN.replace('https', 'http'), false],
    ['to another port', `${ORIGIN}:8443/`, false],
    ['to what is no URL', '/v2', false],
    ['to nowhere', undefined, false],
  ])('on a redirect %s (%s) the token is kept: %s', async (_where, href, isKept) => {
    const state = scripted({ allowedOrigins: ['https://other.example'] });
    await state.api.get('/v1/x');
    for (const name of ['Authorization', 'authorization']) {
      const headers = { [name]: 'Bearer token-1', 'X-Tracing-Ids': 't' };
      hookOf(state.asSent[0])({ href, ...partsOf(href), headers });
      expect(headers).toEqual(
        isKept ? { [name]: 'Bearer token-1', 'X-Tracing-Ids': 't' } : { 'X-Tracing-Ids': 't' },
      );
    }
  });

  it.each([false, true])(
    'each request is kept to its own origin, sent again too (own hook: %p)',
    async (isOwn) => {
      const other = 'https://other.example';
      const state = scripted({ allowedOrigins: [other] });
      const { config } = await state.api.get('/v1/x', isOwn ? { beforeRedirect: () => undefined } : {});
      await state.api.request({ ...config, baseURL: other });
      await state.api.request({ ...config, baseURL: ORIGIN });
      const kept = state.asSent.map((request) =>
        [ORIGIN, other].filter((origin) => {
          const headers = { Authorization: 'Bearer token-1' };
          hookOf(request)({ href: `${origin}/y`, ...partsOf(origin), headers });
          return 'Authorization' in headers;
        }),
      );
      expect(kept).toEqual([[ORIGIN], [other], [ORIGIN]]);
    },
  );

  it.each([
    ['elsewhere', { baseURL: 'https://elsewhere.example' }],
    ['untouched', { bipsyncAuth: false as const }],
  ])('a config that is sent again %s has the hook that its caller gave it', async (_where, changes) => {
    const state = scripted();
    const beforeRedirect = jest.fn();
    const { config } = await state.api.get('/v1/x', { beforeRedirect });
    await state.api.request({ ...config, ...changes });
    expect(hookOf(state.asSent[1])).toBe(beforeRedirect);
    const plain = await state.api.get('/v1/x');
    await state.api.request({ ...plain.config, ...changes });
    expect(hookOf(state.asSent[3])).toBeUndefined();
  });

  it.each([undefined, null, 'x'])(
    'a redirect whose headers are not an object (%s) is left alone',
    async (headers) => {
      const state = scripted();
      await state.api.get('/v1/x');
      expect(() => hookOf(state.asSent[0])({ href: 'https://a.example', headers })).not.toThrow();
    },
  );

  it("the caller's own hook is called first, with all details, and once, on a replay too", async () => {
    const state = scripted();
    const beforeRedirect = jest.fn();
    state.onApi = () => ({ status: state.apiRequests.length === 1 ? 401 : 200 });
    await state.api.get('/v1/x', { beforeRedirect });
    for (const request of state.asSent) {
      beforeRedirect.mockClear();
      const options = { href: 'https://a.example', headers: { Authorization: 'Bearer token-1' } };
      hookOf(request)(options, { headers: {} }, { url: 'u' });
      expect(beforeRedirect.mock.calls).toEqual([[options, { headers: {} }, { url: 'u' }]]);
      expect(options.headers).toEqual({});
    }
  });

  it.each([null, false])(
    'a beforeRedirect that is not a function (%p) is ignored',
    async (beforeRedirect) => {
      const state = scripted();
      await state.api.get('/v1/x', { beforeRedirect: beforeRedirect as never });
      const options = { href: 'https://a.example', headers: { Authorization: 'Bearer token-1' } };
      hookOf(state.asSent[0])(options);
      expect(options.headers).toEqual({});
    },
  );

  it('a config that is sent again has one redirect hook, not one more each time', async () => {
    const state = scripted();
    const beforeRedirect = jest.fn();
    const { config } = await state.api.get('/v1/x', { beforeRedirect });
    await state.api.request(config);
    await state.api.get('/v1/x');
    await state.api.request(state.apiRequests[2]!);
    const [, second, plain, again] = state.asSent.map(hookOf);
    second!({ href: 'https://a.example', headers: {} });
    expect(beforeRedirect).toHaveBeenCalledTimes(1);
    expect(again).toBe(plain);
    expect(state.apiRequests.map((request) => request.beforeRedirect)).toEqual([
      ...[beforeRedirect, beforeRedirect, undefined, undefined],
    ]);
  });
});

describe('a token for a loopback host', () => {
  const home = { client: undefined, baseURL: 'http://127.0.0.1:1' };
  const friend = 'http://localhost:2';

  it('a token for a loopback host crosses no configured proxy', async () => {
    const state = scripted({ ...home, allowedOrigins: [friend] });
    await state.api.get('/v1/x');
    await state.api.get('/v1/x', { baseURL: friend });
    expect(state.asSent.map(({ proxy }) => proxy)).toEqual([false, false]);
    expect(state.apiRequests.map(({ proxy }) => proxy)).toEqual([undefined, undefined]);
  });

  it('the proxy that the caller asked for is on the config again after the answer', async () => {
    const proxy = { host: '127.0.0.1', port: 3 };
    const state = scripted(home);
    await state.api.get('/v1/x', { proxy });
    expect(state.apiRequests[0]?.proxy).toEqual(proxy);
  });

  it('requests to https origins keep their proxy settings', async () => {
    for (const config of [{}, { allowedOrigins: [friend] }]) {
      const state = scripted(config);
      await state.api.get('/v1/x');
      expect(state.apiRequests[0]?.proxy).toBeUndefined();
    }
  });
});

it.each(['u@', ':p@', 'u:p@'])(
  '18. a request is refused for the user info %s in its URL',
  async (userInfo) => {
    const state = scripted();
    const error = await rejection(state.api.get(`https://${userInfo}acme-api.bipsync.com/v1/x`));
    expect(error).toMatchObject({ code: 'ERR_BIPSYNC_CONFIG' });
    expect(state.apiRequests).toHaveLength(0);
  },
);

afterEach(() => {
  jest.useRealTimers();
});

describe('a message says what happened, and what to do about it:', () => {
  it.each<[string, object, string]>([
    ['the `auth` option', { auth: { username: 'u', password: 'p' } }, '/v1/x'],
    ['the user name or password in the URL', {}, ORIGIN.replace('//', '//u:p@')],
  ])('the message names the problem of a request with %s', async (what, options, url) => {
    const { api } = scripted();
    expect((await rejection(api.get(url, options))).message).toBe(
      `The request was not sent: axios would silently drop the access token, because of ${what}. Remove ${what}, or send the ` +
        'request with `bipsyncAuth: false`.',
    );
  });
});
