import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { ipNotPermitted } from './answers';
import type { EmulatorAnswer } from './answers';
import { emulatedApi } from './api';
import type { ApiCall, EmulatorChallenge } from './api';
import { answerOrFault, faultQueue } from './faults';
import type { EmulatorFault } from './faults';
import { issuedTokens } from './issued-tokens';
import type { JsonValue } from './json';
import { ownOptions } from './own-options';
import { answeredRequest } from './recordings';
import type { AnsweredRequest, RecordedApiRequest, RecordedTokenRequest } from './recordings';
import { graphqlScopes, restScopes } from './scopes';
import { answerTokenRequest, readTokenRequest } from './token-endpoint';

/** The options of {@link startBipsyncEmulator}. */
export interface BipsyncEmulatorOptions {
  /** TCP port on 127.0.0.1. Default: 0, which selects a free port. */
  port?: number | undefined;
  /** The client's identifier. Default: random, so no fixture contains credentials. */
  clientId?: string | undefined;
  /** The client's secret. Default: random, so no fixture contains credentials. */
  clientSecret?: string | undefined;
  /** The client's team, without `team_`. Default: random. */
  teamId?: string | undefined;
  /** The scopes that the client may ask for, except `team_{teamId}`. Default: every scope that Bipsync documents. */
  scopes?: readonly string[] | undefined;
  /** See {@link BipsyncEmulator.expiresIn}. Default: 3600. */
  expiresIn?: JsonValue | undefined;
  /** See {@link BipsyncEmulator.tokenDelayMs}. Default: 0. */
  tokenDelayMs?: number | undefined;
  /** See {@link BipsyncEmulator.apiDelayMs}. Default: 0. */
  apiDelayMs?: number | undefined;
  /** See {@link BipsyncEmulator.challenge}. Default: `'none'`, because Bipsync documents no challenge. */
  challenge?: EmulatorChallenge | undefined;
  /** See {@link BipsyncEmulator.narrowsScopes}. Default: false. */
  narrowsScopes?: boolean | undefined;
  /** See {@link BipsyncEmulator.permitsIpAddress}. Default: true. */
  permitsIpAddress?: boolean | undefined;
  /**
   * Called once for each request, for example to write a log line: when the answer is known, and before any delay. An error
   * that it throws is ignored.
   */
  onRequest?: ((request: AnsweredRequest) => void) | undefined;
  /** Whether `requests` and `tokenLog` keep every request until `resetCounters()`. Default: false. */
  record?: boolean | undefined;
}

