import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';

import axios from 'axios';

import {
  type BipsyncAuthErrorCode,
  type BipsyncAuthEvent,
  installBipsyncAuth,
  isBipsyncAuthError,
  type TokenStore,
} from '../../src';
import {
  type BipsyncEmulator,
  type EmulatorFault,
  type JsonValue,
  startBipsyncEmulator,
} from '../../src/testing';
import { CLOSED_PORT, NO_SUCH_HOST } from '../support/nobody';
import { selfSigned } from './self-signed';

// Everything that can go wrong with a token request, over real HTTP, on both adapters and in three situations:
//
//   cold                no token yet: the request fails with the promised code and never reaches the API
//   in refresh window   a usable token is there: the request succeeds with it, whatever becomes of the refresh
//   on a 401            the API refused the token: its 401 surfaces as it is, with the promised code as its cause
//
// Where the promise is a token, the request succeeds with it in all three.

const situations = ['cold', 'in the refresh window', 'on a 401'] as const;
const adapters = ['http', 'fetch'] as const;

interface Row {
  name: string;
  /** What happens to every token request, or to the first `times` of them. */
  fault?: EmulatorFault;
  times?: number;
  /** Instead of a fault: the `expires_in` of an answer that is fine otherwise. */
  expiresIn?: { value: JsonValue | undefined };
  /** Instead of a fault: where the token endpoint is said to be. */
  tokenUrl?: () => string;
  tokenTimeoutMs?: number;
  promised: BipsyncAuthErrorCode | 'a token';
  /** Token requests that arrive at the emulator. */
  tokenRequests: number;
  /** The fault looks like a connection that the server has given up. */
  connection?: 'reset' | 'silent';
  message?: RegExp;
}

/** A 200 whose body is not what it should be; one request, since asking again would not change it. */
const badAnswer = (name: string, body: JsonValue, headers?: Record<string, string>): Row => ({
  name,
  fault: { status: 200, body, headers },
  promised: 'ERR_BIPSYNC_TOKEN_RESPONSE',
  tokenRequests: 1,
});

const token = { token_type: 'bearer', expires_in: 3600, access_token: 'good-token' };

