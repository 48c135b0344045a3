import { EventEmitter } from 'node:events';
import { Agent, createServer, request, type RequestListener, type RequestOptions } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import axios, { type AxiosInstance } from 'axios';

import { type BipsyncAuth, installBipsyncAuth } from '../../src';
import { answerJson, type RawServer, startRawServer } from '../support/raw-server';
import { SECRET } from '../support/scripted';

// Options through the prototype, over real HTTP: what could send a request to another server is put on Object.prototype. The
// attacker listens on a port and on a socket, and has functions that note what they are given.

const folder = mkdtempSync(join(tmpdir(), 'pollution-'));
const socketPath = join(folder, 'attacker.sock');
const attackers: Server[] = [];
let port: number;
let caught: string[];
let home: RawServer;

const onRequest: RequestListener = (request, response) => {
  let all = [request.url, ...request.rawHeaders].join('\n');
  request.on('data', (chunk) => (all += String(chunk)));
  request.on('end', () => {
    caught.push(all);
    answerJson(response, 200, { token_type: 'bearer', access_token: 'of-the-attacker', expires_in: 3600 });
  });
};

beforeAll(async () => {
  for (const place of [0, socketPath]) {
    const attacker = createServer(onRequest);
    attackers.push(attacker);
    await new Promise<void>((resolve) => attacker.listen(place, resolve));
  }
  ({ port } = attackers[0]!.address() as AddressInfo);
});
afterAll(async () => {
  await Promise.all(attackers.map((server) => new Promise((resolve) => server.close(resolve))));
  rmSync(folder, { recursive: true });
});

/** Every request has a connection of its own, so that each is routed. */
async function startHome(): Promise<RawServer> {
  const close = { Connection: 'close' };
  const token = { token_type: 'bearer', access_token: 'LIVE-TOKEN', expires_in: 3600 };
  return startRawServer(
    (asked, response) => {
      if (asked.url === '/start') response.writeHead(302, { Location: '/end', ...close }).end();
      else answerJson(response, 200, {}, close);
    },
    (_asked, response) => answerJson(response, 200, token, close),
  );
}

const url = (): string => `http://127.0.0.1:${port}`;
const toAttacker = <T extends object>(options: T): T =>
  Object.assign(options, { hostname: '127.0.0.1', host: '127.0.0.1', port, href: url() });
const transport = {
  request: (options: RequestOptions, onResponse: () => void) =>
    request(toAttacker({ ...options }), onResponse).setHeader('Connection', 'close'),
};
class ToAttacker extends Agent {
  override createConnection = (): ReturnType<typeof connect> => connect(port, '127.0.0.1');
}

/** Whoever names the address has the request. */
const LOOKED_UP = 'looked up';

/** What a function of the attacker's is given, as far as it could hold the token or the secret. */
function note(...given: unknown[]): void {
  caught.push(given.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join('\n'));
}

const pollutions: Record<string, () => unknown> = {
  tokenUrl: () => `${url()}/v1/oauth/token`,
  baseURL: url,
  url: () => `${url()}/x`,
  allowedOrigins: () => [url()],
  allowAbsoluteUrls: () => false,
  adapter: () => async (config: { headers?: object; data?: unknown }) => {
    note({ ...config.headers }, config.data);
    return { status: 200, statusText: '', headers: {}, config, data: {} };
  },
  transport: () => transport,
  proxy: () => ({ protocol: 'http', host: '127.0.0.1', port }),
  httpAgent: () => new ToAttacker(),
  httpsAgent: () => new ToAttacker(),
  agent: () => new ToAttacker(),
  agents: () => ({ http: new ToAttacker() }),
  createConnection: () => () => connect(port, '127.0.0.1'),
  lookup: () => (_name: string, options: { all?: boolean }, done: unknown) => {
    // Emitters take it for a listener.
    if (typeof done !== 'function') return;
    note(LOOKED_UP);
    const [address, family] = ['127.0.0.1', 4];
    (done as (...found: unknown[]) => void)(
      null,
      ...(options.all ? [[{ address, family }]] : [address, family]),
    );
  },
  socketPath: () => socketPath,
  allowedSocketPaths: () => [socketPath],
  beforeRedirect: () => toAttacker,
  beforeRedirects: () => ({ config: toAttacker, proxy: toAttacker }),
  maxRedirects: () => 5,
  host: () => `127.0.0.1:${port}`,
  hostname: () => '127.0.0.1',
  port: () => port,
  href: url,
  origin: url,
  path: () => `${url()}/x`,
  nativeProtocols: () => ({ 'http:': transport }),
  auth: () => ({ username: 'u', password: 'p' }),
  headers: () => ({ Authorization: 'Bearer of-the-attacker' }),
  params: () => ({ redirect: url() }),
  paramsSerializer: () => ({ serialize: () => 'evil=1' }),
  data: () => 'evil=1',
  transformRequest: () => [(data: unknown, headers: object) => (note(data, { ...headers }), data)],
  transformResponse: () => [(data: unknown) => (note(isStream(data) ? SECRET : data), data)],
  env: () => ({ fetch: stolenFetch, Request, Response }),
  fetch: () => stolenFetch,
  fetchOptions: () => ({ dispatcher: {} }),
  dispatcher: () => ({}),
};

