import { HttpModule } from '@nestjs/axios';
import { Module } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import axios, { type AxiosAdapter, type InternalAxiosRequestConfig } from 'axios';
import MockAdapter from 'axios-mock-adapter';
import type Nock from 'nock';

import type * as Plugin from '../../../src';
import { BipsyncHttpModule, type BipsyncHttpOptions, installBipsyncAuthOn } from '../../../src/nestjs';
import { encryptedTokenStore, redisTokenStore } from '../../../src/stores';
import { boot, refusalOf } from '../../nestjs/application';
import type { Party } from '../parties';
import type { Row } from '../row';
import { NOWHERE, startProxy, type World } from '../world';

// The program around the plugin: stores, Nest, copies and versions of axios, mocks, runtimes.

const CONFIG = 'ERR_BIPSYNC_CONFIG';

function surroundings(title: string, party: Party, step: RegExp, fault: Row['fault'], code = CONFIG): Row {
  return { title, fault, library: { code, party, step } };
}

/** The plugin on a stand-in for axios; only its version is not the real one. */
function onAxios(version: string): typeof Plugin {
  let plugin: typeof Plugin | undefined;
  jest.isolateModules(() => {
    jest.doMock('axios', () =>
      Object.assign(axios.create(), axios, { VERSION: version, default: undefined }),
    );
    plugin = jest.requireActual<typeof Plugin>('../../../src');
  });
  jest.dontMock('axios');
  return plugin!;
}

/** Puts a property of a global in the place of the present one, until the row is over. */
function replace(world: World, target: object, name: string, value: unknown): void {
  const before = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
  world.atEnd(() => {
    if (before) Object.defineProperty(target, name, before);
    else Reflect.deleteProperty(target, name);
  });
}

/** What Nest died of. */
async function rejection(starting: Promise<{ error: unknown }>): Promise<never> {
  throw (await starting).error;
}

