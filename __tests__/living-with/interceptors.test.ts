import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import axios, { type AxiosInstance, type AxiosResponse } from 'axios';

import { installBipsyncAuth } from '../../src';
import { configFor, startEmulator } from '../support/emulated';

class ApiProblem extends Error {
  constructor(
    readonly status: number | undefined,
    readonly causeCode: unknown,
  ) {
    super('mapped');
  }
}

/** What applications put on their instances, each of which has broken an authorization plugin before. */
const neighbours: Record<string, (api: AxiosInstance) => void> = {
  'unwraps response.data': (api) => {
    api.interceptors.response.use((response) => response.data as AxiosResponse);
  },
  'maps errors to a class of its own': (api) => {
    api.interceptors.response.use(undefined, (error: unknown) => {
      if (!axios.isAxiosError(error)) throw error;
      throw new ApiProblem(error.response?.status, (error.cause as { code?: unknown } | undefined)?.code);
    });
  },
  'clones the config': (api) => {
    api.interceptors.request.use((config) => ({ ...config }));
  },
  'puts an adapter of its own around the present one': (api) => {
    api.interceptors.request.use((config) => {
      const inner = axios.getAdapter(config.adapter ?? api.defaults.adapter);
      return { ...config, adapter: (last) => inner({ ...last }) };
    });
  },
  'awaits something': (api) => {
    const later = async <T>(value: T): Promise<T> => value;
    api.interceptors.request.use(later);
    api.interceptors.response.use(later);
  },
};
const names = Object.keys(neighbours);

interface Place {
  before: string[];
  after: string[];
}

const places: Record<string, Place> = {
  first: { before: [], after: names },
  'in the middle': { before: names.slice(0, 2), after: names.slice(2) },
  last: { before: names, after: [] },
  ...Object.fromEntries(
    names.flatMap((name): [string, Place][] => [
      [`before one that ${name}`, { before: [], after: [name] }],
      [`after one that ${name}`, { before: [name], after: [] }],
    ]),
  ),
};

const adapters: Record<string, (api: AxiosInstance) => void> = {
  http: (api) => void (api.defaults.adapter = 'http'),
  fetch: (api) => void (api.defaults.adapter = 'fetch'),
  'a mocked adapter': (api) => {
    const inner = axios.getAdapter('http');
    api.defaults.adapter = (config) => inner(config);
  },
};

const cases = Object.keys(places).flatMap((place) =>
  Object.keys(adapters).map((adapter) => [place, adapter] as const),
);

it.each(cases)(
  'with the plugin installed %s, over %s, the caller sees the same as without a 401',
  async (place, adapter) => {
    const emulator = await startEmulator();
    const api = axios.create();
    const { before, after } = places[place]!;
    adapters[adapter]!(api);
    for (const name of before) neighbours[name]!(api);
    installBipsyncAuth(api, configFor(emulator));
    for (const name of after) neighbours[name]!(api);
    const present = [...before, ...after];
    const unwraps = present.includes('unwraps response.data');
    const maps = present.includes('maps errors to a class of its own');

    const quiet: AxiosResponse<unknown> = await api.get('/v1/contenttype');
    emulator.revokeTokens();
    const [read, written]: AxiosResponse<unknown>[] = await Promise.all([
      api.get('/v1/contenttype'),
      api.post('/v1/echo', { title: 'A' }),
    ]);
    const bodyOf = (answer: unknown) => (unwraps ? answer : (answer as AxiosResponse<unknown>).data);
    expect(bodyOf(read)).toMatchObject({ total: 4, results: [{ name: 'note' }, {}, {}, {}] });
    expect(bodyOf(read)).toEqual(bodyOf(quiet));
    expect(bodyOf(written)).toMatchObject({ method: 'POST', path: '/v1/echo' });
    expect(emulator.tokenRequests).toBe(2);
    expect(emulator.requests.filter(({ status }) => status === 401)).toHaveLength(2);

    const error = await api.get('/v1/field').catch((reason: unknown) => reason);
    if (maps) {
      expect(error).toBeInstanceOf(ApiProblem);
      expect(error).toMatchObject({ status: 401, causeCode: 'ERR_BIPSYNC_ACCESS_DENIED' });
    } else {
      expect(error).toMatchObject({ status: 401, cause: { code: 'ERR_BIPSYNC_ACCESS_DENIED' } });
    }
    expect(emulator.requests.every(({ authorization }) => authorization !== 'none')).toBe(true);
  },
);

describe('an interceptor that rewrites where a request goes', () => {
  const rewrites: Record<string, (api: AxiosInstance, to: string) => void> = {
    'by baseURL': (api, baseURL) => {
      api.interceptors.request.use((config) => ({ ...config, baseURL }));
    },
    'by an absolute url': (api, to) => {
      api.interceptors.request.use((config) => ({ ...config, url: `${to}${config.url}` }));
    },
  };
  const rewriteCases = Object.keys(rewrites).flatMap((rewrite) =>
    (['before', 'after'] as const).flatMap((order) =>
      (['http', 'fetch'] as const).map((adapter) => [rewrite, order, adapter] as const),
    ),
  );

  it.each(rewriteCases)('%s, registered %s the plugin, over %s, takes no token along', async (...options) => {
    const [rewrite, order, adapter] = options;
    const authorizations: unknown[] = [];
    const other = createServer((request, response) => {
      authorizations.push(request.headers.authorization);
      response.end('{}');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const to = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const emulator = await startEmulator();
    const api = axios.create({ adapter });
    if (order === 'before') rewrites[rewrite]!(api, to);
    const auth = installBipsyncAuth(api, configFor(emulator));
    if (order === 'after') rewrites[rewrite]!(api, to);
    try {
      await auth.getToken();
      expect((await api.get('/v1/research')).status).toBe(200);
      expect(authorizations).toEqual([undefined]);
      expect(emulator.apiRequests).toBe(0);
    } finally {
      other.closeAllConnections();
      await new Promise((resolve) => other.close(resolve));
    }
  });
});
