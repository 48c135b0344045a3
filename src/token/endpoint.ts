import axios, { type AxiosRequestConfig } from 'axios';

import { refuseClearProxy } from '../axios/proxies';
import { isLoopback } from '../options/config';
import { BipsyncAuthError, type BipsyncAuthErrorCode } from '../errors';
import { readResponseHeader } from '../axios/headers';
import { asRecord, parseJson } from '../values';

/** How the instance reaches the network; everything else about it stays away from the secret. */
export type Transport = Pick<
  AxiosRequestConfig,
  'adapter' | 'env' | 'httpAgent' | 'httpsAgent' | 'proxy' | 'lookup' | 'family' | 'fetchOptions'
>;

/** Where and as whom tokens are requested. */
export interface TokenEndpoint {
  tokenUrl: URL;
  clientId: string;
  /** Default `form`. */
  tokenEncoding: 'form' | 'json' | undefined;
  /** Read at the moment of a request, so that a mock or an agent set after installation counts. */
  transport: () => Transport;
}

/** What a token request yields. */
export interface TokenResponse {
  accessToken: string;
  /** Zero or less: the token serves those who wait for it and is not kept. */
  lifetimeMs: number;
}

const MAX_RESPONSE_BYTES = 100_000;
const DEFAULT_LIFETIME_S = 3600;
const MAX_LIFETIME_S = 86_400;
const MAX_DESCRIPTION_LENGTH = 300;
const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#039;',
};

/**
 * requestToken makes one access token request
 * ({@link https://www.rfc-editor.org/rfc/rfc6749#section-4.4.2 RFC 6749 §4.4.2}), with the client's credentials in the
 * body as Bipsync has them (§2.3.1).
 *
 * @throws BipsyncAuthError saying what the answer means; its `code` tells whether another try makes sense.
 */
export async function requestToken(
  endpoint: TokenEndpoint,
  secret: string,
  scopes: readonly string[],
  signal: AbortSignal,
): Promise<TokenResponse> {
  const parameters = {
    grant_type: 'client_credentials',
    client_id: endpoint.clientId,
    client_secret: secret,
    scope: scopes.join(' '),
  };
  const { origin, pathname } = endpoint.tokenUrl;
  // Its query is nobody's business.
  const subject = `The token endpoint ${origin}${pathname}`;
  const answer = await post(endpoint, parameters, signal, subject);
  if (answer.status === 200) return readToken(answer.body, subject);
  throw readRefusal(answer, secret, subject);
}

/** isRefusal tells an answer that another try would not change from a failure that may pass. */
export function isRefusal({ code }: BipsyncAuthError): boolean {
  return (
    code === 'ERR_BIPSYNC_CREDENTIALS' ||
    code === 'ERR_BIPSYNC_SCOPE' ||
    code === 'ERR_BIPSYNC_IP_NOT_ALLOWED' ||
    code === 'ERR_BIPSYNC_TOKEN_REQUEST'
  );
}

interface Answer {
  status: number;
  body: unknown;
  retryAfterMs: number | undefined;
}

async function post(
  endpoint: TokenEndpoint,
  parameters: Record<string, string>,
  signal: AbortSignal,
  subject: string,
): Promise<Answer> {
  const { tokenUrl, tokenEncoding } = endpoint;
  const { fetchOptions, ...transport } = endpoint.transport();
  if (isLoopback(tokenUrl.hostname)) transport.proxy = false;
  refuseClearProxy({ url: tokenUrl.href, proxy: transport.proxy }, transport.adapter);
  const isJson = tokenEncoding === 'json';
  const dispatcher: unknown = fetchOptions && Reflect.get(fetchOptions, 'dispatcher');
  try {
    // A bare Axios: no default, interceptor or transform of anybody's sees the secret or touches the answer.
    const response = await new axios.Axios({}).request<unknown>({
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
      responseType: 'stream',
      validateStatus: () => true,
      signal,
    });
    return {
      status: response.status,
      body: parseJson(await readText(response.data)),
      retryAfterMs: parseRetryAfter(readResponseHeader(response, 'retry-after')),
    };
  } catch (error) {
    throw readFailure(error, tokenUrl, subject);
  }
}

/** Streams are read up to the bound, beyond which there is no answer. What a mock gives is taken as it is. */
async function readText(data: unknown): Promise<unknown> {
  if (!isChunks(data)) return data instanceof Uint8Array ? new TextDecoder().decode(data) : data;
  const decoder = new TextDecoder();
  let size = 0;
  let text = '';
  for await (const chunk of data) {
    const bytes = typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk;
    size += bytes.byteLength;
    if (size > MAX_RESPONSE_BYTES) return undefined;
    text += decoder.decode(bytes, { stream: true });
  }
  return text + decoder.decode();
}

function isChunks(data: unknown): data is AsyncIterable<Uint8Array | string> {
  return Symbol.asyncIterator in asRecord(data);
}

/** b64token of {@link https://www.rfc-editor.org/rfc/rfc6750#section-2.1 RFC 6750 §2.1}. */
const bearerToken = /^[A-Za-z\d\-._~+/]+=*$/;

/** isAccessToken tells whether `value` can be sent as a bearer token. */
export function isAccessToken(value: unknown): value is string {
  return typeof value === 'string' && bearerToken.test(value);
}

/** Successful response, {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.1 RFC 6749 §5.1}. */
function readToken(body: unknown, subject: string): TokenResponse {
  const { access_token: accessToken, token_type: type, expires_in: expiresIn } = asRecord(body);
  if (!isAccessToken(accessToken)) throw unusable(subject, 'access_token');
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') throw unusable(subject, 'token_type');
  const seconds = asSeconds(expiresIn ?? DEFAULT_LIFETIME_S);
  if (Number.isNaN(seconds)) throw unusable(subject, 'expires_in');
  return { accessToken, lifetimeMs: Math.min(seconds, MAX_LIFETIME_S) * 1000 };
}

