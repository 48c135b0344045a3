import { join } from 'node:path';
import { inspect } from 'node:util';

import axios, { type AxiosAdapter, type AxiosInstance, type CreateAxiosDefaults } from 'axios';

import { type BipsyncAuthConfig, type BipsyncAuthEvent, installBipsyncAuth } from '../../src';
import { answerJson, type RawServer, startRawServer } from '../support/raw-server';
import { rejection, SECRET } from '../support/scripted';

// An instance of one copy of axios, next to a plugin that imports another: an ESM program with a CommonJS library, a monorepo.

/** The axios of each installed version, past the name that the plugin's own copy has in this project. */
const copies = ['axios', 'axios-1.7', 'axios-1.12'].map((name) => {
  const path = join(__dirname, '..', '..', 'node_modules', name, 'dist', 'node', 'axios.cjs');
  let copy: typeof axios | undefined;
  jest.isolateModules(() => {
    const loaded = jest.requireActual<typeof axios & { default?: typeof axios }>(path);
    copy = loaded.default ?? loaded;
  });
  return [copy!.VERSION, copy!] as const;
});

let server: RawServer;
let other: RawServer;
let answers: number[];
let seen: { contentType: string | undefined; own: string | undefined; body: string }[];

beforeEach(async () => {
  answers = [];
  seen = [];
  server = await startRawServer(({ all }, response, { headers }) => {
    const body = all.slice(all.lastIndexOf('\n') + 1);
    seen.push({ contentType: headers['content-type'], own: headers['x-own'] as string | undefined, body });
    answerJson(response, answers.shift() ?? 200, { ok: true });
  });
  other = await startRawServer((_request, response) => answerJson(response, 200));
});

const environment = { ...process.env };
afterEach(async () => {
  process.env = { ...environment };
  await Promise.all([server.close(), other.close()]);
});

function install(
  api: AxiosInstance,
  config: Partial<BipsyncAuthConfig> = {},
): { events: BipsyncAuthEvent[] } {
  const events: BipsyncAuthEvent[] = [];
  installBipsyncAuth(api, {
    ...{ baseURL: server.url, clientId: 'the-client', clientSecret: SECRET, teamId: 'a1' },
    onEvent: (event) => events.push(event),
    ...config,
  });
  return { events };
}

/** How an instance names or wraps its adapter. */
const adapters: Record<string, (copy: typeof axios) => CreateAxiosDefaults['adapter']> = {
  'the name http': () => 'http',
  'the name fetch': () => 'fetch',
  'a list of names': () => ['xhr', 'http'],
  'no adapter': () => undefined,
  "the copy's http function": (copy) => copy.getAdapter('http'),
  "the copy's fetch function": (copy) => copy.getAdapter('fetch'),
  'a function around the http adapter': (copy) => {
    const inner = copy.getAdapter('http');
    return (config) => inner(config);
  },
};
const cases = copies.flatMap(([version, copy]) =>
  Object.entries(adapters).map(([how, adapterOf]) => ({ version, copy, how, adapterOf })),
);