const rows: Row[] = [
  badAnswer('HTML with 200', '<!doctype html><title>Sign in</title>', { 'Content-Type': 'text/html' }),
  badAnswer('an empty body', ''),
  badAnswer('cut JSON', '{"token_type":"bearer","access_token":"ab', { 'Content-Type': 'application/json' }),
  badAnswer('JSON null', null),
  badAnswer('a JSON array', [token]),
  badAnswer('a JSON string', '"good-token"', { 'Content-Type': 'application/json' }),
  badAnswer('no token', { token_type: 'bearer', expires_in: 3600 }),
  badAnswer('a null token', { ...token, access_token: null }),
  badAnswer('an object for a token', { ...token, access_token: { value: 'good-token' } }),
  badAnswer('an empty token', { ...token, access_token: '' }),
  badAnswer('a token with CRLF', { ...token, access_token: 'good\r\nX-Injected: yes' }),
  badAnswer('a token with spaces', { ...token, access_token: 'good token' }),
  badAnswer('a token beyond ASCII', { ...token, access_token: 'töken' }),
  badAnswer('another token type', { ...token, token_type: 'mac' }),
  badAnswer('no token type', { access_token: 'good-token', expires_in: 3600 }),
  badAnswer('an expires_in that is no number', { ...token, expires_in: 'soon' }),
  badAnswer('an object for expires_in', { ...token, expires_in: {} }),
  { ...badAnswer('a body beyond the bound', ''), fault: { oversizeBytes: 2_000_000 } },

  ...[
    { name: 'no expires_in', value: undefined },
    { name: 'null for expires_in', value: null },
    { name: 'a numeric string for expires_in', value: '1800' },
    { name: 'a fraction for expires_in', value: 1799.5 },
    { name: 'zero for expires_in', value: 0 },
    { name: 'a negative expires_in', value: -1 },
    { name: 'a huge expires_in', value: 1e15 },
  ].map(({ name, value }): Row => ({
    name,
    expiresIn: { value },
    promised: 'a token',
    tokenRequests: 1,
  })),
  {
    name: 'a body within the bound',
    fault: { oversizeBytes: 50_000 },
    promised: 'a token',
    tokenRequests: 1,
  },
  { name: 'a late answer', fault: { delayMs: 200 }, promised: 'a token', tokenRequests: 1 },
  { name: 'a slow drip of bytes', fault: { dripMs: 2 }, promised: 'a token', tokenRequests: 1 },
  {
    name: 'a drip of bytes that never ends in time',
    fault: { dripMs: 100 },
    connection: 'silent',
    tokenTimeoutMs: 1500,
    promised: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
    tokenRequests: 1,
    message: /within 1500 ms/,
  },
  ...(['stall', 'stall-mid-body'] as const).map((fault): Row => ({
    name: fault,
    fault,
    connection: 'silent',
    tokenTimeoutMs: 1500,
    promised: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
    tokenRequests: 1,
    message: /within 1500 ms/,
  })),
  ...(['reset', 'reset-mid-body'] as const).flatMap((fault): Row[] => [
    {
      name: fault,
      fault,
      // If the answer has begun, the server had not given up the connection before.
      ...(fault === 'reset' && { connection: 'reset' }),
      promised: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
      tokenRequests: 3,
    },
    { name: `${fault}, once`, fault, times: 1, promised: 'a token', tokenRequests: 2 },
  ]),
  ...[429, 500, 502, 503, 504].map((status): Row => ({
    name: String(status),
    fault: { status, body: 'out of order' },
    promised: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
    tokenRequests: 3,
  })),
  { name: '503, twice', fault: { status: 503 }, times: 2, promised: 'a token', tokenRequests: 3 },
  {
    name: '429 with a Retry-After in time',
    fault: { status: 429, headers: { 'Retry-After': '1' } },
    times: 1,
    promised: 'a token',
    tokenRequests: 2,
  },
  {
    name: '429 with a Retry-After beyond the time left',
    fault: { status: 429, headers: { 'Retry-After': '120' } },
    promised: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
    tokenRequests: 1,
  },
  {
    name: '503 with a Retry-After that is a date',
    fault: { status: 503, headers: { 'Retry-After': new Date(Date.now() + 3_600_000).toUTCString() } },
    promised: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
    tokenRequests: 1,
  },
  ...([301, 302, 303, 307, 308] as const).map((status): Row => ({
    name: `a redirect (${status})`,
    get fault() {
      return { redirectTo: `http://127.0.0.1:${portOf(elsewhere)}/v1/oauth/token`, status };
    },
    promised: 'ERR_BIPSYNC_TOKEN_REQUEST',
    tokenRequests: 1,
  })),
  refusal('invalid_client', 401, { error: 'invalid_client' }, 'ERR_BIPSYNC_CREDENTIALS'),
  refusal('invalid_client with 400', 400, { error: 'invalid_client' }, 'ERR_BIPSYNC_CREDENTIALS'),
  refusal('unauthorized_client', 400, { error: 'unauthorized_client' }, 'ERR_BIPSYNC_CREDENTIALS'),
  refusal('401 without a body', 401, '', 'ERR_BIPSYNC_CREDENTIALS'),
  refusal('invalid_scope', 400, { error: 'invalid_scope' }, 'ERR_BIPSYNC_SCOPE'),
  refusal('403', 403, { error: 'forbidden' }, 'ERR_BIPSYNC_IP_NOT_ALLOWED'),
  refusal('400 of another kind', 400, '<h1>Bad</h1>', 'ERR_BIPSYNC_TOKEN_REQUEST'),
  refusal('404', 404, 'nothing here', 'ERR_BIPSYNC_TOKEN_REQUEST'),
  refusal('a good answer with 201', 201, token, 'ERR_BIPSYNC_TOKEN_REQUEST'),
  refusal('204', 204, '', 'ERR_BIPSYNC_TOKEN_REQUEST'),

  unreachable('a host that does not exist', () => `https://${NO_SUCH_HOST}/v1/oauth/token`),
  {
    ...unreachable('a port that nobody listens on', () => `http://127.0.0.1:${CLOSED_PORT}/v1/oauth/token`),
    message: /ECONNREFUSED/,
  },
  {
    ...unreachable(
      'a certificate nobody vouches for',
      () => `https://localhost:${portOf(selfSignedServer)}/token`,
    ),
    message: /SELF_SIGNED_CERT/,
  },
];

