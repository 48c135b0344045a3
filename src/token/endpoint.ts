import http, { type ClientRequest } from 'node:http';
import https from 'node:https';
import { URLSearchParams } from 'node:url';

import type { AxiosRequestConfig, AxiosResponse } from 'axios';

import { isUnmatchedMock } from '../axios/adapters';
import { pollutedOption } from '../axios/destination';
import { readResponseHeader } from '../axios/headers';
import { directAgent, isProxyAnswer, proxyOf } from '../axios/proxies';
import type { RiskOf } from '../axios/risks';
import { BipsyncAuthError } from '../errors';
import { asRecord, parseHttpDate, parseJson } from '../values';
import { type Answer, readRefusal, readToken, type TokenResponse } from './answers';
import { proxyRefusal, readFailure, unmatchedMock, unreadableBody, WasReset } from './failures';
import type { SentParameters } from './quotable';
import { bareAxiosFor, type Transport, type TransportInstance, transportOf } from './transport';

/** Where and as whom tokens are requested, and through which instance. */
export interface TokenEndpoint {
  readonly tokenUrl: URL;
  readonly clientId: string;
  readonly tokenEncoding: 'form' | 'json';
  readonly instance: TransportInstance;
  readonly riskOf: RiskOf;
}

/** One attempt. */
interface Attempt extends SentParameters {
  /** Ends the attempt, because the acquisition is over. */
  readonly signal: AbortSignal;
  /** How long an attempt on a reused connection may take, in milliseconds: such a connection may have gone silent. */
  readonly reusedConnectionMs: number;
}

const MAX_RESPONSE_BYTES = 100_000;
const MAX_RESETS = 10;

/**
 * requestToken makes one access token request
 * ({@link https://www.rfc-editor.org/rfc/rfc6749#section-4.4.2 RFC 6749 §4.4.2}), with the client's credentials in the
 * body as Bipsync has them (§2.3.1).
 *
 * @throws BipsyncAuthError that says what the answer means. Its `code` tells whether another try makes sense.
 */
export async function requestToken(endpoint: TokenEndpoint, attempt: Attempt): Promise<TokenResponse> {
  const { origin, pathname } = endpoint.tokenUrl;
  // The query is left out: it may hold anything.
  const subject = `The token endpoint ${origin}${pathname}`;
  const answer = await post(endpoint, attempt, subject);
  if (answer.status === 200) return readToken(answer, attempt, subject);
  throw readRefusal(answer, attempt, subject);
}

/**
 * A keep-alive connection that the server has closed meanwhile answers with a reset. That says nothing about the server,
 * so the request is sent again at once; the pool may hold several such connections.
 */
async function post(endpoint: TokenEndpoint, attempt: Attempt, subject: string): Promise<Answer> {
  for (let resets = 0; ; resets += 1) {
    try {
      return await postOnce(endpoint, attempt, subject);
    } catch (failure) {
      if (!(failure instanceof WasReset)) throw failure;
      if (resets >= MAX_RESETS || attempt.signal.aborted) throw failure.error;
    }
  }
}

async function postOnce(endpoint: TokenEndpoint, attempt: Attempt, subject: string): Promise<Answer> {
  const { tokenUrl, instance, riskOf } = endpoint;
  const transport = transportOf(instance);
  if (tokenUrl.protocol === 'http:') {
    Object.assign(transport, { proxy: false, httpAgent: directAgent(transport.httpAgent) });
  }
  const { adapter, dispatcher } = transport;
  const risk = riskOf(tokenUrl.origin, { adapter, config: { ...transport, fetchOptions: { dispatcher } } });
  if (risk !== undefined)
    throw new BipsyncAuthError('ERR_BIPSYNC_CONFIG', `No token was requested: ${risk}.`);

  const polluted = pollutedOption();
  if (polluted !== undefined) {
    const message = `No token was requested: Object.prototype has a property "${polluted}", which axios or Node could read as an option.`;
    throw new BipsyncAuthError('ERR_BIPSYNC_CONFIG', `${message} Find the code that adds this property.`);
  }

  const connection = watchConnection(attempt);
  try {
    const bare = bareAxiosFor(instance, adapter);
    const response = await bare.request(configOf(endpoint, attempt, transport, connection)).catch(responseIn);
    const body = await readBody(response, attempt, subject);
    if (typeof adapter === 'function' && isUnmatchedMock(response)) throw unmatchedMock(subject);
    if (isProxyAnswer(response.request, tokenUrl.origin)) {
      throw proxyRefusal(response.status, proxyOf(tokenUrl.origin, transport), tokenUrl.hostname);
    }
    const header = (name: string): unknown => readResponseHeader(response.headers, name);
    return {
      status: response.status,
      body,
      retryAfterMs: parseRetryAfter(header('retry-after'), header('date')),
    };
  } catch (error) {
    throw readFailure(error, {
      subject,
      hostname: tokenUrl.hostname,
      proxy: proxyOf(tokenUrl.origin, transport),
      wasReused: connection.wasReused(),
    });
  } finally {
    connection.end();
  }
}

