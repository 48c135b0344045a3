import axios, { type AxiosRequestConfig } from 'axios';

import { type BipsyncAuthConfig, installBipsyncAuth } from '../../src';
import { skipPauses } from '../support/pauses';
import { rejection } from '../support/scripted';

// Whatever is sent in these tests goes to a port of this machine where nobody listens.
const NOBODY = '127.0.0.1:1';
const HOME = `https://${NOBODY}`;
const proxy = { protocol: 'http', host: '127.0.0.1', port: 1 };
const variables = ['https_proxy', 'all_proxy', 'npm_config_https_proxy', 'npm_config_proxy'];
const [, minor = 0, patch = 0] = axios.VERSION.split('.').map(Number);
const isOld = minor < 16 || (minor === 16 && patch < 1);

const environment = { ...process.env };

skipPauses();
beforeEach(() => {
  for (const name of Object.keys(process.env))
    if (/proxy/i.test(name)) Reflect.deleteProperty(process.env, name);
});
afterEach(() => {
  process.env = { ...environment };
});

interface Attempt {
  home?: string;
  options?: AxiosRequestConfig;
  config?: Partial<BipsyncAuthConfig>;
  env?: string;
}

/** What a request fails with, when nobody listens anywhere. */
async function attempt({
  home = HOME,
  options = {},
  config = {},
  env,
}: Attempt): Promise<Record<string, unknown>> {
  if (env !== undefined) process.env[env] = `http://${NOBODY}`;
  const api = axios.create({ adapter: 'http', ...(options as object) });
  installBipsyncAuth(api, {
    ...{ baseURL: home, clientId: 'the-client', clientSecret: 'hush', teamId: 'a1' },
    ...config,
  });
  return rejection(api.get('/v1/research'));
}

describe('a proxy to which this version of axios would show an https request', () => {
  it.each<[string, Attempt]>([
    ['the proxy option', { options: { proxy } }],
    ...[...variables, ...variables.map((name) => name.toUpperCase())].map((env): [string, Attempt] => [
      env,
      { env },
    ]),
    [
      'the proxy option, for the token request alone',
      {
        home: `http://${NOBODY}`,
        options: { proxy },
        config: { tokenUrl: 'https://acme-api.bipsync.com/token' },
      },
    ],
  ])(
    'if axios would send an https request readable to a proxy, nothing is sent, and the error says what to do (%s)',
    async (_how, given) => {
      const error = await attempt(given);
      expect(error['code']).toBe(isOld ? 'ERR_BIPSYNC_CONFIG' : 'ERR_BIPSYNC_TOKEN_UNAVAILABLE');
      if (isOld) {
        expect(error['message']).toMatch(/^(?:The request was not sent|No token was requested): /);
        expect(error['message']).toContain(
          `: axios ${axios.VERSION} could send the client secret and the token unencrypted to the proxy ${NOBODY}. Either ` +
            "upgrade every copy of axios to 1.16.1 or later and set adapter: 'http'. Or give the instance `proxy: false` and an " +
            'httpsAgent that opens a tunnel. In a test with axios-mock-adapter, call mockBipsyncToken(mock).',
        );
      }
    },
  );

  it.each<[string, Attempt]>([
    ['no proxy', {}],
    ['another variable', { env: 'http_proxy' }],
    ['`proxy: false`', { options: { proxy: false }, env: 'https_proxy' }],
    ['plain http', { home: `http://${NOBODY}`, options: { proxy } }],
    ['an adapter that knows of no proxies', { options: { adapter: 'fetch' }, env: 'https_proxy' }],
  ])('a request is sent if no proxy could read it: with %s', async (_how, given) => {
    expect(await attempt(given)).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
  });
});