function refusal(name: string, status: number, body: JsonValue, promised: BipsyncAuthErrorCode): Row {
  return { name, fault: { status, body }, promised, tokenRequests: 1 };
}

function unreachable(name: string, tokenUrl: () => string): Row {
  return {
    name,
    tokenUrl,
    promised: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
    tokenRequests: 0,
  };
}

/** What one cell of the matrix came to. */
interface Outcome {
  /** `ok`, the code of a BipsyncAuthError, or `401 because of` the code of its cause. */
  result: string;
  message: string | undefined;
  tokenRequests: number;
  /** What the API saw of each request's token. */
  authorizations: string[];
  /** What became of the token request, as told by an event: a code, or `a token`. */
  events: string[];
}

/**
 * One more, if the fault hits a connection that an earlier request has used: after a reset the request is sent again at once,
 * and silence ends such an attempt early enough for another. Only the http adapter tells whether a connection was used
 * before. A refresh begins while the request beside it has the only such connection: what is silent then is a new one.
 */
function expectedTokenRequests(
  { tokenRequests, connection }: Row,
  adapter: (typeof adapters)[number],
  situation: (typeof situations)[number],
): number {
  const meetsUsed = connection === 'reset' ? situation !== 'cold' : situation === 'on a 401';
  return connection && adapter === 'http' && meetsUsed ? tokenRequests + 1 : tokenRequests;
}

let elsewhere: Server;
let selfSignedServer: Server;
const seenElsewhere: string[] = [];
const seenSelfSigned: string[] = [];
const outcomes = new Map<string, Outcome>();

const cells = rows.flatMap((row) =>
  adapters.flatMap((adapter) =>
    situations.map((situation) => ({
      name: `${row.name}, ${situation}, ${adapter}`,
      row,
      adapter,
      situation,
    })),
  ),
);

beforeAll(async () => {
  elsewhere = await listening(
    createHttpServer((request, response) => {
      seenElsewhere.push(`${request.method ?? ''} ${request.url ?? ''}`);
      response.end(JSON.stringify(token));
    }),
  );
  selfSignedServer = await listening(
    createHttpsServer(selfSigned(), (request, response) => {
      seenSelfSigned.push(request.url ?? '');
      response.end(JSON.stringify(token));
    }),
  );

  const waiting = [...cells];
  const play = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell; cell = waiting.shift()) {
      outcomes.set(cell.name, await outcomeOf(cell));
    }
  };
  await Promise.all(Array.from({ length: 24 }, play));
}, 120_000);

afterAll(() => {
  elsewhere.close();
  selfSignedServer.close();
});

describe.each(adapters)('on the %s adapter', (adapter) => {
  const expected = (row: Row): [string, Row] => [`${row.name}: ${row.promised}`, row];

  test.each(rows.map(expected))('without a token, a request gets what is promised for %s', (_name, row) => {
    const outcome = outcomes.get(`${row.name}, cold, ${adapter}`)!;
    const succeeds = row.promised === 'a token';
    expect(outcome).toMatchObject({
      result: succeeds ? 'ok' : row.promised,
      tokenRequests: row.tokenRequests,
      authorizations: succeeds ? ['valid'] : [],
      events: [row.promised],
    });
    if (row.message) expect(outcome.message).toMatch(row.message);
  });

  test.each(rows.map(expected))('in the refresh window, a request succeeds in spite of %s', (_name, row) => {
    expect(outcomes.get(`${row.name}, in the refresh window, ${adapter}`)).toMatchObject({
      result: 'ok',
      tokenRequests: expectedTokenRequests(row, adapter, 'in the refresh window'),
      authorizations: ['valid'],
      events: [row.promised],
    });
  });

  test.each(rows.map(expected))('after a 401, a request gets what is promised for %s', (_name, row) => {
    const succeeds = row.promised === 'a token';
    expect(outcomes.get(`${row.name}, on a 401, ${adapter}`)).toMatchObject({
      result: succeeds ? 'ok' : `401 because of ${row.promised}`,
      tokenRequests: expectedTokenRequests(row, adapter, 'on a 401'),
      authorizations: succeeds ? ['refused', 'valid'] : ['refused'],
      events: [row.promised],
    });
  });
});

