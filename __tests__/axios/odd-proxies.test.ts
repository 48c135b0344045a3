import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import axios, { type AxiosAdapter, type AxiosInstance, type CreateAxiosDefaults } from 'axios';

import { type BipsyncAuth, type BipsyncAuthConfig, installBipsyncAuth } from '../../src';
import { CLOSED_PORT } from '../support/nobody';
import { answerJson, type RawServer, startRawServer } from '../support/raw-server';
import { SECRET } from '../support/scripted';

// Guarantees 7 and 18 with a real forward proxy: whatever is given as `proxy`, and whatever the adapter is, neither secret nor
// token arrives at it in clear.

const variables = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'];
const environment = { ...process.env };

let home: RawServer;
let proxy: Server;
let address: { protocol: string; host: string; port: number };
/** What arrived at the proxy in clear. */
let seen: string[];

beforeEach(async () => {
  for (const name of variables.flatMap((variable) => [variable, variable.toUpperCase()]))
    Reflect.deleteProperty(process.env, name);
  seen = [];
  home = await startRawServer((_request, response) => answerJson(response, 200));
  proxy = createServer((asked, response) => {
    let all = [asked.url, ...asked.rawHeaders].join('\n');
    asked.on('data', (chunk) => (all += String(chunk)));
    asked.on('end', () => {
      seen.push(all);
      // What it is asked for over https it only keeps.
      const onward = request(asked.url!.replace(/^https:/, 'http:'), {
        ...{ method: asked.method!, headers: asked.headers },
      });
      onward.on('response', (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.writeHead(502).end()).end();
    });
  });
  proxy.on('connect', (_asked, socket) => socket.end('HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n'));
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  address = { protocol: 'http', host: '127.0.0.1', port: (proxy.address() as AddressInfo).port };
});
afterEach(async () => {
  process.env = { ...environment };
  proxy.closeAllConnections();
  await Promise.all([home.close(), new Promise((resolve) => proxy.close(resolve))]);
});

const url = (): string => `http://${address.host}:${address.port}`;
const inEnvironment = (): void => {
  for (const name of ['http_proxy', 'https_proxy']) process.env[name] = url();
};

/** What is given as `proxy`, as the option itself or as something that is read later. */
const proxies: Record<string, () => unknown> = {
  'protocol, host and port': () => address,
  'hostname and port': () => ({ protocol: 'http', hostname: address.host, port: address.port }),
  'host and port, as strings, with a protocol': () => ({
    ...{ protocol: 'http:', host: address.host, port: String(address.port) },
  }),
  'an object of a class, with accessors': () => new Described(),
  'a function with host and port': () => Object.assign(() => undefined, address),
  'a list with host and port': () => Object.assign([], address),
  'host and port that are inherited': () => Object.create(address) as object,
  'a URL as a string': url,
  'a URL object': () => new URL(url()),
  'host and port in a string': () => `${address.host}:${address.port}`,
  'an empty object': () => ({}),
  'an empty host': () => ({ host: '' }),
  'an empty host and a port': () => ({ protocol: 'http', host: '', port: address.port }),
  'a port alone': () => ({ protocol: 'http', port: address.port }),
  true: () => true,
  1: () => 1,
  'null, with a proxy in the environment': () => (inEnvironment(), null),
  'an empty string, with a proxy in the environment': () => (inEnvironment(), ''),
  '0, with a proxy in the environment': () => (inEnvironment(), 0),
  'undefined, with a proxy in the environment': () => (inEnvironment(), undefined),
  'true, with a proxy in the environment': () => (inEnvironment(), true),
  'an empty object, with a proxy in the environment': () => (inEnvironment(), {}),
};

class Described {
  get protocol(): string {
    return 'http:';
  }
  get host(): string {
    return address.host;
  }
  get port(): number {
    return address.port;
  }
}

const adapters: Record<string, () => CreateAxiosDefaults['adapter']> = {
  'no adapter': () => undefined,
  'the name http': () => 'http',
  'a list of names': () => ['http', 'fetch'],
  'the http function': () => axios.getAdapter('http'),
  'a function around the http adapter': () => {
    const inner = axios.getAdapter('http');
    return ((config) => inner(config)) as AxiosAdapter;
  },
  'a function around the http adapter that waits': () => {
    const inner = axios.getAdapter('http');
    return (async (config) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return inner(config);
    }) as AxiosAdapter;
  },
  'the name fetch': () => 'fetch',
};

/** An https origin that nobody is at. */
const FAR = `https://127.0.0.1:${CLOSED_PORT}`;

function install(
  options: object,
  config: Partial<BipsyncAuthConfig>,
): { api: AxiosInstance; auth: BipsyncAuth } {
  const api = axios.create({ timeout: 15_000, ...options });
  const credentials = { clientId: 'the-client', clientSecret: SECRET, teamId: 'a1' };
  return { api, auth: installBipsyncAuth(api, { ...credentials, ...config }) };
}

/** The request lines of what was seen with the secret or a token. */
const leaks = (): (string | undefined)[] =>
  seen.filter((all) => all.includes(SECRET) || all.includes('LIVE-TOKEN')).map((all) => all.split('\n')[0]);

it.each(Object.keys(proxies))(
  'neither secret nor token crosses a proxy in clear, whatever the adapter is, if `proxy` is %s',
  async (name) => {
    const tokenUrl = `${home.url}/v1/oauth/token`;
    const ask = async (adapter: CreateAxiosDefaults['adapter']): Promise<number[]> => {
      const options = { ...(adapter && { adapter }), proxy: proxies[name]!() };
      const { api: near } = install(options, { baseURL: home.url });
      const { auth: tokenFromAfar } = install(options, { baseURL: FAR, tokenTimeoutMs: 100 });
      const { api: far } = install(options, { baseURL: FAR, tokenUrl });
      const { api: plain } = install({ ...(adapter && { adapter }) }, { baseURL: home.url });
      const answers = [near.get('/v1/x'), plain.get('/v1/x', { proxy: proxies[name]!() as never })];
      // Some of these are names of hosts, for which name servers may be asked at length.
      await Promise.allSettled([
        tokenFromAfar.getToken(),
        far.get('/v1/x', { signal: AbortSignal.timeout(500) }),
      ]);
      return (await Promise.all(answers)).map(({ status }) => status);
    };
    const answers = await Promise.all(Object.values(adapters).map((adapterOf) => ask(adapterOf())));
    // A loopback host is reached without the proxy.
    expect(new Set(answers.flat())).toEqual(new Set([200]));
    expect(leaks()).toEqual([]);
  },
);

// Older versions of axios send the very config that interceptors saw, accessors included.
it.each(['a loopback host', 'an https host'])(
  'no token for %s crosses a proxy that a getter of the config names only when the adapter reads it',
  async (to) => {
    let isRead = false;
    const inner = axios.getAdapter('http');
    const adapter: AxiosAdapter = (config) => {
      isRead = true;
      return inner(config);
    };
    const config =
      to === 'an https host'
        ? { baseURL: FAR, tokenUrl: `${home.url}/v1/oauth/token` }
        : { baseURL: home.url };
    const { api, auth } = install({ adapter }, config);
    await auth.getToken();
    isRead = false;
    api.interceptors.request.use((given) =>
      Object.defineProperty(given, 'proxy', {
        get: () => (isRead ? address : false),
        set: () => undefined,
        enumerable: true,
        configurable: true,
      }),
    );
    await api.get('/v1/x').catch(() => undefined);
    expect(leaks()).toEqual([]);
  },
);
