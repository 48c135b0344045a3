import { Agent } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { format, inspect } from 'node:util';

import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import * as fc from 'fast-check';
import FormData from 'form-data';

import { type BipsyncAuth, installBipsyncAuth } from '../../src';
import { answerJson, type RawServer, startRawServer } from '../support/raw-server';
import { FUZZ_TIMEOUT_MS, parameters } from './support';

// Guarantee 20: whatever a caller prints of what has settled, while other requests run, holds neither token nor secret.

const SECRET = 'Hush-5Zk1Tq8Vw2Lc-never-shown';

let server: RawServer;
let held: (() => void)[] = [];

beforeAll(async () => {
  server = await startRawServer(({ url }, response) => {
    const body = { some: 'data', padding: 'x'.repeat(50) };
    if (url.startsWith('/hold')) held.push(() => answerJson(response, 200, body));
    else if (url.startsWith('/stall')) return;
    else if (url.startsWith('/reset')) response.destroy();
    else if (url.startsWith('/cut')) {
      response.writeHead(200, { 'Content-Length': '1000' });
      response.write('{"a":');
      setTimeout(() => response.destroy(), 5);
    } else if (url.startsWith('/redirect')) {
      response.writeHead(307, { Location: '/ok' }).end();
    } else answerJson(response, Number(/^\/(\d{3})/.exec(url)?.[1] ?? 200), body);
  });
});

afterAll(() => server.close());

interface Case {
  adapter: 'http' | 'fetch';
  path: string;
  responseType: 'json' | 'text' | 'arraybuffer' | 'stream';
  body: 'none' | 'json' | 'stream' | 'form-data';
  agent: 'none' | 'keep-alive' | 'nested' | 'per request';
  ending: 'none' | 'time-out' | 'abort' | 'cancel' | 'too long' | 'bad transform';
  options: AxiosRequestConfig;
  /** How an interceptor hands on what it gets, and on which side of the plugin it stands. */
  wrapping: keyof typeof wrappings;
  isWrappedFirst: boolean;
  others: number;
  isReadBefore: boolean;
}

/** Errors as applications make them. */
const wrappings = {
  none: (outcome: unknown) => outcome,
  cause: (cause: unknown) => new Error('mapped', { cause }),
  originalError: (originalError: unknown) => Object.assign(new Error('mapped'), { originalError }),
  errors: (error: unknown) => new AggregateError([new Error('other'), error], 'several'),
  nested: (error: unknown) =>
    Object.assign(new Error('outer', { cause: new AggregateError([error]) }), { originalError: error }),
  copied: (error: unknown) => Object.assign(new Error('mapped'), error),
} satisfies Record<string, (outcome: unknown) => unknown>;

const cases: fc.Arbitrary<Case> = fc.record({
  adapter: fc.constantFrom('http', 'fetch'),
  path: fc.constantFrom(
    '/ok',
    '/ok',
    '/401',
    '/403',
    '/404',
    '/500',
    '/stall',
    '/reset',
    '/cut',
    '/redirect',
  ),
  responseType: fc.constantFrom('json', 'text', 'arraybuffer', 'stream'),
  body: fc.constantFrom('none', 'none', 'json', 'stream', 'form-data'),
  agent: fc.constantFrom('none', 'keep-alive', 'nested', 'per request'),
  ending: fc.constantFrom('none', 'none', 'none', 'time-out', 'abort', 'cancel', 'too long', 'bad transform'),
  options: fc.constantFrom<AxiosRequestConfig>(
    {},
    {},
    { validateStatus: () => true },
    { bipsyncAuth: { teamId: 'b2' } },
    { bipsyncAuth: false },
    { headers: { authorization: 'Basic dGhlaXI6b3du' } },
    { beforeRedirect: () => undefined },
  ),
  wrapping: fc.constantFrom(...(Object.keys(wrappings) as (keyof typeof wrappings)[])),
  isWrappedFirst: fc.boolean(),
  others: fc.integer({ min: 0, max: 3 }),
  isReadBefore: fc.boolean(),
});