export const surroundingsRows: Row[] = [
  surroundings(
    'A store without methods is rejected.',
    'the configuration',
    /tokenStore must be an object with the methods get and set/,
    (world) => ({ attempt: () => world.install({ tokenStore: 'redis://127.0.0.1' }) }),
  ),
  surroundings(
    'A Map as a store is rejected, since it would keep tokens for ever.',
    'the configuration',
    /tokenStore has a set\(\) with fewer than three parameters.*Write \{ get: \(key\) => client\.get\(key\)/,
    (world) => ({ attempt: () => world.install({ tokenStore: new Map() }) }),
  ),
  surroundings(
    'A Redis client in the place of sendCommand is rejected.',
    'the token store',
    /^redisTokenStore: .*sendCommand must be a function, for example/,
    () => ({ attempt: () => redisTokenStore({ get: () => undefined } as never) }),
  ),
  surroundings(
    'An encryption key that is no 32 bytes in base64 is named by its place.',
    'the token store',
    /^encryptedTokenStore.*keys\[0\]\.key must be 32/,
    () => ({
      attempt: () =>
        encryptedTokenStore({ get: noAnswer, set: noAnswer }, [{ name: 'one', key: 'pass-word' }]),
    }),
  ),

  surroundings(
    'Something that is not an axios instance is rejected with the missing part, and the way out for tests.',
    'the axios instance',
    /it has no interceptors\. In a test that mocks axios.*jest\.mock\('axios-bipsync-auth'\)/,
    (world) => ({ attempt: () => plugin().installBipsyncAuth({ defaults: {} } as never, world.config) }),
  ),
  surroundings(
    'A second installation on one instance is rejected with the ways out.',
    'the axios instance',
    /already installed on this axios instance\. Install it only once, or first call eject\(\)/,
    (world) => {
      const { api } = world.install();
      return { attempt: () => plugin().installBipsyncAuth(api, world.config) };
    },
  ),
  surroundings(
    'An axios that is too old is named with its version and the one to upgrade to.',
    'the axios version',
    /^axios 1\.6\.8 is too old for axios-bipsync-auth: upgrade axios to 1\.7\.9 or later/,
    (world) => ({ attempt: () => onAxios('1.6.8').installBipsyncAuth(axios.create(), world.config) }),
  ),
  surroundings(
    'A page in a browser is rejected, since the secret would be public.',
    'the surroundings',
    /does not work in a browser page: the client secret would be public/,
    (world) => ({
      attempt: () => {
        replace(world, globalThis, 'document', {});
        replace(world, process, 'versions', {});
        return world.install();
      },
    }),
  ),
  surroundings(
    'Cloudflare Workers are rejected with the reason.',
    'the surroundings',
    /does not work on Cloudflare Workers.*Use a Node service/,
    (world) => ({
      attempt: () => {
        replace(world, globalThis, 'navigator', { userAgent: 'Cloudflare-Workers' });
        return world.install();
      },
    }),
  ),
  surroundings(
    'An adapter that does not exist is a fault of the environment, and not of the network.',
    'the surroundings',
    /Unknown adapter 'gopher'.*not in the network or Bipsync/,
    (world) => ({ attempt: () => world.install({}, { adapter: 'gopher' as never }).auth.getToken() }),
  ),
  surroundings(
    'An adapter that calls what is missing is a fault of the environment, and named by its class.',
    'the surroundings',
    /TypeError: .* is not a function.*The cause is in this program/,
    (world) => {
      const adapter: AxiosAdapter = () => Promise.reject(new TypeError('URL.canParse is not a function'));
      return { attempt: () => world.install({}, { adapter }).auth.getToken() };
    },
  ),

  surroundings(
    'An adapter of another copy of axios behind a proxy is rejected before a secret is sent in clear.',
    'a copy of axios',
    /adapter function of another copy of axios.*Either upgrade every copy of axios to 1\.16\.1 or later/,
    async (world) => {
      world.set('HTTPS_PROXY', `http://${await startProxy(world, { status: 502 })}`);
      const other = jest.requireActual<{ default?: typeof axios } & typeof axios>('axios-1.12');
      const api = (other.default ?? other).create();
      api.defaults.adapter = (other.default ?? other).getAdapter('http');
      const auth = plugin().installBipsyncAuth(api, { ...world.config, baseURL: NOWHERE });
      return { attempt: () => auth.getToken() };
    },
  ),
  surroundings(
    'A dispatcher of fetch that may be a proxy is rejected for a loopback host.',
    'the surroundings',
    /^No token was requested: the fetch dispatcher is not a plain undici Agent.*Use a plain Agent for a loopback host/,
    (world) => {
      // It is never called.
      class ProxyAgent {
        readonly proxy = 'http://127.0.0.1:1';
      }
      const fetchOptions = { dispatcher: new ProxyAgent() };
      return { attempt: () => world.install({}, { adapter: 'fetch', fetchOptions }).auth.getToken() };
    },
  ),
  surroundings(
    'An interceptor that rebuilds the config from some of its fields is reported as the cause of the 401.',
    'the request',
    /had no token, because axios-bipsync-auth never saw its config.*copy all fields of the old one, including the adapter/,
    (world) => {
      const api = axios.create();
      api.interceptors.request.use(({ url, method, headers, baseURL }) => {
        const rebuilt = { url, method, headers: new axios.AxiosHeaders(headers), baseURL, adapter: 'http' };
        return { ...rebuilt, validateStatus: (status) => status < 300 } as InternalAxiosRequestConfig;
      });
      plugin().installBipsyncAuth(api, world.config);
      return { attempt: () => api.get('/v1/research') };
    },
  ),

  surroundings(
    'A mock without an answer to the token request names mockBipsyncToken.',
    'the mock',
    /has no handler for the token request.*Call mockBipsyncToken\(mock\) from 'axios-bipsync-auth\/testing'/,
    (world) => {
      const { api } = world.install();
      new MockAdapter(api).onGet('/v1/research').reply(200, []);
      return { attempt: () => api.get('/v1/research') };
    },
    'ERR_BIPSYNC_TOKEN_REQUEST',
  ),
  surroundings(
    'A strict mock without an answer to the token request names mockBipsyncToken.',
    'the mock',
    /Call mockBipsyncToken\(mock\)/,
    (world) => {
      const { api } = world.install();
      new MockAdapter(api, { onNoMatch: 'throwException' }).onGet('/v1/research').reply(200, []);
      return { attempt: () => api.get('/v1/research') };
    },
    'ERR_BIPSYNC_TOKEN_REQUEST',
  ),
  surroundings(
    'A nock without an answer to the token request is named.',
    'the mock',
    /\(ERR_NOCK_NO_MATCH\).*no handler for the token request.*POST \/v1\/oauth\/token/,
    (world) => {
      // It takes hold of node:http as soon as it is loaded.
      const nock = jest.requireActual<typeof Nock>('nock');
      const { api } = world.install({ baseURL: NOWHERE });
      nock(NOWHERE).get('/v1/research').reply(200, []);
      world.atEnd(() => {
        nock.cleanAll();
        nock.restore();
      });
      return { attempt: () => api.get('/v1/research') };
    },
    'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
  ),

  surroundings(
    'A Nest module whose configuration is wrong is named with all that is wrong.',
    'the Nest module',
    /^BipsyncHttpModule "acme": .*clientId \(BIPSYNC_CLIENT_ID\) is required/,
    (world) => ({
      attempt: () => {
        const auth = { ...world.config, clientId: '' };
        return rejection(refusalOf({ imports: [BipsyncHttpModule.register({ name: 'acme', auth })] }));
      },
    }),
  ),
  surroundings(
    'Two Nest modules of one name with different options are rejected by that name.',
    'the Nest module',
    /"acme": Another BipsyncHttpModule with this name has different options.*Give each tenant its own name/,
    (world) => ({
      attempt: () => {
        const imports = ['1', '2'].map((teamId) =>
          BipsyncHttpModule.register({ name: 'acme', auth: { ...world.config, teamId } }),
        );
        return rejection(refusalOf({ imports }));
      },
    }),
  ),
  surroundings(
    'Two Nest modules without a name and with different options ask for names.',
    'the Nest module',
    /^Another BipsyncHttpModule without a name has different options.*Give each tenant its own name/,
    (world) => ({
      attempt: () => {
        const imports = ['1', '2'].map((teamId) =>
          BipsyncHttpModule.register({ auth: { ...world.config, teamId } }),
        );
        return rejection(refusalOf({ imports }));
      },
    }),
  ),
  surroundings(
    'An unknown option of a Nest module is named, with the options that exist.',
    'the Nest module',
    /^BipsyncHttpModule: unknown option "timeout"\. The options are auth .* and http/,
    (world) => ({
      attempt: () => {
        const options = { auth: world.config, timeout: 5_000 };
        return rejection(refusalOf({ imports: [BipsyncHttpModule.register(options)] }));
      },
    }),
  ),
  surroundings(
    'A factory of a Nest module that returns nothing says what it must return.',
    'the Nest module',
    /^The options of BipsyncHttpModule must be an object with auth/,
    () => ({
      attempt: () => {
        const useFactory = (): never => undefined as never;
        return rejection(refusalOf({ imports: [BipsyncHttpModule.registerAsync({ useFactory })] }));
      },
    }),
  ),
  surroundings(
    'A factory of a Nest module that depends on a request-scoped provider is rejected.',
    'the Nest module',
    /^The options of a BipsyncHttpModule depend on a request-scoped provider.*Inject only providers of the default scope/,
    (world) => ({
      attempt: () => {
        const useFactory = (): BipsyncHttpOptions => ({ auth: world.config });
        const module = BipsyncHttpModule.registerAsync({ inject: [REQUEST], useFactory });
        return rejection(refusalOf({ imports: [module] }));
      },
    }),
  ),
  surroundings(
    'A Nest module that imports two modules with an HttpService is named in a warning.',
    'the Nest module',
    /^FeatureModule imports BipsyncHttpModule and another module.*give BipsyncHttpModule a name/,
    (world) => ({
      attempt: async () => {
        @Module({ imports: [HttpModule, BipsyncHttpModule.register({ auth: world.config })] })
        class FeatureModule {}
        const warn = jest.fn<unknown, [string]>();
        const logger = { log: noop, error: noop, warn };
        await boot({ imports: [FeatureModule] }, { logger });
        return { message: warn.mock.calls[0]?.[0] };
      },
    }),
    'works',
  ),
  surroundings(
    'An HttpService of a test that has no axiosRef asks for one.',
    'the axios instance',
    /^This HttpService has no axios instance in axiosRef\..*add axiosRef: axios\.create\(\)/,
    (world) => ({ attempt: () => installBipsyncAuthOn({} as never, world.config) }),
  ),
  surroundings(
    'An HttpService whose axios has the plugin already asks for eject() or another module.',
    'the axios instance',
    /is already installed on the axios of this HttpService.*Call eject\(\)/,
    (world) => ({
      attempt: () => installBipsyncAuthOn({ axiosRef: world.install().api }, world.config),
    }),
  ),
  surroundings(
    "An HttpService on axios's default export asks for HttpModule.register({}).",
    'the axios instance',
    /Replace HttpModule by HttpModule\.register\(\{\}\)/,
    (world) => ({ attempt: () => installBipsyncAuthOn({ axiosRef: axios }, world.config) }),
  ),
];

const noop = (): void => undefined;

const noAnswer = (): Promise<undefined> => Promise.resolve(undefined);

const plugin = (): typeof Plugin => jest.requireActual<typeof Plugin>('../../../src');