function configOf(
  { tokenUrl, tokenEncoding, clientId }: TokenEndpoint,
  { secret, scopes, signal }: Attempt,
  { dispatcher, ...transport }: Transport,
  connection: Connection,
): AxiosRequestConfig {
  const parameters = {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: secret,
    scope: scopes.join(' '),
  };
  const isJson = tokenEncoding === 'json';
  return {
    ...transport,
    method: 'post',
    // In two parts, so that a mock matches either the path or the whole URL.
    baseURL: tokenUrl.origin,
    url: tokenUrl.pathname + tokenUrl.search,
    headers: {
      Accept: 'application/json',
      'Content-Type': isJson ? 'application/json' : 'application/x-www-form-urlencoded',
    },
    data: isJson ? JSON.stringify(parameters) : new URLSearchParams(parameters).toString(),
    // A redirected POST would hand the secret to another host.
    maxRedirects: 0,
    fetchOptions: { redirect: 'error', ...(dispatcher ? { dispatcher } : {}) },
    transport: connection.transport,
    responseType: 'stream',
    // Their own, because older versions of axios would look for them on a prototype too.
    transformRequest: [],
    transformResponse: [],
    validateStatus: () => true,
    signal,
  };
}

interface Connection {
  /** The transport that axios would choose itself. It lets the request be seen, which tells whether its socket was reused. */
  transport: { request: typeof http.request };
  wasReused(): boolean;
  end(): void;
}

function watchConnection({ reusedConnectionMs }: Attempt): Connection {
  let request: ClientRequest | undefined;
  const wasReused = (): boolean => request?.reusedSocket === true;
  const timer = setTimeout(() => {
    if (wasReused()) request?.destroy(Object.assign(new Error('silent'), { code: 'ETIMEDOUT' }));
  }, reusedConnectionMs);
  const send = (
    options: http.RequestOptions,
    onResponse?: (response: http.IncomingMessage) => void,
  ): ClientRequest => (request = (options.protocol === 'https:' ? https : http).request(options, onResponse));
  return {
    transport: { request: send as typeof http.request },
    wasReused,
    end: () => clearTimeout(timer),
  };
}

/** A test's adapter may ignore `validateStatus`, and reject with an error that has the answer. */
function responseIn(error: unknown): AxiosResponse<unknown> {
  const { response } = asRecord(error);
  if (typeof asRecord(response)['status'] !== 'number') throw error;
  return response as AxiosResponse<unknown>;
}

/** Only a 200 needs its body: any other status says enough by itself. */
async function readBody(
  { status, data }: AxiosResponse<unknown>,
  { signal }: Attempt,
  subject: string,
): Promise<unknown> {
  try {
    return parseJson(await readText(data));
  } catch (error) {
    if (signal.aborted) throw error;
    if (status === 200) throw unreadableBody(subject, error);
    return undefined;
  }
}

/** Streams are read up to the bound, beyond which there is no answer. What a mock answers is taken as it is. */
async function readText(data: unknown): Promise<unknown> {
  if (!isChunks(data)) {
    const text = ArrayBuffer.isView(data) ? bufferOf(data).toString() : data;
    return typeof text === 'string' && text.length > MAX_RESPONSE_BYTES ? undefined : text;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of data) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : bufferOf(chunk);
    size += bytes.byteLength;
    if (size > MAX_RESPONSE_BYTES) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString();
}

function isChunks(data: unknown): data is AsyncIterable<ArrayBufferView | string> {
  return Symbol.asyncIterator in asRecord(data);
}

const bufferOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/**
 * Milliseconds of a Retry-After header,
 * {@link https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 RFC 9110 §10.2.3}. A date is read against the answer's own
 * `Date`, because this machine's clock may be wrong.
 */
function parseRetryAfter(header: unknown, sentAt: unknown): number | undefined {
  const value = String(header);
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = parseHttpDate(value);
  return date === undefined ? undefined : Math.max(0, date - (parseHttpDate(sentAt) ?? Date.now()));
}
