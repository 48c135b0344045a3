import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import * as fc from 'fast-check';

import { installBipsyncAuth } from '../../src';
import { character, FUZZ_TIMEOUT_MS, parameters } from './support';

// Two servers: A may receive the token, B may not. Whatever the URL, B must never see it. B's port is A's with a digit
// more, so that the one origin begins with the other, as https://acme.example.evil.example begins with
// https://acme.example.

const TOKEN = 'token-that-B-must-not-see';
const SECRET = 'secret-that-B-must-not-see';

interface Seen {
  request: string;
  /** Everything that arrived, in one string. */
  all: string;
  authorization: string | undefined;
}

const seenByA: Seen[] = [];
const seenByB: Seen[] = [];
const agent = new Agent({ keepAlive: true });
let a: Server;
let b: Server;

beforeAll(async () => {
  a = createServer(answerTo(seenByA));
  b = createServer(answerTo(seenByB));
  for (;;) {
    const port = randomInt(3001, 6500);
    if ((await listens(a, port)) && (await listens(b, port * 10 + randomInt(10)))) break;
    if (a.listening) await new Promise((closed) => a.close(closed));
  }
});

afterAll(() => {
  agent.destroy();
  for (const server of [a, b]) {
    server.close();
    server.closeAllConnections();
  }
});

/** Answers token requests and redirects (`/to/A/302/path`), and 200 to anything else. */
function answerTo(seen: Seen[]): RequestListener {
  return (request, response) => {
    void read(request).then((body) => {
      const { method = '', url = '', rawHeaders, headers } = request;
      const isTokenRequest = url === '/v1/oauth/token' && body.includes(SECRET);
      if (!isTokenRequest || seen === seenByB) {
        const all = [method, url, ...rawHeaders, body].join('\n');
        seen.push({ request: `${method} ${url}`, all, authorization: headers.authorization });
      }
      const [, to = '', status, path] = /\/to\/([AB])\/(\d+)\/(.*)$/.exec(url) ?? [];
      if (to !== '') {
        response
          .writeHead(Number(status), { Location: `${originOf(to === 'A' ? a : b)}/${path ?? ''}` })
          .end();
        return;
      }
      response.setHeader('Content-Type', 'application/json');
      response.end(
        isTokenRequest
          ? JSON.stringify({ token_type: 'bearer', access_token: TOKEN, expires_in: 3600 })
          : '{}',
      );
    });
  };
}

async function listens(server: Server, port: number): Promise<boolean> {
  server.keepAliveTimeout = 60_000;
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return true;
  } catch {
    return false;
  }
}

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
const originOf = (server: Server): string => `http://127.0.0.1:${portOf(server)}`;

interface Rewrite {
  url?: string | undefined;
  baseURL?: string | undefined;
  allowAbsoluteUrls?: boolean | undefined;
}

interface Installed {
  api: AxiosInstance;
  /** What an interceptor of somebody else makes of the next request. */
  rewrite: Rewrite;
}

/** The plugin on an instance with an interceptor that rewrites, registered before or after it. */
function install(adapter: 'http' | 'fetch', order: 'plugin first' | 'plugin last'): Installed {
  const api = axios.create({ adapter, proxy: false, httpAgent: agent, timeout: 15_000 });
  const installed: Installed = { api, rewrite: {} };
  const addRewriter = (): unknown =>
    api.interceptors.request.use((config) => Object.assign(config, installed.rewrite));
  if (order === 'plugin last') addRewriter();
  installBipsyncAuth(api, {
    baseURL: originOf(a),
    clientId: 'the-client',
    clientSecret: SECRET,
    teamId: 'a1',
  });
  if (order === 'plugin first') addRewriter();
  return installed;
}

/** Server names stand for ports that are not known yet. */
const withPorts = <T>(value: T): T =>
  typeof value === 'string'
    ? (value.replaceAll('{A}', String(portOf(a))).replaceAll('{B}', String(portOf(b))) as T)
    : value;

/** What a URL may have between two slashes. */
const segment = fc.string({
  unit: fc.oneof(fc.constantFrom(..."aZ09-._~!$&'()*+,;=:@".split('')), character.map(encodeURIComponent)),
});

const path = fc.oneof(
  fc.constantFrom(
    '',
    '/',
    '/v1/research',
    'v1/research',
    '/v1//research/../x?q=1#f',
    '/v1/oauth/token',
    '?q=1',
  ),
  fc.array(segment).map((segments) => segments.map((part) => `/${part}`).join('')),
  fc.string({ maxLength: 12 }),
  fc
    .tuple(
      fc.constantFrom('A', 'B'),
      fc.constantFrom(301, 302, 303, 307, 308),
      fc.constantFrom('x', 'to/B/307/y'),
    )
    .map(([to, status, rest]) => `/to/${to}/${status}/${rest}`),
);

const authority = fc
  .tuple(
    fc.constantFrom(
      '',
      '',
      '',
      '',
      'user@',
      'user:word@',
      '127.0.0.1:{A}@',
      '@',
      ':@',
      '127.0.0.1:{A}#@',
      '127.0.0.1:{A}\\@',
    ),
    fc.constantFrom(
      ...['127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1', 'localhost', 'LOCALHOST', '127.1', '0x7f.1'],
      ...['2130706433', '[::ffff:127.0.0.1]', '１２７.0.0.1', '127.0.0.1.', '127。0。0。1', '0.0.0.0'],
    ),
    fc.constantFrom(':{A}', ':{A}', ':{B}', ':{B}', ':{B}', ':0{B}', ':{A}{B}', '', ':'),
  )
  .map((parts) => parts.join(''));