describe.each(cases)('an instance of axios $version with $how', ({ copy, adapterOf }) => {
  const create = (): AxiosInstance => {
    const adapter = adapterOf(copy);
    return copy.create({ ...(adapter && { adapter }), headers: { 'X-Own': 'kept' } });
  };

  it('sends token, own headers and body, and replays a 401 of any copy of axios', async () => {
    const api = create();
    const { events } = install(api);
    answers = [200, 401, 200];
    await api.get('/v1/research');
    const { data } = await api.post<unknown>('/v1/research', { title: 'Ünï' });
    expect(data).toEqual({ ok: true });
    expect(server.arrived.map(({ authorization }) => authorization)).toEqual(
      [0, 0, 1].map((number) => `Bearer ${server.issued[number]}`),
    );
    const posted = { contentType: 'application/json', own: 'kept', body: '{"title":"Ünï"}' };
    expect(seen.slice(1)).toEqual([posted, posted]);
    expect(server.tokenRequests.map(({ all }) => all.includes('kept'))).toEqual([false, false]);
    expect(events.map(({ type }) => type)).toEqual(['token-acquired', 'token-acquired', 'request-replayed']);
  });

  it('rejects with an AxiosError that shows no token, whichever copy of axios it is of', async () => {
    const api = create();
    install(api);
    answers = [500];
    const error = await rejection(api.get('/v1/research'));
    expect([axios.isAxiosError(error), copy.isAxiosError(error)]).toEqual([true, true]);
    expect(error['response']).toMatchObject({ status: 500, data: { ok: true } });
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain('LIVE-TOKEN');
    expect(JSON.stringify(error)).not.toContain('LIVE-TOKEN');
  });

  it('a config that is sent again after a failure keeps its own headers and its body', async () => {
    const api = create();
    install(api);
    answers = [503, 200];
    const error = await rejection(api.post('/v1/research', { title: 'x' }, { headers: { 'X-Own': 'mine' } }));
    const { data } = await api.request<unknown>(error['config'] as object);
    expect(data).toEqual({ ok: true });
    const posted = { contentType: 'application/json', own: 'mine', body: '{"title":"x"}' };
    expect(seen).toEqual([posted, posted]);
  });

  it('headers that somebody changes while the request is under way stay changed', async () => {
    const api = create();
    let kept: Record<string, unknown> = {};
    api.interceptors.request.use((config) => {
      kept = config.headers as Record<string, unknown>;
      return config;
    });
    install(api);
    await api.get('/v1/research');
    const answered = api.get('/v1/research');
    await new Promise(setImmediate);
    kept['X-Late'] = 'yes';
    await answered;
    expect(kept).toMatchObject({ 'X-Late': 'yes', 'X-Own': 'kept' });
  });

  it('headers that somebody freezes while the request is under way hide no answer, and show no token', async () => {
    const api = create();
    let kept: object[] = [];
    api.interceptors.request.use((config) => {
      kept = [config, config.headers];
      return config;
    });
    install(api);
    await api.get('/v1/research');
    const answered = api.get('/v1/research');
    await new Promise(setImmediate);
    Object.freeze(kept[1]);
    expect((await answered).status).toBe(200);
    expect(inspect(kept[0], { depth: 10 })).not.toContain('LIVE-TOKEN');
  });

  it('sends no token to another host, however its copy of axios treats allowAbsoluteUrls', async () => {
    const api = create();
    install(api);
    await api.get(`${other.url}/x`, { allowAbsoluteUrls: false }).catch(() => undefined);
    await api.get('/x', { baseURL: other.url, allowAbsoluteUrls: false }).catch(() => undefined);
    expect(other.arrived.filter(({ all }) => all.includes('LIVE-TOKEN'))).toEqual([]);
  });
});