const bodies: Record<Case['body'], () => unknown> = {
  none: () => undefined,
  json: () => ({ some: 'note' }),
  stream: () => Readable.from(['some ', 'bytes']).on('error', () => undefined),
  'form-data': () => {
    const form = new FormData();
    form.append('note', 'text');
    form.append('file', Readable.from(['bytes']), { filename: 'x', knownLength: 5 });
    return form;
  },
};

const agents: Record<Case['agent'], () => Agent | undefined> = {
  none: () => undefined,
  'keep-alive': () => new Agent({ keepAlive: true }),
  nested: () => {
    const inner = new Agent({ keepAlive: true });
    return Object.assign(inner, { pools: { inner: [inner] }, connectOpts: { agent: inner } });
  },
  'per request': () => new Agent({ keepAlive: true }),
};

/** Ends a request early, or makes its answer fail. */
function endingOf({ ending, path }: Case): { options: AxiosRequestConfig; start: () => void } {
  const controller = new AbortController();
  const source = axios.CancelToken.source();
  const timeout = path === '/stall' ? { timeout: 30 } : {};
  const none = { options: timeout, start: () => undefined };
  switch (ending) {
    case 'time-out':
      return { options: { timeout: 3 }, start: () => undefined };
    case 'abort':
      return {
        options: { ...timeout, signal: controller.signal },
        start: () => void setTimeout(() => controller.abort(), 3),
      };
    case 'cancel':
      return {
        options: { ...timeout, cancelToken: source.token },
        start: () => void setTimeout(() => source.cancel('enough'), 3),
      };
    case 'too long':
      return { ...none, options: { ...timeout, maxContentLength: 10 } };
    case 'bad transform':
      return {
        ...none,
        options: {
          ...timeout,
          transformResponse: () => {
            throw new Error('cannot read this');
          },
        },
      };
    default:
      return none;
  }
}

interface Settled {
  outcome: unknown;
  isError: boolean;
  auth: BipsyncAuth;
  api: AxiosInstance;
  /** Lets the other requests end. */
  finish: () => Promise<void>;
}

