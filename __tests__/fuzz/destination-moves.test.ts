import { Agent } from 'node:http';

import axios, { type AxiosAdapter, type InternalAxiosRequestConfig } from 'axios';
import * as fc from 'fast-check';

import { type BipsyncAuth, installBipsyncAuth } from '../../src';
import { answerJson, type RawServer, startRawServer } from '../support/raw-server';
import { FUZZ_TIMEOUT_MS, parameters } from './support';

// Guarantee 18: check and use are one step. Server A may receive the token, server B may not. Whatever happens to a config and
// to the clocks while a request is under way, B sees no token.

const SECRET = 'Hush-5Zk1Tq8Vw2Lc-never-sent';

type Config = InternalAxiosRequestConfig & Record<string, unknown>;

let a: RawServer;
let b: RawServer;
let underWay: Case | undefined;
let onArrival: ((moment: Moment['at']) => void) | undefined;
const agent = new Agent({ keepAlive: true });

beforeAll(async () => {
  a = await startRawServer(
    ({ url }, response) => {
      const answer = underWay?.answers[apiAnswers++] ?? 200;
      onArrival?.(apiAnswers === 1 ? 'the first attempt arrives' : 'the second attempt arrives');
      if (answer === 'to B') response.writeHead(307, { Location: `${b.url}${url}` }).end();
      else if (answer === 'to A') response.writeHead(302, { Location: '/moved' }).end();
      else answerJson(response, answer);
    },
    (_request, response) => {
      onArrival?.('a token request arrives');
      const accessToken = `LIVE-TOKEN-${(tokens += 1)}`;
      answerJson(response, 200, { token_type: 'bearer', access_token: accessToken, expires_in: 3600 });
    },
  );
  b = await startRawServer((_request, response) => answerJson(response, underWay?.answerOfB ?? 200));
});

afterAll(async () => {
  agent.destroy();
  await Promise.all([a.close(), b.close()]);
});

afterEach(() => jest.restoreAllMocks());

let apiAnswers = 0;
let tokens = 0;

interface Moment {
  at:
    | 'the request begins'
    | 'a token request arrives'
    | 'the first attempt arrives'
    | 'the second attempt arrives'
    | 'an event is reported'
    | 'the adapter has answered';
  /** Then so many turns of the microtask queue later. */
  turns: number;
}

type Move = (config: Config, auth: BipsyncAuth) => unknown;

/** What happens to the config, and to what surrounds it. */
const moves: Record<string, Move> = {
  'baseURL moves to B': (config) => (config.baseURL = b.url),
  'url moves to B': (config) => (config.url = `${b.url}/stolen`),
  'baseURL moves to B and back': (config) => {
    config.baseURL = b.url;
    void Promise.resolve().then(() => Reflect.set(config, 'baseURL', a.url));
  },
  'absolute URLs are forbidden, and baseURL moves to B': (config) =>
    Object.assign(config, { allowAbsoluteUrls: false, baseURL: b.url }),
  ...accessors('url', () => ['/v1/x', `${b.url}/stolen`]),
  ...accessors('baseURL', () => [a.url, b.url]),
  'a proxy is set': (config) => (config.proxy = { protocol: 'http', host: '127.0.0.1', port: b.port }),
  'a hook rewrites redirects': (config) => (config.beforeRedirect = toB),
  'the headers are replaced': (config) =>
    (config.headers = new axios.AxiosHeaders({ Authorization: 'Bearer own' })),
  'the config is frozen': (config) => Object.freeze(config),
  'the wall clock jumps': () => {
    const now = Date.now() + 3_600_000;
    jest.spyOn(Date, 'now').mockReturnValue(now);
  },
  'the handle invalidates': (_config, auth) => auth.invalidate(),
};

/** Properties that name A for so many reads, and then B. */
function accessors(key: 'url' | 'baseURL', values: () => [ofA: string, ofB: string]): Record<string, Move> {
  const entries = [0, 1, 2, 3, 4, 5].map((count): [string, Move] => [
    `${key} names A for ${count} reads`,
    (config) => {
      let reads = 0;
      const get = (): string => values()[(reads += 1) > count ? 1 : 0];
      Object.defineProperty(config, key, { get, set: () => undefined, enumerable: true, configurable: true });
    },
  ]);
  return Object.fromEntries(entries);
}

function toB(options: Record<string, unknown>): void {
  const { protocol, hostname, port, host } = new URL(b.url);
  Object.assign(options, { protocol, hostname, port, host, href: `${b.url}/hooked` });
}

