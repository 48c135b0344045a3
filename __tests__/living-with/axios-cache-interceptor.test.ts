import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import axios, { type AxiosInstance } from 'axios';
import {
  type AxiosCacheInstance,
  buildKeyGenerator,
  type CacheOptions,
  type KeyGenerator,
  setupCache,
} from 'axios-cache-interceptor';

import { installBipsyncAuth } from '../../src';
import { type Emulated, emulated } from '../support/emulated';
import { rejection } from '../support/scripted';

const orders = ['before', 'after'] as const;
const adapters = ['http', 'fetch'] as const;
const places = orders.flatMap((order) => adapters.map((adapter) => ({ order, adapter })));

interface Cached {
  status: number;
  data: unknown;
  cached?: boolean;
  stale?: boolean;
}

describe.each(places)('axios-cache-interceptor, set up $order the plugin, over $adapter', (place) => {
  const { order, adapter } = place;

  async function caching(options: CacheOptions = {}): Promise<Emulated & { read: () => Promise<Cached> }> {
    const setUp = (api: AxiosInstance): void => void setupCache(api, options);
    const emulation = await emulated({ http: { adapter }, [order]: setUp });
    return { ...emulation, read: () => emulation.api.get('/v1/research') };
  }

  it('fetches a miss with the token and answers a hit without a request', async () => {
    const { read, emulator } = await caching();
    expect(await read()).toMatchObject({ status: 200, cached: false });
    expect(await read()).toMatchObject({ status: 200, cached: true });
    expect(emulator.requests).toMatchObject([{ authorization: 'valid', status: 200 }]);
    expect(emulator.tokenRequests).toBe(1);
  });

  it('merges requests that run at the same time', async () => {
    const { read, emulator } = await caching();
    const answers = await Promise.all(Array.from({ length: 20 }, read));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(emulator.apiRequests).toBe(1);
    expect(emulator.tokenRequests).toBe(1);
  });

  it('caches what the replay brought, not the 401', async () => {
    const { api, read, emulator } = await caching();
    await api.get('/v1/contenttype');
    emulator.revokeTokens();
    expect(await read()).toMatchObject({ status: 200, cached: false });
    expect(await read()).toMatchObject({ status: 200, cached: true });
    expect(emulator.tokenRequests).toBe(2);
  });

  it('revalidates with its ETag, also in a replay', async () => {
    const { read, emulator } = await caching();
    const headers = { ETag: '"one"', 'Cache-Control': 'max-age=0' };
    emulator.failApiRequests({ status: 200, headers, body: { data: 'kept' } });
    emulator.failApiRequests({ status: 401 });
    emulator.failApiRequests({ status: 304, headers });
    await read();
    expect(await read()).toMatchObject({ status: 200, cached: true, data: { data: 'kept' } });
    const conditions = emulator.requests.map(({ headers, status }) => [headers['if-none-match'], status]);
    expect(conditions).toEqual([
      [undefined, 200],
      ['"one"', 401],
      ['"one"', 304],
    ]);
    expect(emulator.requests.map(({ authorization }) => authorization)).toEqual(Array(3).fill('valid'));
  });

  it('answers with what is stale when the API fails', async () => {
    const { api, read, emulator } = await caching({ staleIfError: 60_000 });
    const { data } = await read();
    emulator.failApiRequests({ status: 500 });
    const overriding = { cache: { override: true } };
    const answer: Cached = await (api as AxiosCacheInstance).get('/v1/research', overriding);
    expect(answer).toMatchObject({ status: 200, stale: true, data });
    expect(emulator.requests.map(({ status }) => status)).toEqual([200, 500]);
  });

  it('hands the API error of a miss to the caller, and asks again the next time', async () => {
    const { read, emulator } = await caching();
    emulator.failApiRequests({ status: 500 });
    expect(axios.isAxiosError(await rejection(read()))).toBe(true);
    expect(await read()).toMatchObject({ status: 200, cached: false });
  });

  it('does not leave a later request waiting after a request failed because no token was available', async () => {
    const { auth, read, emulator } = await caching();
    emulator.failTokenRequests({ status: 400, body: { error: 'invalid_client' } });
    expect(await rejection(read())).toMatchObject({ code: 'ERR_BIPSYNC_CREDENTIALS' });
    auth.invalidate();
    expect(await within(1000, read())).toMatchObject({ status: 200 });
  });
});