async function settle(one: Case): Promise<Settled> {
  const { adapter, agent, body, options, others, responseType, wrapping, isWrappedFirst } = one;
  const httpAgent = agents[agent]();
  const api = axios.create({ adapter, ...(httpAgent && agent !== 'per request' && { httpAgent }) });
  const wrap = (): void => {
    api.interceptors.response.use(undefined, (error: unknown) => {
      throw wrappings[wrapping](error) as Error;
    });
  };
  if (isWrappedFirst) wrap();
  const auth = installBipsyncAuth(api, {
    baseURL: server.url,
    clientId: 'the-client',
    clientSecret: SECRET,
    teamId: 'a1',
  });
  if (!isWrappedFirst) wrap();
  const perRequest = agent === 'per request' ? { httpAgent } : {};
  const running = Array.from({ length: others }, () => api.get('/hold', perRequest).catch(() => undefined));
  if (others > 0) {
    await auth.getToken();
    while (held.length < others) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const { options: ending, start } = endingOf(one);
  const data = bodies[body]();
  const request = { url: one.path, method: data === undefined ? 'get' : 'post', data, responseType };
  const asked = api.request({ ...request, ...perRequest, ...options, ...ending });
  start();
  const [outcome, isError] = await asked.then(
    (response) => [response, false] as const,
    (error: unknown) => [error, true] as const,
  );
  return {
    outcome,
    isError,
    auth,
    api,
    async finish() {
      for (const release of held) release();
      held = [];
      await Promise.all(running);
      httpAgent?.destroy();
    },
  };
}

async function readStream(outcome: unknown): Promise<unknown> {
  const { data } = outcome as { data?: AsyncIterable<unknown> };
  try {
    for await (const chunk of data ?? []) if (chunk === undefined) break;
    return undefined;
  } catch (error) {
    return error;
  }
}

const sink = new Writable({
  write(chunk: Buffer, _encoding, done) {
    logged.push(chunk.toString());
    done();
  },
});
const logged: string[] = [];
const quiet = new console.Console(sink, sink);

/** A value, and what a caller may make of it before printing. */
function copiesOf(value: unknown): unknown[] {
  const object = value as Record<string, unknown>;
  const { config, response, headers } = object as Record<string, Record<string, unknown> | undefined>;
  const copies: unknown[] = [
    value,
    { ...object },
    Object.assign(new Error('copy'), object),
    Object.entries(object),
    (object as { toJSON?: () => unknown }).toJSON?.(),
    config && { ...config, headers: { ...(config['headers'] as object) } },
    response && { ...response },
    headers && { ...headers },
    config?.['headers'] && new axios.AxiosHeaders(config['headers'] as never).toJSON(),
  ];
  try {
    copies.push(structuredClone(value));
  } catch {
    // It holds functions.
  }
  return copies.filter((copy) => copy !== undefined);
}

/** What a value prints as, in every way. `%o` and hidden properties are promised of errors alone. */
function printed(value: unknown, isError: boolean): string {
  const ways: ((copy: unknown) => unknown)[] = [
    (copy) => quiet.log(copy),
    (copy) => format('%s %j', copy, copy),
    (copy) => format('%O', copy),
    (copy) => String(copy),
    (copy) => JSON.stringify(copy),
    (copy) => (copy as Error).stack,
    ...[4, 10, null].map((depth) => (copy: unknown) => inspect(copy, { depth, maxStringLength: null })),
    // As console.dir, assert and Node's report of an uncaught error print.
    ...[4, null].map((depth) => (copy: unknown) => quiet.dir(copy, { depth })),
  ];
  const thorough: typeof ways = [
    (copy) => format('%o', copy),
    (copy) => inspect(copy, { depth: 10, showHidden: true }),
    (copy) => inspect(copy, { depth: null, showHidden: true, maxArrayLength: null }),
  ];
  const texts = copiesOf(value).flatMap((copy, position) =>
    [...ways, ...(isError && position === 0 ? thorough : [])].map((way) => {
      try {
        return way(copy);
      } catch (error) {
        // JSON of what leads back to itself.
        return String(error);
      }
    }),
  );
  return [...texts, ...logged.splice(0)].join('\n');
}

function expectNothingShown(text: string, what: string): void {
  const found = /LIVE-TOKEN-[\w-]*/.exec(text)?.[0] ?? (text.includes(SECRET) ? 'the secret' : undefined);
  const at = found === undefined ? 0 : text.indexOf(found === 'the secret' ? SECRET : found);
  const about = found === undefined ? undefined : text.slice(Math.max(0, at - 300), at + 20);
  expect({ what, about }).toEqual({ what, about: undefined });
}

it(
  '20. what is printed about a settled request contains no token and no secret, while other requests run',
  async () => {
    const seen = { successes: 0, errors: 0, streams: 0 };
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const { outcome, isError, auth, api, finish } = await settle(one);
        seen[isError ? 'errors' : 'successes'] += 1;
        try {
          const isStream = !isError && one.responseType === 'stream';
          if (!one.isReadBefore) expectNothingShown(printed(outcome, isError), 'the outcome');
          if (isStream) {
            seen.streams += 1;
            const error = await readStream(outcome);
            // The late error of a web stream is tested below.
            if (error) expectNothingShown(printed(error, one.adapter === 'http'), 'the error of a stream');
          }
          if (one.isReadBefore) expectNothingShown(printed(outcome, isError), 'the outcome, read');
          expectNothingShown(
            printed({ auth, api, all: [api.defaults, api.interceptors] }, false),
            'the instance',
          );
        } finally {
          await finish();
        }
      }),
      parameters,
    );
    expect(Math.min(seen.successes, seen.errors, seen.streams)).toBeGreaterThan(parameters.numRuns / 50);
    expect(server.issued.length).toBeGreaterThan(parameters.numRuns / 4);
  },
  FUZZ_TIMEOUT_MS * 3,
);

it('20. the error of a web stream that grew too long shows no token, not even in %o', async () => {
  const one = { adapter: 'fetch', path: '/ok', responseType: 'stream', body: 'none', agent: 'none' } as const;
  const rest = { ending: 'too long', options: {}, wrapping: 'none', isWrappedFirst: false } as const;
  const { outcome, finish } = await settle({ ...one, ...rest, others: 0, isReadBefore: false });
  const error = await readStream(outcome);
  await finish();
  expect(error).toBeInstanceOf(Error);
  expectNothingShown(printed(error, true), 'the error of a stream');
});