describe('an https request for which a proxy is configured', () => {
  const [, minor = 0, patch = 0] = axios.VERSION.split('.').map(Number);
  const tunnels = minor > 16 || (minor === 16 && patch >= 1);
  const home = { baseURL: 'https://acme-api.bipsync.invalid', tokenTimeoutMs: 200 };

  async function codeOf(api: AxiosInstance): Promise<unknown> {
    install(api, home);
    const error = await rejection(api.get('/v1/research'));
    expect(other.tokenRequests.concat(other.arrived).map(({ all }) => all)).toEqual([]);
    return error['code'];
  }

  const ofFunctions = copies.flatMap(([version, copy]) => {
    const inner = copy.getAdapter('http');
    return [
      { version, copy, how: 'the http adapter itself', adapter: inner },
      { version, copy, how: 'a wrapped http adapter', adapter: ((config) => inner(config)) as AxiosAdapter },
    ];
  });

  it.each(ofFunctions)(
    'an https request is not sent to a proxy by $how of another copy of axios ($version)',
    async ({ copy, adapter }) => {
      process.env['https_proxy'] = other.url;
      expect(await codeOf(copy.create({ adapter }))).toBe('ERR_BIPSYNC_CONFIG');
    },
  );

  it.each(copies)(
    "an instance of axios %s sends through the plugin's named adapter, if that opens tunnels",
    async (_version, copy) => {
      process.env['https_proxy'] = other.url;
      const code = await codeOf(copy.create({ adapter: 'http' }));
      if (tunnels) expect(code).not.toBe('ERR_BIPSYNC_CONFIG');
      else expect(code).toBe('ERR_BIPSYNC_CONFIG');
    },
  );

  it.each(['acme-api.bipsync.invalid', '.bipsync.invalid', '*', 'a.example, .bipsync.invalid'])(
    'any adapter may send an https request if NO_PROXY says %s',
    async (exempt) => {
      Object.assign(process.env, { https_proxy: other.url, NO_PROXY: exempt });
      const [, [, copy]] = copies as [unknown, (typeof copies)[number]];
      expect(await codeOf(copy.create({ adapter: copy.getAdapter('http') }))).not.toBe('ERR_BIPSYNC_CONFIG');
    },
  );

  // Versions of axios differ in the last two forms.
  it.each([
    ...['other.invalid', 'bipsync.invalid', 'acme-api.bipsync.invalid:8443', ''],
    ...['*.bipsync.invalid', 'ACME-API.bipsync.invalid'],
  ])('an unknown adapter may not send an https request if NO_PROXY says %p', async (exempt) => {
    Object.assign(process.env, { https_proxy: other.url, NO_PROXY: exempt });
    const [, [, copy]] = copies as [unknown, (typeof copies)[number]];
    expect(await codeOf(copy.create({ adapter: copy.getAdapter('http') }))).toBe('ERR_BIPSYNC_CONFIG');
  });

  it('a proxy whose URL cannot be read is reported as the configured proxy', async () => {
    process.env['https_proxy'] = 'http://:not-a-port';
    const [, [, copy]] = copies as [unknown, (typeof copies)[number]];
    const api = copy.create({ adapter: copy.getAdapter('http') });
    install(api, home);
    const { message } = await rejection(api.get('/v1/research'));
    expect(message).toContain('unencrypted to the configured proxy. Either upgrade every copy of axios');
  });

  it('an axios without a version is reported as one of an unknown version', async () => {
    process.env['https_proxy'] = other.url;
    const version = jest.replaceProperty(axios, 'VERSION', undefined as never);
    try {
      const [, [, copy]] = copies as [unknown, (typeof copies)[number]];
      const api = copy.create({ adapter: 'http' });
      install(api, home);
      const { message } = await rejection(api.get('/v1/research'));
      expect(message).toContain(
        ': axios (unknown version) could send the client secret and the token unencrypted',
      );
    } finally {
      version.restore();
    }
  });

  it('an unknown adapter may send an https request with `proxy: false`', async () => {
    process.env['https_proxy'] = other.url;
    const [, [, copy]] = copies as [unknown, (typeof copies)[number]];
    const api = copy.create({ adapter: copy.getAdapter('http'), proxy: false });
    expect(await codeOf(api)).not.toBe('ERR_BIPSYNC_CONFIG');
  });

  it('a mock marked by mockBipsyncToken answers on any copy of axios, with a proxy configured', async () => {
    process.env['https_proxy'] = other.url;
    for (const [, copy] of copies) {
      const adapter: AxiosAdapter = async (config) => ({
        ...{ status: 200, statusText: '', headers: {}, config },
        data: { token_type: 'bearer', access_token: 'mocked', expires_in: 3600 },
      });
      Object.assign(adapter, { [Symbol.for('axios-bipsync-auth.mock')]: true });
      const api = copy.create({ adapter });
      install(api, home);
      expect((await api.get('/v1/research')).status).toBe(200);
    }
  });
});