describe('a cache hit without a token in memory', () => {
  it('requests no token if the cache was set up before the plugin', async () => {
    const { api, auth, emulator } = await emulated({ before: (api) => void setupCache(api) });
    await api.get('/v1/research');
    auth.invalidate();
    expect(await api.get('/v1/research')).toMatchObject({ cached: true });
    expect(emulator.tokenRequests).toBe(1);
  });

  it('requests a token if the cache was set up after the plugin, which takes the cache for an adapter', async () => {
    const { api, auth, emulator } = await emulated({ after: (api) => void setupCache(api) });
    await api.get('/v1/research');
    auth.invalidate();
    expect(await api.get('/v1/research')).toMatchObject({ cached: true });
    expect(emulator.tokenRequests).toBe(2);
  });
});

describe('axios-cache-interceptor with two teams', () => {
  let server: Server;
  let baseURL: string;

  beforeAll(async () => {
    server = createServer(
      (request, response) => void answerByTeam(request).then((body) => response.end(body)),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  function installed(cache: CacheOptions, teamId: string): AxiosCacheInstance {
    const api = setupCache(axios.create(), cache);
    installBipsyncAuth(api, { baseURL, clientId: 'id', clientSecret: 'secret', teamId });
    return api;
  }

  /** The team whose notes a request for a team's notes brings. */
  async function notesOf(api: AxiosCacheInstance, teamId?: string): Promise<string> {
    const request = teamId === undefined ? {} : { bipsyncAuth: { teamId } };
    return (await api.get<{ notesOf: string }>('/v1/research', request)).data.notesOf;
  }

  it("mixes the teams on one instance, since its keys do not hold the request's team", async () => {
    const api = installed({}, 'a1');
    expect([await notesOf(api), await notesOf(api, 'b2')]).toEqual(['a1', 'a1']);
    const atOnce = installed({}, 'a1');
    expect(await Promise.all([notesOf(atOnce), notesOf(atOnce, 'b2')])).toEqual(['a1', 'a1']);
  });

  const keyOfRequest = buildKeyGenerator((request, meta) => {
    const { baseURL, url, method, params, data } = request as Record<string, unknown>;
    return { baseURL, url, method, params, data, ...meta };
  });
  const generateKey: KeyGenerator = (request, meta) =>
    `${JSON.stringify(request.bipsyncAuth ?? {})} ${keyOfRequest(request, meta)}`;

  it("keeps the teams apart on one instance by a key generator that includes the request's team", async () => {
    const api = installed({ generateKey }, 'a1');
    expect([await notesOf(api), await notesOf(api, 'b2')]).toEqual(['a1', 'b2']);
    expect(await api.get('/v1/research', { bipsyncAuth: { teamId: 'b2' } })).toMatchObject({ cached: true });
    const atOnce = installed({ generateKey }, 'a1');
    expect(await Promise.all([notesOf(atOnce), notesOf(atOnce, 'b2')])).toEqual(['a1', 'b2']);
  });

  it('keeps the teams apart by one instance a team', async () => {
    const [a1, b2] = [installed({}, 'a1'), installed({}, 'b2')];
    expect([await notesOf(a1), await notesOf(b2)]).toEqual(['a1', 'b2']);
  });
});

/** A token names its team, and the API answers with what that team has. */
async function answerByTeam(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (request.method !== 'POST') {
    return JSON.stringify({ notesOf: String(request.headers.authorization).replace('Bearer token-of-', '') });
  }
  const scope = new URLSearchParams(Buffer.concat(chunks).toString()).get('scope');
  const accessToken = `token-of-${String(scope).replace('team_', '')}`;
  return JSON.stringify({ token_type: 'bearer', access_token: accessToken, expires_in: 3600 });
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not settled within ${ms} ms`)), ms);
  });
  return Promise.race([promise, tooLate]).finally(() => clearTimeout(timer));
}