const scheme = fc.constantFrom(
  ...[
    'http://',
    'http://',
    'http://',
    'http://',
    'HTTP://',
    'hTTp://',
    '//',
    '///',
    'http:/',
    'http:',
    'http:\\\\',
  ],
  ...[
    '\\\\',
    '/\\',
    ' http://',
    '\thttp://',
    'ht\ntp://',
    'http:///',
    'blob:http://',
    'file://',
    '\u0000http://',
  ],
);

const absolute = fc.tuple(scheme, authority, path).map((parts) => parts.join(''));

const url = fc.oneof(path, absolute, absolute);

const baseURL = fc.oneof(
  fc.constantFrom(undefined, undefined, undefined, '', 'http://127.0.0.1:{A}', 'http://127.0.0.1:{A}/v1/'),
  absolute,
);

const rewrite: fc.Arbitrary<Rewrite> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.record(
      { url, baseURL, allowAbsoluteUrls: fc.constantFrom(true, false, undefined) },
      { requiredKeys: [] },
    ),
  },
);

const requests = fc.record({
  adapter: fc.constantFrom('http' as const, 'fetch' as const),
  order: fc.constantFrom('plugin first' as const, 'plugin last' as const),
  method: fc.constantFrom('get', 'post'),
  url,
  baseURL,
  allowAbsoluteUrls: fc.constantFrom(undefined, undefined, true, false),
  rewrite,
});

/** A relative path on an A that nobody redirects or rewrites, or A's absolute URL. */
const plainPath = fc
  .array(fc.stringMatching(/^[a-z\d]{1,8}$/), { minLength: 1, maxLength: 4 })
  .map((parts) => `/v1/${parts.join('/')}`);

const plainRequests = fc.record({
  adapter: fc.constantFrom('http' as const, 'fetch' as const),
  order: fc.constantFrom('plugin first' as const, 'plugin last' as const),
  method: fc.constantFrom('get', 'post'),
  target: fc.oneof(
    fc.record({
      url: fc.oneof(
        plainPath,
        plainPath.map((it) => it.slice(1)),
      ),
    }),
    fc.record({
      url: plainPath,
      baseURL: fc.constantFrom('http://127.0.0.1:{A}', 'http://127.0.0.1:{A}/', 'HTTP://127.0.0.1:{A}/v3'),
      allowAbsoluteUrls: fc.boolean(),
    }),
    fc.record({
      url: plainPath.map((it) => `http://127.0.0.1:{A}${it}`),
      baseURL: fc.constantFrom('http://127.0.0.1:{A}', 'http://127.0.0.1:{B}', ''),
    }),
    fc.record({
      url: fc
        .tuple(absolute, plainPath)
        .map(([first, rest]) => `/v1/x?next=${encodeURIComponent(first + rest)}`),
    }),
  ),
  viaRewrite: fc.boolean(),
});

const key = (adapter: string, order: string): string => `${adapter}, ${order}`;

function installAll(): Map<string, Installed> {
  const all = (['http', 'fetch'] as const).flatMap((adapter) =>
    (['plugin first', 'plugin last'] as const).map(
      (order) => [key(adapter, order), install(adapter, order)] as const,
    ),
  );
  return new Map(all);
}

const mapValues = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, withPorts(value)])) as T;

test(
  'whatever the URL, its base, the options and an interceptor say, the other server never sees a token',
  async () => {
    const instances = installAll();
    let arrivedAtB = 0;
    let withToken = 0;
    await fc.assert(
      fc.asyncProperty(requests, async ({ adapter, order, rewrite, ...request }) => {
        seenByA.length = seenByB.length = 0;
        const installed = instances.get(key(adapter, order))!;
        installed.rewrite = mapValues(rewrite);
        await installed.api.request(mapValues(request) as AxiosRequestConfig).catch(() => undefined);
        for (const { all } of seenByB) {
          expect(all).not.toContain(TOKEN);
          expect(all).not.toContain(SECRET);
        }
        arrivedAtB += seenByB.length;
        withToken += seenByA.filter(({ authorization }) => authorization === `Bearer ${TOKEN}`).length;
      }),
      parameters,
    );
    // A fuzz that reaches neither proves nothing.
    process.stdout.write(`fuzz: ${arrivedAtB} requests arrived at B, ${withToken} at A with the token\n`);
    expect(Math.min(arrivedAtB, withToken)).toBeGreaterThan(parameters.numRuns / 20);
  },
  FUZZ_TIMEOUT_MS,
);

test(
  'a request that plainly goes to the allowed server always has its token',
  async () => {
    const instances = installAll();
    await fc.assert(
      fc.asyncProperty(plainRequests, async ({ adapter, order, method, target, viaRewrite }) => {
        seenByA.length = 0;
        const installed = instances.get(key(adapter, order))!;
        const destination = mapValues<Rewrite>(target);
        installed.rewrite = viaRewrite ? destination : {};
        const request: Rewrite = viaRewrite ? { url: '/v1/other' } : destination;
        await installed.api.request({ ...request, method } as AxiosRequestConfig);
        expect(seenByA).toEqual([expect.objectContaining({ authorization: `Bearer ${TOKEN}` })]);
      }),
      parameters,
    );
  },
  FUZZ_TIMEOUT_MS,
);
