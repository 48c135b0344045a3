import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import type { JsonValue } from './answers';
import { answerApi } from './api';
import type { ApiCall, EmulatorChallenge } from './api';
import { answerOrFault, faultQueue } from './faults';
import type { EmulatorFault } from './faults';
import { issuedTokens } from './issued-tokens';
import type { RecordedApiRequest, RecordedTokenRequest } from './recordings';
import { graphqlScopes, restScopes } from './scopes';
import { answerTokenRequest, readTokenRequest } from './token-endpoint';

/** How {@link startBipsyncEmulator} starts. */
export interface BipsyncEmulatorOptions {
  /** TCP port on 127.0.0.1; default 0, which takes a free one. */
  port?: number | undefined;
  /** Default: random, so that no fixture holds credentials. */
  clientId?: string | undefined;
  /** Default: random, so that no fixture holds credentials. */
  clientSecret?: string | undefined;
  /** The client's team, without `team_`; default: random. */
  teamId?: string | undefined;
  /** Scopes the client may ask for beside `team_{teamId}`; default: every scope that Bipsync documents. */
  scopes?: readonly string[] | undefined;
  /** See {@link BipsyncEmulator.expiresIn}; default 3600. */
  expiresIn?: JsonValue | undefined;
  /** See {@link BipsyncEmulator.tokenDelayMs}; default 0. */
  tokenDelayMs?: number | undefined;
  /** See {@link BipsyncEmulator.apiDelayMs}; default 0. */
  apiDelayMs?: number | undefined;
  /** See {@link BipsyncEmulator.challenge}; default `'none'`, as Bipsync documents none. */
  challenge?: EmulatorChallenge | undefined;
  /** Keep every request for `requests` and `tokenLog`; default false. They grow until `resetCounters()`. */
  record?: boolean | undefined;
}

/** A Bipsync on the loopback interface. What is not `readonly` may be set at any time, for the requests that follow. */
export interface BipsyncEmulator {
  /** The origin, for `baseURL`: `http://127.0.0.1:{port}`. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly teamId: string;
  /** Requests to `/v1/oauth/token` that have arrived, whatever became of them. */
  readonly tokenRequests: number;
  /** Requests to any other path that have arrived, whatever became of them. */
  readonly apiRequests: number;
  /** The API requests, in the order of their answers. Throws an `Error` unless started with `record: true`. */
  readonly requests: readonly RecordedApiRequest[];
  /** The token requests, in the order of their answers. Throws an `Error` unless started with `record: true`. */
  readonly tokenLog: readonly RecordedTokenRequest[];
  /**
   * `expires_in` of the tokens to come, in seconds. The emulator keeps to it: an expired token gets a 401. Any other
   * JSON value is sent as it is and `undefined` leaves `expires_in` out; such a token, and one with 0 or less, is
   * accepted for an hour (a numeric string counts as its number).
   */
  expiresIn: JsonValue | undefined;
  /** Milliseconds that token requests take. The token is issued on arrival, so it can be revoked on its way. */
  tokenDelayMs: number;
  /** Milliseconds that API requests take. Their token is checked on arrival. */
  apiDelayMs: number;
  /** Whether the API's 401s carry `WWW-Authenticate` with RFC 6750's `invalid_token` or `insufficient_scope`. */
  challenge: EmulatorChallenge;
  /** Refuses every token issued up to now, those in answers still on their way included. */
  revokeTokens(): void;
  /** Changes the client's secret to the given or a random one and returns it; issued tokens stay good. */
  rotateSecret(clientSecret?: string): string;
  /** Replaces the scopes that the client may ask for beside its team; issued tokens keep theirs. */
  grantScopes(scopes: readonly string[]): void;
  /**
   * Lets the next `times` token requests fail (default 1, `Infinity` for all); faults queue up in order. Returns a
   * function that ends this fault. Throws a `RangeError` if `times` is not a whole number above 0 or `Infinity`.
   */
  failTokenRequests(fault: EmulatorFault, times?: number): () => void;
  /** Lets the next `times` API requests fail; otherwise as `failTokenRequests`. */
  failApiRequests(fault: EmulatorFault, times?: number): () => void;
  /** Ends all faults; requests that stall or drip already go on doing so. */
  clearFaults(): void;
  /** Sets both counters to 0 and empties `requests` and `tokenLog`. */
  resetCounters(): void;
  /** Drops every connection, stalled ones included, and frees the port. May be called again. */
  close(): Promise<void>;
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

const tokenPath = '/v1/oauth/token';

/**
 * startBipsyncEmulator starts a Bipsync on the loopback interface for tests: the token endpoint and a few resources,
 * over real HTTP, that ask for token, team and scope as Bipsync does. `close()` it when done. Rejects if it cannot
 * listen on the port.
 *
 * | request | needs the scope |
 * |---|---|
 * | `POST /v1/oauth/token`, form or JSON | |
 * | `GET /v1/research`, `GET /v1/research/{id}` (`note-1` to `note-25`), `GET /v3/projects` | `rest_api:read` |
 * | `POST /v1/research` with a `title` (answered, not kept) | `rest_api:write` |
 * | `GET /v1/fields` | `rest_api:fields:read` |
 * | `POST /v1/graphql`: always the research list, `variables` `first` and `after` page it | any GraphQL scope |
 * | `/v1/echo`, any method: method, path, headers but Authorization, SHA-256 and length of the body | |
 *
 * Everything but the token endpoint needs the team's scope, and a lacking scope is a 401. Delays use the global
 * `setTimeout`, so fake timers hold them.
 *
 * @example
 * const bipsync = await startBipsyncEmulator();
 * const { url, clientId, clientSecret, teamId } = bipsync;
 * installBipsyncAuth(api, { baseURL: url, clientId, clientSecret, teamId, scopes: ['rest_api:read'] });
 * await api.get('/v1/research');
 * expect(bipsync.tokenRequests).toBe(1);
 * await bipsync.close();
 */
export async function startBipsyncEmulator(options: BipsyncEmulatorOptions = {}): Promise<BipsyncEmulator> {
  const { clientId = randomBytes(12).toString('hex'), teamId = randomBytes(12).toString('hex') } = options;
  const { scopes = [...graphqlScopes, ...restScopes], record = false } = options;
  const teamScope = `team_${teamId}`;
  const tokens = issuedTokens();
  const tokenFaults = faultQueue();
  const apiFaults = faultQueue();
  const apiLog: RecordedApiRequest[] = [];
  const tokenLog: RecordedTokenRequest[] = [];
  let clientSecret = options.clientSecret ?? randomSecret();
  let grantedScopes = new Set([...scopes, teamScope]);
  let tokenRequests = 0;
  let apiRequests = 0;
  let closing: Promise<void> | undefined;

  const server = createServer((request, response) => {
    if (String(request.url).split('?', 1)[0] === tokenPath) serveToken(request, response);
    else serveApi(request, response);
  });

  const connections = new Set<Socket>();
  server.on('connection', (connection) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
  });