interface Case {
  adapter: 'http' | 'fetch' | 'a function';
  url: 'relative' | 'absolute' | 'absolute, with B as baseURL';
  hasToken: boolean;
  answers: (200 | 401 | 'to B' | 'to A')[];
  answerOfB: 200 | 401;
  moves: { when: Moment; move: string }[];
  /** Whether what settled is sent once more. */
  isResent: boolean;
}

const answers = fc.constantFrom<Case['answers'][number]>(200, 401, 401, 'to B', 'to A');

const cases: fc.Arbitrary<Case> = fc.record({
  adapter: fc.constantFrom('http', 'fetch', 'a function'),
  url: fc.constantFrom('relative', 'relative', 'absolute', 'absolute, with B as baseURL'),
  hasToken: fc.boolean(),
  answers: fc.array(answers, { minLength: 1, maxLength: 3 }),
  answerOfB: fc.constantFrom(200, 401),
  moves: fc.array(
    fc.record({
      when: fc.record({
        at: fc.constantFrom<Moment['at']>(
          'the request begins',
          'the request begins',
          'a token request arrives',
          'the first attempt arrives',
          'the second attempt arrives',
          'an event is reported',
          'the adapter has answered',
        ),
        turns: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 })),
      }),
      move: fc.constantFrom(...Object.keys(moves)),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  isResent: fc.boolean(),
});

async function run(one: Case): Promise<void> {
  let config: Config | undefined;
  const pending = [...one.moves];
  const when = (at: Moment['at']): void => {
    for (const planned of pending.filter(({ when }) => when.at === at)) {
      pending.splice(pending.indexOf(planned), 1);
      void later(planned.when.turns, () => {
        // A frozen config, or an accessor, may refuse.
        if (config) moves[planned.move]!(config, auth);
      }).catch(() => undefined);
    }
  };
  const api = axios.create({ httpAgent: agent, timeout: 2000 });
  const auth = installBipsyncAuth(api, {
    baseURL: a.url,
    clientId: 'the-client',
    clientSecret: SECRET,
    teamId: 'a1',
    onEvent: () => when('an event is reported'),
  });
  if (one.hasToken) await auth.getToken();
  const inner = axios.getAdapter(one.adapter === 'a function' ? 'http' : one.adapter);
  const adapter: AxiosAdapter = async (given) => {
    config = given as Config;
    try {
      return await inner(given);
    } finally {
      when('the adapter has answered');
      await Promise.resolve();
    }
  };
  // Runs before the plugin's interceptor, and gets the very config that is sent.
  api.interceptors.request.use((given) => {
    config = given as Config;
    when('the request begins');
    return given;
  });
  apiAnswers = 0;
  underWay = one;
  onArrival = when;
  const url = one.url === 'relative' ? '/v1/x' : `${a.url}/v1/x`;
  const options = {
    ...(one.url === 'absolute, with B as baseURL' && { baseURL: b.url }),
    adapter: one.adapter === 'a function' ? adapter : one.adapter,
  };
  const settled = await api.get(url, options).catch((error: unknown) => error as { config?: Config });
  if (one.isResent && settled.config) {
    const { config: again } = settled;
    await api.request({ ...again, baseURL: b.url, url: '/again' }).catch(() => undefined);
    await axios.request({ ...again, baseURL: b.url, url: '/again', adapter: 'http' }).catch(() => undefined);
  }
  onArrival = undefined;
  underWay = undefined;
  jest.restoreAllMocks();
}

/** Without turns, in the same step. */
async function later(turns: number, act: () => void): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
  act();
}

it(
  '18. a server that may not have the token never sees it, whatever changes while a request is under way',
  async () => {
    let reached = 0;
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        await run(one);
        reached += b.arrived.length;
        const [leak] = [...b.arrived, ...b.tokenRequests].filter(
          ({ all }) => all.includes('LIVE-TOKEN') || all.includes(SECRET),
        );
        b.arrived.length = 0;
        b.tokenRequests.length = 0;
        expect(leak).toBeUndefined();
      }),
      parameters,
    );
    expect(reached).toBeGreaterThan(parameters.numRuns / 4);
    expect(
      a.arrived.filter(({ authorization }) => authorization?.includes('LIVE-TOKEN')).length,
    ).toBeGreaterThan(parameters.numRuns / 4);
  },
  FUZZ_TIMEOUT_MS,
);