test('the target of a redirect of the token endpoint receives nothing', () => {
  expect(seenElsewhere).toEqual([]);
});

test('a server with an untrusted certificate receives no request', () => {
  expect(seenSelfSigned).toEqual([]);
});

async function outcomeOf({ row, adapter, situation }: (typeof cells)[number]): Promise<Outcome> {
  await using emulator = await startBipsyncEmulator({ record: true });
  const events: BipsyncAuthEvent[] = [];
  const api = axios.create({ adapter });
  const tokenUrl = row.tokenUrl?.();
  const { clientId, clientSecret, teamId } = emulator;
  installBipsyncAuth(api, {
    baseURL: emulator.url,
    clientId,
    clientSecret,
    teamId,
    scopes: ['rest_api:read'],
    tokenTimeoutMs: row.tokenTimeoutMs ?? 8000,
    onEvent: (event) => events.push(event),
    ...(tokenUrl !== undefined && { tokenUrl }),
    ...(situation !== 'cold' && { tokenStore: await storeWithToken(emulator, situation) }),
  });
  // The first request only fetches the token from the store.
  if (situation !== 'cold') await api.get('/v1/research');
  if (situation === 'on a 401') emulator.revokeTokens();
  emulator.resetCounters();
  events.length = 0;
  if (row.fault) emulator.failTokenRequests(row.fault, row.times ?? Infinity);
  if (row.expiresIn) emulator.expiresIn = row.expiresIn.value;

  const outcome = await api.get('/v1/research', { timeout: 15_000 }).then(
    () => ({ result: 'ok', message: undefined }),
    (error: unknown) => resultOf(error),
  );
  const ended = (): string[] =>
    events.flatMap((event) =>
      event.type === 'token-failed' ? [event.code] : event.type === 'token-acquired' ? ['a token'] : [],
    );
  // A refresh goes on in the background.
  const until = Date.now() + 15_000;
  while (ended().length === 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  return {
    ...outcome,
    tokenRequests: emulator.tokenRequests,
    authorizations: emulator.requests.map(({ authorization }) => authorization),
    events: ended(),
  };
}

/** A token of an hour that is nearly over, or has hardly begun. */
async function storeWithToken(
  emulator: BipsyncEmulator,
  situation: 'in the refresh window' | 'on a 401',
): Promise<TokenStore> {
  const { data } = await axios.post<{ access_token: string }>(
    `${emulator.url}/v1/oauth/token`,
    new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: emulator.clientId,
      client_secret: emulator.clientSecret,
      scope: `team_${emulator.teamId} rest_api:read`,
    }),
    { proxy: false },
  );
  const lifetimeMs = 3_600_000;
  const expiresAt = Date.now() + (situation === 'on a 401' ? lifetimeMs : 200_000);
  const stored = JSON.stringify({ v: 1, accessToken: data.access_token, expiresAt, lifetimeMs });
  return { get: () => Promise.resolve(stored), set: () => Promise.resolve() };
}

function resultOf(error: unknown): { result: string; message: string | undefined } {
  if (isBipsyncAuthError(error)) return { result: error.code, message: error.message };
  if (!axios.isAxiosError(error)) return { result: String(error), message: undefined };
  const { cause, response } = error;
  const why = isBipsyncAuthError(cause) ? cause.code : String(cause);
  return { result: `${response?.status ?? error.code ?? ''} because of ${why}`, message: undefined };
}

async function listening<S extends Server>(server: S): Promise<S> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