/** Only the token request asks for a stream, which holds the token. */
const isStream = (data: unknown): boolean =>
  typeof (data as { pipe?: unknown } | undefined)?.pipe === 'function';

function stolenFetch(asked: Request, init: RequestInit): Promise<Response> {
  note([...new Headers(init?.headers ?? asked.headers)], init?.body);
  return fetch(url(), init);
}

/** Jest gives tests a prototype of their own. The parts of Node have another one. */
const prototypes = [Object.prototype, Object.getPrototypeOf(EventEmitter.prototype) as object];

async function polluted(name: string, run: () => unknown): Promise<void> {
  const property = { value: pollutions[name]!(), configurable: true, writable: true, enumerable: true };
  home.arrived.length = home.tokenRequests.length = 0;
  for (const prototype of prototypes) Object.defineProperty(prototype, name, property);
  try {
    await run();
  } catch {
    // Refused, which is as well.
  } finally {
    for (const prototype of prototypes) Reflect.deleteProperty(prototype, name);
  }
  if (caught.includes(LOOKED_UP))
    caught.push(...[...home.arrived, ...home.tokenRequests].map(({ all }) => all));
}

interface Installed {
  api: AxiosInstance;
  auth: BipsyncAuth;
}

function install(adapter: string, tokenUrl?: string): Installed {
  const api = axios.create({ adapter, timeout: 2000 });
  // A name, so that it is looked up.
  const config = { baseURL: `http://localhost:${home.port}`, clientId: 'the-client', teamId: 'a1' };
  const auth = installBipsyncAuth(api, { ...config, clientSecret: SECRET, ...(tokenUrl && { tokenUrl }) });
  return { api, auth };
}

async function askAll({ api, auth }: Installed): Promise<void> {
  await Promise.allSettled([auth.getToken(), api.get('/start')]);
}

/** When the property appears. */
const moments: Record<string, (name: string, adapter: string) => Promise<void>> = {
  'before installation': (name, adapter) => polluted(name, () => askAll(install(adapter))),
  'after installation': (name, adapter) => {
    const installed = install(adapter);
    return polluted(name, () => askAll(installed));
  },
  'after the first token': async (name, adapter) => {
    // Another name, so that the API has a pool of connections of its own.
    const installed = install(adapter, `${home.url}/v1/oauth/token`);
    await installed.auth.getToken();
    return polluted(name, () => askAll(installed));
  },
};

/** Returns where a property brought its attacker the token or the secret. */
async function leaksOf(name: string): Promise<object[]> {
  const found: object[] = [];
  for (const adapter of ['http', 'fetch']) {
    for (const [when, pollute] of Object.entries(moments)) {
      caught = [];
      home = await startHome();
      await pollute(name, adapter);
      await home.close();
      const leaks = caught.filter((all) => all.includes(SECRET) || all.includes('LIVE-TOKEN'));
      if (leaks.length > 0) found.push({ adapter, when });
    }
  }
  return found;
}

it.each(Object.keys(pollutions))(
  'a property %s on Object.prototype gives an attacker neither token nor secret, whenever it is set',
  async (name) => expect(await leaksOf(name)).toEqual([]),
);
