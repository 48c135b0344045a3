import axios, { type AxiosInstance } from 'axios';

import { installBipsyncAuth } from '../../src';
import { ORIGIN, rejection, scripted } from '../support/scripted';

const good = { client: 'acme', clientId: 'the-client', clientSecret: 'hush', teamId: 'a1' };
const use = (): number => 0;

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
    ['fetch'],
    'fetch',
    'fetch',
  ]) {
    await api.get('/v1/x', { ...elsewhere, adapter: given as never }).catch(() => undefined);
  }
  expect(bound.map((one, position) => bound.indexOf(one) === position)).toEqual([
    true,
    false,
    true,
    false,
    true,
    true,
    true,
    false,
  ]);
});
