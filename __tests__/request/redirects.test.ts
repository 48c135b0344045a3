import type { IncomingMessage, RequestOptions } from 'node:http';
import { createRequire } from 'node:module';

import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';

import { installBipsyncAuth } from '../../src';
import { answerJson, type RawServer, startRawServer } from '../support/raw-server';
import { SECRET } from '../support/scripted';

// Guarantee 18 over real HTTP: a redirect takes the token to the same origin alone, whichever transport follows it, and
// whatever the caller's own `beforeRedirect` does. Every name here is this machine, so that origins can differ in the name alone.

interface Options extends Omit<RequestOptions, 'headers'> {
  headers: Record<string, unknown>;
  beforeRedirect?: Hook;
}
type OnResponse = (response: IncomingMessage) => void;
type Hook = (options: Options, ...details: unknown[]) => void;
interface Transport {
  request(options: Options, onResponse: OnResponse): unknown;
}

/** What this version of axios follows redirects with. */
const following = createRequire(require.resolve('axios'))('follow-redirects') as { http: Transport };

/** The caller's own transport: it hands every request on to follow-redirects, and could not be called without its `this`. */
class Through implements Transport {
  constructor(private readonly change: (options: Options) => Options) {}
  request(options: Options, onResponse: OnResponse): unknown {
    return following.http.request(this.change(options), onResponse);
  }
}

/** Keeps all headers on redirects, as the oldest versions of follow-redirects did. */
const keeping = new Through((options) => {
  const headers = { ...options.headers };
  const beforeRedirect: Hook = (next, ...details) => {
    Object.assign(next.headers, headers);
    options.beforeRedirect?.(next, ...details);
  };
  return { ...options, beforeRedirect };
});

const transports: Record<string, Transport | undefined> = {
  "axios's own transport": undefined,
  'follow-redirects itself': following.http,
  'a transport that copies the options': new Through((options) => ({ ...options })),
  'a transport that keeps all headers': keeping,
};

let server: RawServer;
let location: string;

beforeEach(async () => {
  server = await startRawServer(({ url }, response) => {
    if (url === '/start') response.writeHead(302, { Location: location }).end();
    else answerJson(response, 200);
  });
});
afterEach(() => server.close());

const at = (name: string): string => `http://${name}:${server.port}`;
/** The token that each request brought, and the host that it was for. */
const tokens = (): string[] =>
  server.arrived.map(({ all, url, authorization }) => {
    const [, host] = /^host\n(.*):\d+$/im.exec(all) ?? [];
    return `${host}${url}${authorization === `Bearer ${server.issued[0]}` ? ' with the token' : ''}`;
  });

function install(options: object): AxiosInstance {
  const lookup = (_name: string, _options: object, done: (...found: unknown[]) => void): void =>
    done(null, '127.0.0.1', 4);
  const api = axios.create({ adapter: 'http', lookup, ...options } as AxiosRequestConfig);
  installBipsyncAuth(api, {
    ...{ baseURL: at('localhost'), clientId: 'the-client', clientSecret: SECRET, teamId: 'a1' },
  });
  return api;
}

describe.each(Object.keys(transports))('a redirect that is followed by %s', (name) => {
  const optionsWith = (beforeRedirect?: Hook): Record<string, unknown> => {
    const transport = transports[name];
    return { ...(transport && { transport }), ...(beforeRedirect && { beforeRedirect }) };
  };

  it.each([undefined, (): void => undefined])(
    'the token stays on a redirect within the origin (own hook: %p)',
    async (hook) => {
      location = '/end';
      const { data } = await install(optionsWith(hook)).get<unknown>('/start');
      expect(data).toEqual({});
      expect(tokens()).toEqual(['localhost/start with the token', 'localhost/end with the token']);
    },
  );

  it.each([undefined, (): void => undefined])(
    'the token does not go to a subdomain with the same port (own hook: %p)',
    async (hook) => {
      location = `${at('sub.localhost')}/end`;
      await install(optionsWith(hook)).get('/start');
      expect(tokens()).toEqual(['localhost/start with the token', 'sub.localhost/end']);
    },
  );

  it('the token does not go to another host', async () => {
    location = `${at('other.example')}/end`;
    await install(optionsWith()).get('/start');
    expect(tokens()).toEqual(['localhost/start with the token', 'other.example/end']);
  });

  it('the config has the transport and the hook of its caller after the answer', async () => {
    location = '/end';
    const options = optionsWith(() => undefined);
    const { config } = await install({}).get('/start', options);
    expect(config.beforeRedirect).toBe(options['beforeRedirect']);
    expect((config as { transport?: unknown }).transport).toBe(options['transport']);
  });
});

it("the caller's own beforeRedirect takes no token to where it leads a redirect", async () => {
  location = '/end';
  const beforeRedirect: Hook = (options) => {
    Object.assign(options, { hostname: 'other.example', host: 'other.example' });
  };
  await install({ beforeRedirect }).get('/start');
  expect(tokens()).toEqual(['localhost/start with the token', 'other.example/end']);
});

describe("the caller's own beforeRedirect, which puts the token back on a redirect to a subdomain,", () => {
  const withToken = ({ headers }: Options): Record<string, unknown> => ({
    ...headers,
    Authorization: `Bearer ${server.issued[0]}`,
  });
  const hooks: Record<string, Hook> = {
    'a hook that adds to the headers': (options) => Object.assign(options.headers, withToken(options)),
    'a hook that freezes the headers': (options) =>
      Object.freeze(Object.assign(options.headers, withToken(options))),
    'a hook that replaces the headers': (options) => Object.assign(options, { headers: withToken(options) }),
    'a hook that replaces the headers with frozen ones': (options) =>
      Object.assign(options, { headers: Object.freeze(withToken(options)) }),
    'a hook that replaces the headers with ones that have no prototype': (options) =>
      Object.assign(options, { headers: Object.assign(Object.create(null), withToken(options)) as object }),
    'a hook that replaces the headers with a list': (options) =>
      Object.assign(options, {
        headers: Object.entries({ ...withToken(options), Host: new URL(at('sub.localhost')).host }).flat(),
      }),
    'a hook that writes the name in its own way': (options) => {
      const { Authorization, ...others } = withToken(options);
      Object.assign(options, { headers: { ...others, AUTHORIZATION: Authorization } });
    },
    'a hook that makes a list of the header': (options) =>
      Object.assign(options.headers, { Authorization: [withToken(options)['Authorization']] }),
    'a hook that defines the header as one that cannot be deleted': (options) =>
      Object.defineProperty(options.headers, 'Authorization', {
        value: withToken(options)['Authorization'],
        enumerable: true,
        configurable: false,
      }),
    'a hook that freezes the options': (options) => {
      Object.assign(options.headers, withToken(options));
      Object.freeze(options.headers);
      Object.freeze(options);
    },
  };

  it.each(Object.keys(hooks))('%s takes no token there', async (name) => {
    location = `${at('sub.localhost')}/end`;
    await install({ beforeRedirect: hooks[name]! })
      .get('/start')
      .catch(() => undefined);
    expect(tokens()[0]).toBe('localhost/start with the token');
    // What cannot be changed any more ends the request.
    expect([undefined, 'sub.localhost/end']).toContain(tokens()[1]);
  });
});
