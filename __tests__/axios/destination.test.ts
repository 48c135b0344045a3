import axios, { type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';

import { ORIGIN, scripted } from '../support/scripted';

const BLOB = `blob:${ORIGIN}/0b5c`;

describe('18. the token goes to the configured origin and allowedOrigins only', () => {
  it.each([
    ['a relative URL', { url: '/v1/research' }],
    ['a relative URL without a slash', { url: 'v1/research' }],
    ['no URL', {}],
    ['a URL that is null', { url: null as never }],
    ['a query alone', { url: '?a=1' }],
    ['an absolute URL', { url: `${ORIGIN}/v1/research` }],
    ['the origin alone', { url: ORIGIN }],
    ['an absolute URL in capitals, with the default port', { url: 'HTTPS://ACME-API.BIPSYNC.COM:443/v1' }],
    ['a baseURL with a path', { baseURL: `${ORIGIN}/v1`, url: 'research' }],
    ['an @ in the path', { url: '/@evil.example/' }],
    ['a backslash in the path', { url: '\\evil.example' }],
    ['two slashes in the path', { url: '/v1//evil.example' }],
    ['an allowed origin', { url: 'https://gw.example:8443/x' }],
  ])('the token goes with %s', async (_name, config) => {
    const state = scripted({ allowedOrigins: ['https://gw.example:8443'] });
    await state.api.request(config);
    expect(state.sent).toEqual(['Bearer token-1']);
  });

  it('with allowAbsoluteUrls: false the token goes with an absolute URL only if this version of axios sends it to the baseURL', async () => {
    const state = scripted();
    await state.api.get('https://evil.example/', { allowAbsoluteUrls: false });
    const isOld = axios.VERSION.startsWith('1.7.');
    expect(state.sent).toEqual([isOld ? undefined : 'Bearer token-1']);
  });

  it.each([
    ['another host', { url: 'https://evil.example/v1' }, 'origin'],
    ['a subdomain', { url: 'https://x.acme-api.bipsync.com/' }, 'origin'],
    ['another port', { url: `${ORIGIN}:8443/` }, 'origin'],
    ['plain http', { url: 'http://acme-api.bipsync.com/' }, 'origin'],
    ['a host that begins alike', { url: `${ORIGIN}.evil.example/` }, 'origin'],
    [
      'a host after user info that looks alike',
      { url: 'https://acme-api.bipsync.com@evil.example/' },
      'origin',
    ],
    ['a host after a backslash', { url: 'https://evil.example\\@acme-api.bipsync.com/' }, 'origin'],
    ['another baseURL', { baseURL: 'https://evil.example', url: '/v1' }, 'origin'],
    ['an allowed host on another port', { url: 'https://gw.example/x' }, 'origin'],
    ['a protocol-relative URL', { url: '//evil.example/' }, 'unknown-destination'],
    ['a protocol-relative URL to the good host', { url: '//acme-api.bipsync.com/' }, 'unknown-destination'],
    ['a socket', { socketPath: '/var/run/x.sock', url: '/v1' }, 'unknown-destination'],
    ['a blob', { url: BLOB, baseURL: '' }, 'unknown-destination'],
    ['a scheme with a digit', { url: 'h2://evil.example/' }, 'unknown-destination'],
    ['a data URL', { url: 'data:text/plain,x', baseURL: '' }, 'unknown-destination'],
    ['a URL object', { url: new URL(`${ORIGIN}/x`) as never }, 'unknown-destination'],
    ['white space before another host', { url: ' https://evil.example/', baseURL: '' }, 'origin'],
    ['a tab inside another host', { url: 'https://ev\til.example/', baseURL: '' }, 'origin'],
    ...[0, '', 'false', '0'].map((no): [string, object, string] => [
      `an absolute URL, and another baseURL that ${JSON.stringify(no)} may decide for`,
      { url: `${ORIGIN}/v1`, baseURL: 'https://evil.example', allowAbsoluteUrls: no },
      'unknown-destination',
    ]),
  ])('the token does not go with %s', async (_name, config, reason) => {
    const state = scripted({ allowedOrigins: ['https://gw.example:8443'] });
    await state.api.request(config).catch(() => undefined);
    expect(state.sent.filter(Boolean)).toEqual([]);
    expect(state.tokenRequests).toHaveLength(0);
    expect(state.events).toMatchObject([{ type: 'request-unauthenticated', reason }]);
  });

  it.each(['before', 'after'])(
    'the token is not sent if an interceptor that was registered %s the plugin changes the host',
    async (when) => {
      const api = axios.create();
      const rewrite = (config: { baseURL?: string }): never => {
        config.baseURL = 'https://evil.example';
        return config as never;
      };
      if (when === 'before') api.interceptors.request.use(rewrite);
      const state = scripted({}, api);
      if (when === 'after') api.interceptors.request.use(rewrite);
      await api.get('/v1/research');
      expect(state.sent).toEqual([undefined]);
    },
  );

  it('a token left over in a config does not go to another host with it', async () => {
    const state = scripted();
    const { config } = await state.api.get('/v1/research');
    expect(config.headers['Authorization']).toBe('Bearer token-1');
    await state.api.request({ ...config, url: 'https://evil.example/' });
    expect(state.sent).toEqual(['Bearer token-1', undefined]);
  });

  it("another host's own Authorization is left alone", async () => {
    const state = scripted();
    await state.api.get('https://other.example/', { headers: { Authorization: 'Bearer theirs' } });
    expect(state.sent).toEqual(['Bearer theirs']);
  });

  it('a config that inherits an option which changes the destination gets no token', async () => {
    const state = scripted();
    state.api.interceptors.request.use((config) =>
      Object.assign(Object.create({ socketPath: '/var/run/x.sock' }) as object, config),
    );
    await state.api.get('/v1/research').catch(() => undefined);
    expect(state.sent.filter(Boolean)).toEqual([]);
  });
});

it('18. an origin is compared with its port', async () => {
  const state = scripted({ allowedOrigins: ['https://other.example:8443'] });
  await state.api.get('https://other.example:8443/v1/x');
  await state.api.get('https://other.example/v1/x');
  await state.api.get(`${ORIGIN}:443/v1/x`);
  expect(state.sent).toEqual(['Bearer token-1', undefined, 'Bearer token-1']);
});

describe('18. a destination', () => {
  it.each<[string, object, boolean]>([
    ['the origin alone', { url: 'https://acme-api.bipsync.com' }, true],
    ['the origin in capitals', { url: 'HTTPS://ACME-API.BIPSYNC.COM/v1' }, true],
    ['the origin with a longer name', { url: 'https://acme-api.bipsync.com.evil.example/v1' }, false],
    ['the origin at the end', { url: 'https://evil.example/?https://acme-api.bipsync.com' }, false],
    ['the origin with a query', { url: 'https://acme-api.bipsync.com?x=1' }, true],
    ['the origin as user info', { url: 'https://acme-api.bipsync.com@evil.example/' }, false],
    ['a relative path', { url: 'v1/x' }, true],
    ['no url', { url: undefined }, true],
    ['a url that is no text', { url: 7 }, false],
    [
      'a baseURL that is no text',
      { url: '/v1', baseURL: { toString: () => 'https://acme-api.bipsync.com' } },
      false,
    ],
    ['no baseURL', { url: '/v1', baseURL: '' }, false],
    ['another baseURL', { url: '/v1', baseURL: 'https://evil.example' }, false],
    ['a file', { url: 'file:///etc/passwd' }, false],
    ['a blob', { url: 'blob:https://acme-api.bipsync.com/1', baseURL: '' }, false],
    ['a socket', { url: '/v1', socketPath: '/run/x.sock' }, false],
  ])('%s: %j receives the token: %s', async (_name, options, receives) => {
    const state = scripted();
    let authorization: unknown;
    state.api.interceptors.request.use((request) => Object.assign(request, options));
    const own = state.api.defaults.adapter as (request: InternalAxiosRequestConfig) => Promise<AxiosResponse>;
    state.api.defaults.adapter = (request) => {
      if (request.url !== '/v1/oauth/token') authorization = request.headers.get('Authorization');
      return own(request);
    };
    await state.api.get('/v1/x');
    expect(authorization === 'Bearer token-1').toBe(receives);
  });
});

it.each<[string, object | null]>([
  ['an object that inherits a URL', { baseURL: 'https://evil.example' }],
  ['an object that may inherit anything', Object.create(null) as object],
  ['a plain object', Object.prototype],
  ['an object without a prototype', null],
])('18. whether a config that is %s receives the token', async (_what, prototype) => {
  const instance = axios.create();
  instance.interceptors.request.use(
    (config) => Object.assign(Object.create(prototype), config) as typeof config,
  );
  const state = scripted({}, instance);
  await state.api.get('/v1/x');
  // The newest axios has made the config its own by the time it reaches the adapter.
  const reached: unknown = Object.getPrototypeOf(state.apiRequests[0]);
  const inherits = reached !== null && reached !== Object.prototype;
  expect(state.sent).toEqual([inherits ? undefined : 'Bearer token-1']);
});
