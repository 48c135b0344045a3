import axios, { type AxiosInstance } from 'axios';

import {
  bipsyncAuthConfigFromEnv,
  BipsyncAuthError,
  installBipsyncAuth,
  isBipsyncAuthError,
} from '../../src';
import { ORIGIN, rejection, scripted, SECRET } from '../support/scripted';

const good = { client: 'acme', clientId: 'the-client', clientSecret: SECRET, teamId: 'a1' };
const use = (): number => 0;

function refusal(config: unknown, instance = axios.create()): BipsyncAuthError {
  try {
    installBipsyncAuth(instance, config as typeof good);
  } catch (error) {
    if (isBipsyncAuthError(error)) {
      expect(error.code).toBe('ERR_BIPSYNC_CONFIG');
      expect(error.message).not.toContain(SECRET);
      return error;
    }
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('a bad configuration fails at installation', () => {
  it('with one error that lists every problem and never prints the secret', () => {
    const { message } = refusal({
      ...good,
      client: 'acme.evil',
      clientId: '',
      tokenEncoding: 'xml',
      tokenTimeoutMs: -1,
      refreshWindowMs: 'soon',
      tokenStore: {},
      onEvent: 'log',
      allowedOrigins: ['http://other.example'],
      clientSecert: 'x',
    });
    for (const name of [
      'client is the subdomain',
      'clientId',
      'tokenEncoding',
      'tokenTimeoutMs',
      'refreshWindowMs',
      'tokenStore',
      'onEvent',
      'allowedOrigins',
      '"clientSecert"',
    ]) {
      expect(message).toContain(name);
    }
  });

  it.each([
    ['nothing at all', undefined, 'must be an object'],
    ['no credentials', { client: 'acme', teamId: 'a1' }, 'clientId is required'],
    ['no team', { ...good, teamId: undefined }, 'teamId is required'],
    ['both client and baseURL', { ...good, baseURL: ORIGIN }, 'exclude each other'],
    ['neither client nor baseURL', { ...good, client: undefined }, 'client or baseURL is required'],
    ['plain http', { ...good, client: undefined, baseURL: 'http://api.example' }, 'https'],
    [
      'a host that only looks like loopback',
      { ...good, client: undefined, baseURL: 'http://127.0.0.1.evil.example' },
      'https',
    ],
    [
      'localhost as a subdomain',
      { ...good, client: undefined, baseURL: 'http://localhost.evil.example' },
      'https',
    ],
    ['user info', { ...good, client: undefined, baseURL: 'https://u:p@api.example' }, 'user info'],
    ['a tokenUrl in clear', { ...good, tokenUrl: 'http://api.example/token' }, 'tokenUrl must use https'],
    ['a tokenUrl with a fragment', { ...good, tokenUrl: 'https://api.example/token#x' }, 'fragment'],
    [
      'an allowed origin with a path',
      { ...good, allowedOrigins: ['https://api.example/v1'] },
      'origins alone',
    ],
    ['two teams', { ...good, scopes: ['team_b2'] }, 'more than one team'],
    ['a team id with a space', { ...good, teamId: 'a b' }, 'visible ASCII'],
    ['a scope with a quote', { ...good, scopes: ['a"b'] }, 'visible ASCII'],
    ['a scope with a line break', { ...good, scopes: 'a\r\nb' }, 'visible ASCII'],
    [
      'a tokenUrl whose path is taken for a host',
      { ...good, tokenUrl: 'https://api.example//token' },
      'tokenUrl',
    ],
    ['an empty secret', { ...good, clientSecret: ' ' }, 'clientSecret'],
    ['a number for a secret', { ...good, clientSecret: 12345 }, 'clientSecret'],
    ['a margin that is not a number', { ...good, expiryMarginMs: Number.NaN }, 'expiryMarginMs'],
  ])('with %s', (_name, config, words) => {
    expect(refusal(config).message).toContain(words);
  });

  it('options that cannot be read are rejected, and what their accessor or proxy threw is not repeated', () => {
    const getter = Object.defineProperty({ ...good }, 'teamId', {
      enumerable: true,
      get() {
        throw new Error(SECRET);
      },
    });
    const trap = new Proxy(good, {
      ownKeys() {
        throw new TypeError(SECRET);
      },
    });
    for (const config of [getter, trap]) {
      expect(refusal(config).message).toBe(
        'The options could not be read, because one of their accessors throws.',
      );
    }
  });
});

describe('what is accepted', () => {
  it.each([
    'http://localhost:3000',
    'http://127.0.0.1:3000',
    'http://127.8.8.8',
    'http://[::1]:8080',
    'https://gw.example/x',
  ])('baseURL %s', (baseURL) => {
    const api = axios.create();
    installBipsyncAuth(api, { ...good, client: undefined, baseURL });
    expect(api.defaults.baseURL).toBe(baseURL);
  });

  it('undefined counts as absent', () => {
    const api = axios.create();
    installBipsyncAuth(api, { ...good, baseURL: undefined, scopes: undefined, tokenTimeoutMs: undefined });
    expect(api.defaults.baseURL).toBe(ORIGIN);
  });

  it('a team in the scopes instead of a teamId, and a teamId with its prefix', async () => {
    const inScopes = scripted({ teamId: undefined, scopes: 'research:read team_z9 research:read' });
    expect((await inScopes.auth.getToken()).scopes).toEqual(['research:read', 'team_z9']);
    const prefixed = scripted({ teamId: 'team_z9' });
    expect((await prefixed.auth.getToken()).scopes).toEqual(['team_z9']);
  });
});

describe('the axios instance', () => {
  it('without a baseURL is given one, and loses it with eject()', async () => {
    const { api, auth } = scripted();
    expect(api.defaults.baseURL).toBe(ORIGIN);
    auth.eject();
    expect('baseURL' in api.defaults).toBe(false);
  });

  it('with a baseURL of its own keeps it, and needs neither client nor baseURL in the config', () => {
    const api = axios.create({ baseURL: `${ORIGIN}/v1` });
    const auth = installBipsyncAuth(api, { ...good, client: undefined });
    expect(api.defaults.baseURL).toBe(`${ORIGIN}/v1`);
    auth.eject();
    expect(api.defaults.baseURL).toBe(`${ORIGIN}/v1`);
  });

  it('whose baseURL may not receive the token is refused, with both origins in the message', () => {
    const { message } = refusal(good, axios.create({ baseURL: 'https://other.example/v1' }));
    expect(message).toContain('https://other.example');
    expect(message).toContain(ORIGIN);
    const api = axios.create({ baseURL: 'https://other.example/v1' });
    installBipsyncAuth(api, { ...good, allowedOrigins: ['https://other.example'] });
  });

  it('may be of another copy of axios', () => {
    let other: typeof axios | undefined;
    jest.isolateModules(() => {
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- a second copy, as CommonJS beside ESM has
      other = (require('axios') as { default: typeof axios }).default;
    });
    expect(other).not.toBe(axios);
    expect(() => installBipsyncAuth(other!.create(), good)).not.toThrow();
  });

  it('is told of all that is wrong with it, and with the configuration, at once', () => {
    const api = axios.create({ baseURL: 'https://other.example', auth: { username: 'u', password: 'hush' } });
    const { message } = refusal({ ...good, clientId: '' }, api);
    for (const problem of ['clientId is required', 'defaults.auth', 'https://other.example', ORIGIN]) {
      expect(message).toContain(problem);
    }
    expect(message).not.toContain('hush');
  });

  it('gets a base URL without the white space that came along', () => {
    const { api } = scripted({ client: undefined, baseURL: `${ORIGIN}/v1 ` });
    expect(api.defaults.baseURL).toBe(`${ORIGIN}/v1`);
  });

  it('whose baseURL has user info is refused', () => {
    const { message } = refusal(good, axios.create({ baseURL: ORIGIN.replace('//', '//user:hush@') }));
    expect(message).toContain('user info');
    expect(message).not.toContain('hush');
  });

  it('with defaults.auth is refused', () => {
    expect(refusal(good, axios.create({ auth: { username: 'u', password: 'p' } })).message).toContain(
      'defaults.auth',
    );
  });

  it('takes the plugin once, and again after eject()', async () => {
    const { api, auth } = scripted();
    expect(refusal(good, api).message).toContain('already');
    auth.eject();
    auth.eject();
    const again = scripted({}, api);
    await again.api.get('/v1/research');
    expect(again.tokenRequests).toHaveLength(1);
  });

  it('is left as it was by eject(), and sends requests without a token then', async () => {
    const state = scripted();
    await state.api.get('/v1/research');
    state.auth.eject();
    await state.api.get(`${ORIGIN}/v1/research`);
    expect(state.sent).toEqual(['Bearer token-1', undefined]);
    expect(Object.getOwnPropertySymbols(state.api)).toEqual([]);
  });

  it("may be axios's default export, whose baseURL is left alone", () => {
    const auth = installBipsyncAuth(axios, good);
    expect(axios.defaults.baseURL).toBeUndefined();
    auth.eject();
  });

  it.each([
    undefined,
    null,
    {},
    () => undefined,
    'axios',
    { interceptors: {} },
    Object.freeze(axios.create()),
  ])('must be one: %p is refused', (value) => {
    expect(() => installBipsyncAuth(value as typeof axios, good)).toThrow(
      expect.objectContaining({ code: 'ERR_BIPSYNC_CONFIG' }) as Error,
    );
  });

  it('stops having the plugin when somebody clears its request interceptors', async () => {
    const state = scripted();
    state.api.interceptors.request.clear();
    await state.api.get('/v1/research');
    state.onApi = () => ({ status: 401 });
    await state.api.get('/v1/research').catch(() => undefined);
    expect(state.sent).toEqual([undefined, undefined]);
    expect(state.tokenRequests).toHaveLength(0);
  });
});

describe('in a browser page', () => {
  afterEach(() => {
    Reflect.deleteProperty(globalThis, 'document');
  });

  it('installation is refused', () => {
    const { process } = globalThis;
    Object.assign(globalThis, { document: {}, process: undefined });
    try {
      expect(refusal(good).message).toContain('browser');
    } finally {
      globalThis.process = process;
    }
  });

  it('jsdom under Jest, which has a document and Node, works', () => {
    Object.assign(globalThis, { document: {} });
    installBipsyncAuth(axios.create(), good);
  });
});

describe('bipsyncAuthConfigFromEnv', () => {
  it('reads the six variables', () => {
    expect(
      bipsyncAuthConfigFromEnv({
        BIPSYNC_CLIENT: 'acme',
        BIPSYNC_BASE_URL: 'https://gw.example',
        BIPSYNC_CLIENT_ID: 'id',
        BIPSYNC_CLIENT_SECRET: 'hush',
        BIPSYNC_TEAM_ID: 'a1',
        BIPSYNC_SCOPES: 'research:read users:read',
        PATH: '/bin',
      }),
    ).toEqual({
      client: 'acme',
      baseURL: 'https://gw.example',
      clientId: 'id',
      clientSecret: 'hush',
      teamId: 'a1',
      scopes: 'research:read users:read',
    });
  });

  it('counts an empty variable as absent, so that installation tells of it', () => {
    const config = bipsyncAuthConfigFromEnv({
      BIPSYNC_CLIENT: 'acme',
      BIPSYNC_CLIENT_ID: '',
      BIPSYNC_TEAM_ID: ' ',
    });
    expect(config).toEqual({ client: 'acme' });
    const { message } = refusal(config);
    expect(message).toContain('BIPSYNC_CLIENT_ID');
    expect(message).toContain('BIPSYNC_CLIENT_SECRET');
  });

  it('reads process.env by default', () => {
    process.env['BIPSYNC_CLIENT'] = 'from-process';
    try {
      expect(bipsyncAuthConfigFromEnv().client).toBe('from-process');
    } finally {
      delete process.env['BIPSYNC_CLIENT'];
    }
  });
});

it('what another version of the package has installed, or thrown, is known by a name that does not change', () => {
  const { api } = scripted();
  expect(Object.hasOwn(api, Symbol.for('axios-bipsync-auth.installed'))).toBe(true);
  expect(isBipsyncAuthError({ [Symbol.for('axios-bipsync-auth.error')]: true })).toBe(true);
});

describe('isBipsyncAuthError', () => {
  it('knows errors of another copy of the package', () => {
    jest.isolateModules(() => {
      const other = jest.requireActual<{ BipsyncAuthError: typeof BipsyncAuthError }>('../../src');
      const error = new other.BipsyncAuthError('ERR_BIPSYNC_SCOPE', 'x');
      expect(error instanceof BipsyncAuthError).toBe(false);
      expect(isBipsyncAuthError(error)).toBe(true);
    });
  });

  it.each([undefined, null, 'x', new Error('x'), { code: 'ERR_BIPSYNC_SCOPE', name: 'BipsyncAuthError' }])(
    'does not know %p',
    (value) => {
      expect(isBipsyncAuthError(value)).toBe(false);
    },
  );
});

describe('eject()', () => {
  it('called again takes nothing from a later installation', () => {
    const { api, auth } = scripted();
    auth.eject();
    installBipsyncAuth(api, good);
    auth.eject();
    expect(() => installBipsyncAuth(api, good)).toThrow('installed on this axios instance already');
    expect(api.defaults.baseURL).toBe(ORIGIN);
  });

  it.each([undefined, ORIGIN])('leaves a baseURL that was there before, configured as %s', (baseURL) => {
    const api = axios.create({ baseURL: ORIGIN });
    installBipsyncAuth(api, { ...good, client: undefined, baseURL }).eject();
    expect(api.defaults.baseURL).toBe(ORIGIN);
  });

  it('leaves the baseURL that somebody set on axios’s default export', () => {
    const auth = installBipsyncAuth(axios, good);
    axios.defaults.baseURL = ORIGIN;
    auth.eject();
    expect(axios.defaults.baseURL).toBe(ORIGIN);
    delete axios.defaults.baseURL;
  });

  it('leaves an empty baseURL as it was', () => {
    const { api, auth } = scripted({}, axios.create({ baseURL: '' }));
    expect(api.defaults.baseURL).toBe(ORIGIN);
    auth.eject();
    expect(api.defaults.baseURL).toBe('');
  });

  it('leaves the interceptors that others registered after clear()', async () => {
    const { api, auth } = scripted();
    api.interceptors.request.clear();
    api.interceptors.response.clear();
    const theirs = jest.fn(<T>(value: T): T => value);
    api.interceptors.request.use(theirs);
    api.interceptors.response.use(theirs);
    auth.eject();
    await api.get(`${ORIGIN}/v1/x`);
    expect(theirs).toHaveBeenCalledTimes(2);
  });

  it('leaves a baseURL that was set since', () => {
    const { api, auth } = scripted();
    api.defaults.baseURL = 'https://other.example';
    auth.eject();
    expect(api.defaults.baseURL).toBe('https://other.example');
  });
});

describe('what is no axios instance is refused:', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an instance without interceptors', { defaults: {} }],
    ['one without request interceptors', { defaults: {}, interceptors: { response: { use } } }],
    ['one without response interceptors', { defaults: {}, interceptors: { request: { use } } }],
    [
      'one whose response interceptors take none',
      { defaults: {}, interceptors: { request: { use }, response: {} } },
    ],
    ['one without defaults', { interceptors: { request: { use }, response: { use } } }],
    ['one that is frozen', Object.freeze(axios.create())],
  ])('%s', (_name, instance) => {
    expect(() => installBipsyncAuth(instance as AxiosInstance, good)).toThrow(
      'The first argument must be an axios instance',
    );
  });
});

it.each([undefined, {}, { versions: {} }])(
  'in a browser page whose process is %j installation is refused',
  (process) => {
    const own = Object.getOwnPropertyDescriptor(globalThis, 'process')!;
    Object.assign(globalThis, { document: {} });
    Object.defineProperty(globalThis, 'process', { value: process, configurable: true, writable: true });
    let message = '';
    try {
      installBipsyncAuth(axios.create(), good);
    } catch (error) {
      ({ message } = error as Error);
    } finally {
      Object.defineProperty(globalThis, 'process', own);
      Reflect.deleteProperty(globalThis, 'document');
    }
    expect(message).toBe(
      'axios-bipsync-auth is for servers: in a browser page the client secret would be public.',
    );
  },
);

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
