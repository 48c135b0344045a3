import { Agent } from 'node:https';

import type axios from 'axios';
import type { CreateAxiosDefaults } from 'axios';
import { HttpsProxyAgent } from 'https-proxy-agent';

import type * as Plugin from '../../src';
import type { BipsyncEmulator } from '../../src/testing';
import { configFor, startEmulator } from '../support/emulated';
import { skipPauses } from '../support/pauses';
import { rejection } from '../support/scripted';
import { HOST, type Listening, type Proxy, selfSigned, startProxy, startTlsFront } from './tunnels';

const certificate = selfSigned();
const variables = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'];

if (!certificate)
  process.stderr.write('\n*** SKIPPED: openssl is not installed, so no proxy was tried ***\n\n');

interface Axios {
  axios: typeof axios;
  installBipsyncAuth: typeof Plugin.installBipsyncAuth;
}

/** The plugin on one of the installed versions of axios. */
function load(version: string): Axios {
  let loaded: Axios | undefined;
  jest.isolateModules(() => {
    jest.doMock('axios', () => jest.requireActual<object>(version));
    const { installBipsyncAuth } = jest.requireActual<typeof Plugin>('../../src');
    skipPauses(jest.requireActual('../../src/token/clock'));
    const mocked = jest.requireMock<typeof axios & { default?: typeof axios }>('axios');
    loaded = { axios: mocked.default ?? mocked, installBipsyncAuth };
  });
  jest.dontMock('axios');
  return loaded!;
}

(certificate ? describe : describe.skip)('through a proxy that tunnels', () => {
  let emulator: BipsyncEmulator;
  let front: Listening;
  let proxy: Proxy;
  const saved = new Map(variables.map((name) => [name, process.env[name]]));

  beforeEach(async () => {
    for (const name of variables) Reflect.deleteProperty(process.env, name);
    emulator = await startEmulator();
    front = await startTlsFront(certificate!, emulator.url);
    proxy = await startProxy(front.port);
  });
  afterEach(async () => {
    for (const [name, value] of saved) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    await proxy.close();
    await front.close();
  });

  const trusting = { ca: certificate?.cert };
  const proxyOption = () => ({ protocol: 'http', host: '127.0.0.1', port: proxy.port });

  function install({ axios, installBipsyncAuth }: Axios, http: CreateAxiosDefaults) {
    const api = axios.create({ timeout: 15_000, ...http });
    const auth = installBipsyncAuth(api, { ...configFor(emulator), baseURL: `https://${HOST}` });
    return { api, auth };
  }

  /** The secret is in no byte the proxy got, and neither is a token. */
  function expectNothingSeen(): void {
    expect(proxy.seen()).not.toContain(emulator.clientSecret);
    expect(proxy.seen()).not.toContain('client_credentials');
    expect(proxy.seen()).not.toMatch(/bearer/i);
  }

  describe('axios newest', () => {
    const newest = load('axios');

    it.each([
      ['the proxy option', () => ({ proxy: proxyOption() })],
      [
        'https_proxy in the environment',
        () => {
          process.env['https_proxy'] = proxy.url;
          return {};
        },
      ],
    ])('tunnels token request and request alike, with %s', async (_name, options) => {
      const { api } = install(newest, { ...options(), httpsAgent: new Agent(trusting) });
      expect((await api.get('/v1/research')).status).toBe(200);
      expect(emulator.tokenRequests).toBe(1);
      expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${HOST}:443`]));
      expectNothingSeen();
    });

    it('answers a 401 through the tunnel too', async () => {
      const { api } = install(newest, { proxy: proxyOption(), httpsAgent: new Agent(trusting) });
      await api.get('/v1/research');
      emulator.revokeTokens();
      expect((await api.get('/v1/research')).status).toBe(200);
      expectNothingSeen();
    });

    it('names the proxy if it cannot be reached', async () => {
      const { api } = install(newest, { proxy: { ...proxyOption(), port: 1 } });
      expect(await rejection(api.get('/v1/research'))).toMatchObject({
        code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
        message: expect.stringContaining('through the proxy') as string,
      });
    });

    it('sends no secret to a server with an untrusted certificate', async () => {
      const { api } = install(newest, { proxy: proxyOption() });
      expect(await rejection(api.get('/v1/research'))).toMatchObject({
        code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
        message: expect.stringMatching(/SELF_SIGNED.*not trusted.*NODE_EXTRA_CA_CERTS/) as string,
      });
      expect(emulator.tokenRequests).toBe(0);
    });
  });

  describe.each(['axios-1.7', 'axios-1.12'])('%s, which does not tunnel by itself', (version) => {
    const older = load(version);

    it('would show the proxy everything without the plugin', async () => {
      const api = older.axios.create({ proxy: proxyOption(), headers: { Authorization: 'Bearer shown' } });
      await rejection(api.post(`https://${HOST}/v1/oauth/token`, 'grant_type=client_credentials'));
      expect(proxy.asked).toEqual([`POST https://${HOST}/v1/oauth/token`]);
      expect(proxy.seen()).toMatch(/Bearer shown[^]*client_credentials/);
    });

    it.each([
      ['the proxy option', () => ({ proxy: proxyOption() })],
      [
        'https_proxy in the environment',
        () => {
          process.env['https_proxy'] = proxy.url;
          return {};
        },
      ],
      [
        'HTTPS_PROXY in the environment',
        () => {
          process.env['HTTPS_PROXY'] = proxy.url;
          return {};
        },
      ],
    ])('makes no token request with %s, and says what to do', async (_name, options) => {
      const { auth } = install(older, { ...options(), httpsAgent: new Agent(trusting) });
      expect(await rejection(auth.getToken())).toMatchObject({
        code: 'ERR_BIPSYNC_CONFIG',
        message: expect.stringMatching(/proxy: false.*httpsAgent/) as string,
      });
      expect(proxy.asked).toEqual([]);
    });

    it('sends a request without a token, since the proxy would read it', async () => {
      const { api, auth } = install(older, { proxy: proxyOption() });
      await rejection(api.get('/v1/research'));
      await rejection(auth.getToken());
      expect(proxy.asked).not.toContain(`POST https://${HOST}/v1/oauth/token`);
      expectNothingSeen();
    });

    it('works with an agent that tunnels and `proxy: false`', async () => {
      process.env['https_proxy'] = proxy.url;
      const httpsAgent = new HttpsProxyAgent(proxy.url);
      Object.assign(httpsAgent.options, trusting);
      const { api } = install(older, { httpsAgent, proxy: false });
      await api.get('/v1/research');
      emulator.revokeTokens();
      expect((await api.get('/v1/research')).status).toBe(200);
      expect(emulator.tokenRequests).toBe(2);
      expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${HOST}:443`]));
      expectNothingSeen();
    });
  });
});