/** An emulated Bipsync on the loopback interface. You can set the properties that are not `readonly` at any time. */
export interface BipsyncEmulator {
  /** The origin, for `baseURL`: `http://127.0.0.1:{port}`. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly teamId: string;
  /** The number of requests to `/v1/oauth/token` that have arrived, whatever their answer. */
  readonly tokenRequests: number;
  /** The number of requests to any other path that have arrived, whatever their answer. */
  readonly apiRequests: number;
  /** The API requests, in the order of their answers. Throws an `Error` if the emulator was not started with `record: true`. */
  readonly requests: readonly RecordedApiRequest[];
  /** The token requests, in the order of their answers. Throws an `Error` if the emulator was not started with `record: true`. */
  readonly tokenLog: readonly RecordedTokenRequest[];
  /**
   * `expires_in` of new tokens, in seconds. After this time, the emulator answers 401 to the token. A JSON value that is not
   * a number is sent unchanged, and `undefined` omits `expires_in`. Such a token, and a token with 0 or less, is accepted for
   * an hour. A numeric string counts as its number.
   */
  expiresIn: JsonValue | undefined;
  /** Delay of token requests in milliseconds. The token is issued when the request arrives, so it can be revoked before the answer. */
  tokenDelayMs: number;
  /** Delay of API requests in milliseconds. The token is checked when the request arrives. */
  apiDelayMs: number;
  /** Whether the API's 401s have a `WWW-Authenticate` header with `invalid_token` or `insufficient_scope` (RFC 6750). */
  challenge: EmulatorChallenge;
  /**
   * The answer to a token request for more scopes than the client may have. `false`: the error `invalid_scope`. `true`: a
   * token with the permitted scopes, which `scope` lists (RFC 6749 §5.1). Assumed: Bipsync documents neither.
   */
  narrowsScopes: boolean;
  /**
   * `false` answers every request with 403. Bipsync documents this for its API. Assumed: also for its token endpoint. For
   * only one of the two, use `failTokenRequests({ status: 403 })` or `failApiRequests({ status: 403 })`.
   */
  permitsIpAddress: boolean;
  /** Revokes every token issued until now, including tokens whose answer is still delayed. */
  revokeTokens(): void;
  /** Changes the client's secret to the given or a random one, and returns the new secret. Issued tokens stay valid. */
  rotateSecret(clientSecret?: string): string;
  /** Replaces the scopes that the client may ask for, except its team. Issued tokens keep their scopes. */
  grantScopes(scopes: readonly string[]): void;
  /**
   * Makes the next `times` token requests fail (default: 1, `Infinity` for all). Several faults are used in the order in which
   * they were added. Returns a function that ends this fault. Throws a `RangeError` if `times` is neither a whole number above
   * 0 nor `Infinity`.
   */
  failTokenRequests(fault: EmulatorFault, times?: number): () => void;
  /** Makes the next `times` API requests fail. Otherwise the same as `failTokenRequests`. */
  failApiRequests(fault: EmulatorFault, times?: number): () => void;
  /** Ends all faults. Requests that already stall or drip continue to do so. */
  clearFaults(): void;
  /** Sets both counters to 0 and empties `requests` and `tokenLog`. */
  resetCounters(): void;
  /** Closes every connection, including stalled ones, and frees the port. You can call it more than once. */
  close(): Promise<void>;
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

const tokenPath = '/v1/oauth/token';

/**
 * startBipsyncEmulator starts an emulated Bipsync on the loopback interface for tests: the token endpoint and a few
 * resources, over real HTTP. They require the token, the team and the scope as Bipsync does. Call `close()` at the end.
 *
 * | request | needs the scope | answer |
 * |---|---|---|
 * | `POST /v1/oauth/token`, form or JSON | | a token, or an OAuth error with a `hint` |
 * | `GET /v1/field` | `rest_api:fields:read` | a list |
 * | `GET /v1/contenttype` | `rest_api:read` | a list |
 * | `GET /v1/research` | `rest_api:read` | a list of the notes: 25, and those that were created later |
 * | `GET /v1/research/{id}` (`note-1` to `note-25`) | `rest_api:read` | the note |
 * | `POST /v2/research/note` with `user` | `rest_api:write` | 201 and the note, with its `id` |
 * | `POST /v2/research/note/{id}/attachment` with `fileName`, `length`, `user` | `rest_api:write` | 201 and the attachment |
 * | `POST /v3/ingest/{source}/{value}`, with `documentType` the first time | `rest_api:write` | 201 or 200 and the record |
 * | `POST /v1/graphql` with any `query` | any GraphQL scope | the notes as a Relay connection |
 * | `/v1/echo`, any method (only in the emulator) | | method, path, headers without Authorization, SHA-256 and length of the body |
 *
 * A list is `{ total, offset, limit, results }`; the query parameters `offset` (default 0) and `limit` (default 10) choose
 * the page. GraphQL's `variables` can contain `first` (default 10), `after`, `last` and `before`. Its `pageInfo` has the
 * cursors. Every path except the token endpoint requires the team's scope. If a scope is missing, the answer is 401.
 *
 * Bipsync documents the paths of this table, the list's envelope, the properties that a request needs, the scopes, the
 * token's answer, and what 400, 401, 403, 404 and 405 mean. The public documents do not describe the rest, so the following is
 * **assumed**: the bodies of all errors (they look like those of league/oauth2-server), 401s without `WWW-Authenticate`,
 * `GET /v1/research/{id}`, the order of the checks (token, team, path, method, scope), the status 201, the properties of notes,
 * fields and attachments, the form of a cursor, the default page sizes, and that a token without a team gives access to
 * nothing. The attachment's content cannot be uploaded.
 *
 * Delays use the global `setTimeout`, so fake timers stop them.
 *
 * @example
 * ```ts
 * const bipsync = await startBipsyncEmulator();
 * const { url, clientId, clientSecret, teamId } = bipsync;
 * installBipsyncAuth(api, { baseURL: url, clientId, clientSecret, teamId, scopes: ['rest_api:read'] });
 * await api.get('/v1/research');
 * expect(bipsync.tokenRequests).toBe(1);
 * await bipsync.close();
 * ```
 *
 * @throws An `Error` with the system's code, for example `EADDRINUSE`, if the emulator cannot use the port.
 */
export async function startBipsyncEmulator(given: BipsyncEmulatorOptions = {}): Promise<BipsyncEmulator> {
  const options = ownOptions(given);
  const { clientId = randomBytes(12).toString('hex'), teamId = randomBytes(12).toString('hex') } = options;
  const { scopes = [...graphqlScopes, ...restScopes], record = false, onRequest } = options;
  const teamScope = `team_${teamId}`;
  const tokens = issuedTokens();
  const answerApi = emulatedApi();
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
      const { expiresIn, narrowsScopes, tokenDelayMs } = emulator;
      const issue = (granted: ReadonlySet<string>): string => tokens.issue(granted, expiresIn);
      const endpoint = { clientId, clientSecret, grantedScopes, narrowsScopes, expiresIn, issue };
      const answer = answerOrFault(response, tokenDelayMs, fault, () =>
        ifPermitted(() => answerTokenRequest(tokenRequest, endpoint)),
      );
      const { encoding, parameters, method } = tokenRequest;
      if (record) tokenLog.push({ encoding, scope: parameters?.get('scope'), status: answer?.status });
      notify(answeredRequest('token', { method, path: tokenPath }, answer));
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
      const answer = answerOrFault(response, emulator.apiDelayMs, fault, () =>
        ifPermitted(() => answerApi(call, teamScope, emulator.challenge)),
      );
      if (record) apiLog.push({ method, path, headers, body, authorization, status: answer?.status });
      notify(answeredRequest('api', call, answer));
    });
  }

  function ifPermitted(answer: () => EmulatorAnswer): EmulatorAnswer {
    return emulator.permitsIpAddress ? answer() : ipNotPermitted;
  }

  function notify(request: AnsweredRequest): void {
    try {
      onRequest?.(request);
    } catch {
      // A log that fails must not stop the server.
    }
  }

  const emulator: BipsyncEmulator = {
    url: await listen(server, options.port ?? 0),
    clientId,
    teamId,
    expiresIn: options.expiresIn ?? 3600,
    tokenDelayMs: options.tokenDelayMs ?? 0,
    apiDelayMs: options.apiDelayMs ?? 0,
    challenge: options.challenge ?? 'none',
    narrowsScopes: options.narrowsScopes ?? false,
    permitsIpAddress: options.permitsIpAddress ?? true,
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
