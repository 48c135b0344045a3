import { Agent } from 'node:https';

import axios, { type AxiosAdapter, type AxiosInstance } from 'axios';

import { installBipsyncAuth } from '../src';
import { good, rejected } from './support/rejected';
import { ORIGIN, scripted } from './support/scripted';

const use = (): number => 0;

describe('the axios instance', () => {
  it('an instance without a baseURL is given one, and loses it with eject()', async () => {
    const { api, auth } = scripted();
    expect(api.defaults.baseURL).toBe(ORIGIN);
    auth.eject();
    expect('baseURL' in api.defaults).toBe(false);
  });

  it('an instance with a baseURL keeps it, and needs neither client nor baseURL in the config', () => {
    const api = axios.create({ baseURL: `${ORIGIN}/v1` });
    const auth = installBipsyncAuth(api, { ...good, client: undefined });
    expect(api.defaults.baseURL).toBe(`${ORIGIN}/v1`);
    auth.eject();
    expect(api.defaults.baseURL).toBe(`${ORIGIN}/v1`);
  });

  it('eject() removes the plugin from an instance whose defaults are frozen by then', async () => {
    const api = axios.create();
    const auth = installBipsyncAuth(api, good);
    Object.freeze(api.defaults);
    auth.eject();
    const sent: unknown[] = [];
    const adapter: AxiosAdapter = async (config) => {
      sent.push(config.headers['Authorization']);
      return { status: 200, statusText: '', headers: {}, data: '', config };
    };
    await api.get(`${ORIGIN}/v1/x`, { adapter });
    expect(sent).toEqual([undefined]);
  });

  it('an instance whose baseURL may not receive the token is rejected, with both origins in the message', () => {
    const { message } = rejected(good, axios.create({ baseURL: 'https://other.example/v1' }));
    expect(message).toContain('https://other.example');
    expect(message).toContain(ORIGIN);
    const api = axios.create({ baseURL: 'https://other.example/v1' });
    installBipsyncAuth(api, { ...good, allowedOrigins: ['https://other.example'] });
  });

  it('an instance of another copy of axios is accepted', () => {
    let other: typeof axios | undefined;
    jest.isolateModules(() => {
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- a second copy, as CommonJS beside ESM has
      other = (require('axios') as { default: typeof axios }).default;
    });
    expect(other).not.toBe(axios);
    expect(() => installBipsyncAuth(other!.create(), good)).not.toThrow();
  });

  it('installation reports everything that is wrong with the instance and the configuration at once', () => {
    const api = axios.create({ baseURL: 'https://other.example', auth: { username: 'u', password: 'hush' } });
    const { message } = rejected({ ...good, clientId: '' }, api);
    for (const problem of [
      'clientId (BIPSYNC_CLIENT_ID) is required',
      'defaults.auth',
      'https://other.example',
      ORIGIN,
    ]) {
      expect(message).toContain(problem);
    }
    expect(message).not.toContain('hush');
  });

  it('white space around a configured baseURL is cut off', () => {
    const { api } = scripted({ client: undefined, baseURL: `${ORIGIN}/v1 ` });
    expect(api.defaults.baseURL).toBe(`${ORIGIN}/v1`);
  });

  it('an instance whose baseURL has user info is rejected', () => {
    const { message } = rejected(good, axios.create({ baseURL: ORIGIN.replace('//', '//user:hush@') }));
    expect(message).toContain('the user name and password');
    expect(message).not.toContain('hush');
  });

  it('an instance with defaults.auth is rejected', () => {
    expect(rejected(good, axios.create({ auth: { username: 'u', password: 'p' } })).message).toContain(
      'defaults.auth',
    );
  });

  it('an instance takes the plugin once, and again after eject()', async () => {
    const { api, auth } = scripted();
    expect(rejected(good, api).message).toContain('already');
    auth.eject();
    auth.eject();
    const again = scripted({}, api);
    await again.api.get('/v1/research');
    expect(again.tokenRequests).toHaveLength(1);
  });

  it('eject() leaves the instance as it was, and it then sends requests without a token', async () => {
    const state = scripted();
    await state.api.get('/v1/research');
    state.auth.eject();
    await state.api.get(`${ORIGIN}/v1/research`);
    expect(state.sent).toEqual(['Bearer token-1', undefined]);
    expect(Object.getOwnPropertySymbols(state.api)).toEqual([]);
  });

  it("the plugin can be installed on axios's default export, whose baseURL is left alone", () => {
    const auth = installBipsyncAuth(axios, good);
    expect(axios.defaults.baseURL).toBeUndefined();
    auth.eject();
  });

  it('an instance whose request interceptors were cleared sends requests without a token', async () => {
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

  it.each([undefined, {}, { versions: {} }])(
    'in a browser page whose process is %j, installation is rejected',
    (process) => {
      const own = Object.getOwnPropertyDescriptor(globalThis, 'process')!;
      Object.assign(globalThis, { document: {} });
      Object.defineProperty(globalThis, 'process', { value: process, configurable: true, writable: true });
      let message: string;
      try {
        ({ message } = rejected(good));
      } finally {
        Object.defineProperty(globalThis, 'process', own);
      }
      expect(message).toBe(
        'axios-bipsync-auth does not work in a browser page: the client secret would be public. Use it on a server.',
      );
    },
  );

  it('jsdom under Jest, which has a document and Node, works', () => {
    Object.assign(globalThis, { document: {} });
    installBipsyncAuth(axios.create(), good);
  });
});

describe('eject()', () => {
  it('eject() that is called again takes nothing from a later installation', () => {
    const { api, auth } = scripted();
    auth.eject();
    installBipsyncAuth(api, good);
    auth.eject();
    expect(() => installBipsyncAuth(api, good)).toThrow('already installed on this axios instance');
    expect(api.defaults.baseURL).toBe(ORIGIN);
  });

  it.each([undefined, ORIGIN])(
    'eject() leaves a baseURL that was there before, with a configured baseURL of %s',
    (baseURL) => {
      const api = axios.create({ baseURL: ORIGIN });
      installBipsyncAuth(api, { ...good, client: undefined, baseURL }).eject();
      expect(api.defaults.baseURL).toBe(ORIGIN);
    },
  );

  it('eject() leaves the baseURL that the application set on axios’s default export', () => {
    const auth = installBipsyncAuth(axios, good);
    axios.defaults.baseURL = ORIGIN;
    auth.eject();
    expect(axios.defaults.baseURL).toBe(ORIGIN);
    delete axios.defaults.baseURL;
  });

  it('eject() leaves an empty baseURL as it was', () => {
    const { api, auth } = scripted({}, axios.create({ baseURL: '' }));
    expect(api.defaults.baseURL).toBe(ORIGIN);
    auth.eject();
    expect(api.defaults.baseURL).toBe('');
  });

  it('eject() leaves the interceptors that others registered after clear()', async () => {
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

  it("eject() works on a test's stand-in whose interceptor managers have only use()", () => {
    const standIn = { defaults: {}, interceptors: { request: { use }, response: { use } } } as never;
    const auth = installBipsyncAuth(standIn, good);
    auth.eject();
    expect(Reflect.ownKeys(standIn)).toEqual(['defaults', 'interceptors']);
    installBipsyncAuth(standIn, good);
  });

  it('the plugin can be installed again after an interceptor manager threw in eject()', () => {
    const { api, auth } = scripted();
    jest.spyOn(api.interceptors.request, 'eject').mockImplementationOnce(() => {
      throw new Error('from the manager');
    });
    expect(() => auth.eject()).toThrow('from the manager');
    expect('baseURL' in api.defaults).toBe(false);
    installBipsyncAuth(api, good);
  });

  it('eject() leaves a baseURL that was set after installation', () => {
    const { api, auth } = scripted();
    api.defaults.baseURL = 'https://other.example';
    auth.eject();
    expect(api.defaults.baseURL).toBe('https://other.example');
  });
});

describe('without the globals URL and URLSearchParams, which a test may have removed,', () => {
  const names = ['URL', 'URLSearchParams'] as const;
  const own = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name)!);
  beforeEach(() => names.forEach((name) => Reflect.deleteProperty(globalThis, name)));
  afterEach(() => names.forEach((name, at) => Object.defineProperty(globalThis, name, own[at]!)));

  it.each([{ client: 'acme' }, { client: undefined, baseURL: ORIGIN, tokenUrl: `${ORIGIN}/v1/oauth/token` }])(
    'the configuration %j is accepted, and a token is obtained',
    async (config) => {
      const state = scripted(config);
      expect((await state.auth.getToken()).accessToken).toBe('token-1');
    },
  );
});

describe('what is no axios instance is refused:', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'axios'],
    ['a function that is no axios', () => undefined],
    ['an instance without interceptors', { defaults: {} }],
    ['one without request interceptors', { defaults: {}, interceptors: { response: { use } } }],
    ['one without response interceptors', { defaults: {}, interceptors: { request: { use } } }],
    [
      'one whose response interceptors take none',
      { defaults: {}, interceptors: { request: { use }, response: {} } },
    ],
    ['one without defaults', { interceptors: { request: { use }, response: { use } } }],
  ])('%s is rejected as an axios instance', (_name, instance) => {
    expect(() => installBipsyncAuth(instance as AxiosInstance, good)).toThrow(
      expect.objectContaining({
        code: 'ERR_BIPSYNC_CONFIG',
        message: expect.stringContaining('The first argument must be an axios instance') as string,
      }) as Error,
    );
  });
});

it('a frozen axios instance is rejected with what to do', () => {
  expect(rejected(good, Object.freeze(axios.create())).message).toBe(
    'The axios instance is frozen. Install axios-bipsync-auth before you freeze the instance.',
  );
});

it('an httpsAgent that checks no certificates is warned of at installation', () => {
  const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const config = { client: 'acme', clientId: 'id', clientSecret: 'a-secret-of-tests', teamId: '1' };
  installBipsyncAuth(axios.create({ httpsAgent: new Agent({ rejectUnauthorized: false }) }), config);
  expect(warned).toHaveBeenCalledTimes(1);
  expect(warned.mock.calls[0]?.[0]).toContain('NODE_EXTRA_CA_CERTS');
  installBipsyncAuth(axios.create({ httpsAgent: new Agent() }), config);
  expect(warned).toHaveBeenCalledTimes(1);
  warned.mockRestore();
});