/** A number, or a string that is one. */
function asSeconds(value: unknown): number {
  return typeof value === 'number' || (typeof value === 'string' && value.trim() !== '')
    ? Number(value)
    : Number.NaN;
}

function unusable(subject: string, member: string): BipsyncAuthError {
  return new BipsyncAuthError(
    'ERR_BIPSYNC_TOKEN_RESPONSE',
    `${subject} answered 200 without a valid ${member}. Check that it is the token endpoint, and that no gateway answers ` +
      'in its place.',
    { status: 200 },
  );
}

/** Error response, {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.2 RFC 6749 §5.2}, or Bipsync's own form. */
function readRefusal(
  { status, body, retryAfterMs }: Answer,
  secret: string,
  subject: string,
): BipsyncAuthError {
  const { error, error_description, message, hint } = asRecord(body);
  const oauthError = printable([error], secret);
  const oauthErrorDescription = printable(
    error_description === undefined ? [message, hint] : [error_description],
    secret,
  );
  const [code, advice] = meaningOf(status, error);
  const said = [oauthError, oauthErrorDescription].filter(Boolean).join(': ');
  return new BipsyncAuthError(code, `${subject} answered ${status}${said && ` (${said})`}. ${advice}`, {
    status,
    oauthError: oauthError || undefined,
    oauthErrorDescription: oauthErrorDescription || undefined,
    retryAfterMs,
  });
}

function meaningOf(status: number, error: unknown): [BipsyncAuthErrorCode, string] {
  if (status === 429 || status >= 500) {
    return ['ERR_BIPSYNC_TOKEN_UNAVAILABLE', 'It is overloaded or out of order; try again later.'];
  }
  if (error === 'invalid_scope') {
    return ['ERR_BIPSYNC_SCOPE', 'Check teamId and scopes against what the client was granted.'];
  }
  if (error === 'invalid_client' || error === 'unauthorized_client' || status === 401) {
    return [
      'ERR_BIPSYNC_CREDENTIALS',
      'Check clientId and clientSecret, and that they belong to this tenant.',
    ];
  }
  if (status === 403) {
    return ['ERR_BIPSYNC_IP_NOT_ALLOWED', "Have this machine's public IP address permitted in Bipsync."];
  }
  if (status >= 300 && status < 400) {
    return [
      'ERR_BIPSYNC_TOKEN_REQUEST',
      'Redirects are not followed with a secret: check client, baseURL and tokenUrl.',
    ];
  }
  return ['ERR_BIPSYNC_TOKEN_REQUEST', 'Check client, baseURL or tokenUrl, and tokenEncoding.'];
}

/** A server may echo what it was sent; what it says is shown shortened, on one line and without the secret. */
function printable(said: unknown[], secret: string): string {
  return [...echoesOf(secret), ...echoesOf(secret.trim())]
    .reduce(
      (text, echo) => text.replaceAll(echo, '[secret]'),
      said.filter((part) => typeof part === 'string').join(' '),
    )
    .replace(/[^\x20-\x7e\u00a0-\ud7ff\uf900-\ufffd]+/g, ' ')
    .slice(0, MAX_DESCRIPTION_LENGTH);
}

/** What a text may look like in an answer: as it is, or as a form, a URL, JSON or HTML has it. */
function echoesOf(text: string): string[] {
  // As it went over the wire: half a surrogate pair cannot be encoded.
  const sent = Buffer.from(text).toString();
  const encoded = [new URLSearchParams([['', sent]]).toString().slice(1), encodeURIComponent(sent)];
  return [
    text,
    sent,
    ...encoded,
    ...encoded.map((url) => url.replace(/%../g, (byte) => byte.toLowerCase())),
    JSON.stringify(text).slice(1, -1),
    text.replace(/[&<>"']/g, (char) => HTML_ESCAPES[char] as string),
  ];
}

/** What axios throws holds the secret, so nothing of it is passed on but a system error code. */
function readFailure(error: unknown, { hostname }: URL, subject: string): BipsyncAuthError {
  const causes = causesOf(error);
  // Each runtime's fetch has words of its own for it; others name the host.
  if (causes.some(({ message }) => /redirect/i.test(String(message).replaceAll(hostname, '')))) {
    return new BipsyncAuthError(
      'ERR_BIPSYNC_TOKEN_REQUEST',
      `${subject} answered with a redirect. Redirects are not followed with a secret: check client, baseURL and tokenUrl.`,
    );
  }
  const code = causes
    .map((cause) => String(cause['code']))
    .filter((candidate) => /^[A-Z][A-Z\d_]{1,60}$/.test(candidate))
    .at(-1);
  return new BipsyncAuthError(
    'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
    `${subject} could not be reached${code === undefined ? '' : ` (${code})`}. Check that it is the right one, and the ` +
      'network, DNS, TLS certificates and proxy settings between this machine and it.',
  );
}

function causesOf(error: unknown): Readonly<Record<string, unknown>>[] {
  const causes = [asRecord(error)];
  while (causes.length < 5) causes.push(asRecord(causes.at(-1)?.['cause']));
  return causes;
}

/** Milliseconds of a Retry-After header, {@link https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 RFC 9110 §10.2.3}. */
function parseRetryAfter(header: unknown): number | undefined {
  const value = String(header);
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = /^[A-Za-z]{3,9},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