  function serveToken(request: IncomingMessage, response: ServerResponse): void {
    tokenRequests += 1;
    const fault = tokenFaults.next();
    readBody(request, (body) => {
      const tokenRequest = readTokenRequest(request, body);
      const { expiresIn, tokenDelayMs } = emulator;
      const issue = (asked: ReadonlySet<string>): string => tokens.issue(asked, expiresIn);
      const status = answerOrFault(response, tokenDelayMs, fault, () =>
        answerTokenRequest(tokenRequest, { clientId, clientSecret, grantedScopes, expiresIn, issue }),
      );
      if (!record) return;
      const { encoding, parameters } = tokenRequest;
      tokenLog.push({ encoding, scope: parameters?.get('scope'), status });
    });
  }

  function serveApi(request: IncomingMessage, response: ServerResponse): void {
    apiRequests += 1;
    const fault = apiFaults.next();
    readBody(request, (body) => {
      const { authorization: credentials, ...headers } = request.headers;
      const granted = tokens.scopesOf(String(/^Bearer +(\S+)$/i.exec(String(credentials))?.[1]));
      const authorization = granted ? 'valid' : credentials === undefined ? 'none' : 'refused';
      const { method, url: path } = request as { method: string; url: string };
      const call: ApiCall = { method, path, headers, body, authorization, scopes: granted };
      const status = answerOrFault(response, emulator.apiDelayMs, fault, () =>
        answerApi(call, teamScope, emulator.challenge),
      );
      if (record) apiLog.push({ method, path, headers, body, authorization, status });
    });
  }

  const emulator: BipsyncEmulator = {
    url: await listen(server, options.port ?? 0),
    clientId,
    teamId,
    expiresIn: options.expiresIn ?? 3600,
    tokenDelayMs: options.tokenDelayMs ?? 0,
    apiDelayMs: options.apiDelayMs ?? 0,
    challenge: options.challenge ?? 'none',
    get clientSecret() {
      return clientSecret;
    },
    get tokenRequests() {
      return tokenRequests;
    },
    get apiRequests() {
      return apiRequests;
    },
    get requests() {
      return recorded(apiLog, record);
    },
    get tokenLog() {
      return recorded(tokenLog, record);
    },
    revokeTokens: () => tokens.revokeAll(),
    rotateSecret(secret = randomSecret()) {
      clientSecret = secret;
      return secret;
    },
    grantScopes(granted) {
      grantedScopes = new Set([...granted, teamScope]);
    },
    failTokenRequests: (fault, times) => tokenFaults.add(fault, times),
    failApiRequests: (fault, times) => apiFaults.add(fault, times),
    clearFaults() {
      tokenFaults.clear();
      apiFaults.clear();
    },
    resetCounters() {
      tokenRequests = apiRequests = apiLog.length = tokenLog.length = 0;
    },
    close: () => (closing ??= closeServer(server, connections)),
    // A runtime without the symbol gets a property that nobody looks up.
    [Symbol.asyncDispose]: () => emulator.close(),
  };
  return emulator;
}

function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** An empty list that nothing ever fills would let a test pass for the wrong reason. */
function recorded<T>(log: readonly T[], record: boolean): readonly T[] {
  if (!record) throw new Error('Start the emulator with { record: true } to read its requests.');
  return log;
}

/** A request that breaks off is not answered. */
function readBody(request: IncomingMessage, then: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => then(Buffer.concat(chunks)));
}

async function listen(server: Server, port: number): Promise<string> {
  // Idle connections outlive a test's pauses: a reused one that just closed would look like a fault.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port, backlog: 4096 }, resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Waits for the connections, too: timers end with them, a moment after the server itself. */
async function closeServer(server: Server, connections: ReadonlySet<Socket>): Promise<void> {
  const closed = [server, ...connections].map((it) => new Promise((resolve) => it.once('close', resolve)));
  server.close();
  for (const connection of connections) connection.destroy();
  await Promise.all(closed);
}
