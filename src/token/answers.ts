import { BipsyncAuthError, type BipsyncAuthErrorCode } from '../errors';
import { isScopeToken } from '../options/scopes';
import { isQuoted } from '../options/secret';
import { asRecord } from '../values';
import { createQuotable, looksLikeCode, type SentParameters } from './quotable';
import { isAccessToken, MAX_LIFETIME_MS } from './token';

/** Answer is what the token endpoint, or something in its place, answered. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterMs: number | undefined;
}

/** What a successful answer holds. */
export interface TokenResponse {
  readonly accessToken: string;
  /** Zero or less: the token serves the requests that wait for it, and is not kept. */
  readonly lifetimeMs: number;
  /** The granted scopes, if the server says them. */
  readonly scopes: readonly string[] | undefined;
}

const DEFAULT_LIFETIME_S = 3600;
const MAX_SCOPE_LENGTH = 4096;

/**
 * readToken reads a successful answer, {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.1 RFC 6749 §5.1}.
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_TOKEN_RESPONSE` if it is not a usable bearer token.
 */
export function readToken({ body }: Answer, sent: SentParameters, subject: string): TokenResponse {
  const { access_token: accessToken, token_type: type, expires_in: expiresIn, scope } = asRecord(body);
  if (!isAccessToken(accessToken)) throw unusable(subject, 'access_token');
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') throw unusable(subject, 'token_type');
  const seconds = asSeconds(expiresIn ?? DEFAULT_LIFETIME_S);
  if (Number.isNaN(seconds)) throw unusable(subject, 'expires_in');
  return {
    accessToken,
    lifetimeMs: Math.min(seconds * 1000, MAX_LIFETIME_MS),
    scopes: readScopes(scope)?.filter(isShowable(sent)),
  };
}

/** A server could put anything into `scope`, and scopes are shown. */
function isShowable(sent: SentParameters): (scope: string) => boolean {
  const quotable = createQuotable(sent);
  return (scope) => sent.scopes.includes(scope) || quotable(scope) !== undefined;
}

/** readScopes reads a `scope` value. Anything that does not look like one counts as absent. */
export function readScopes(scope: unknown): readonly string[] | undefined {
  if (typeof scope !== 'string' || scope.length > MAX_SCOPE_LENGTH) return undefined;
  const scopes = scope.split(' ').filter(isScopeToken);
  return scopes.length > 0 ? [...new Set(scopes)].sort() : undefined;
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
    `${subject} answered 200 without a valid ${member}. Check the URL, and whether a gateway, login page or mock answers there.`,
    { tokenEndpointStatus: 200 },
  );
}

/**
 * readRefusal makes the error of any other answer: an error response of
 * {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.2 RFC 6749 §5.2}, with the `hint` or `message` that
 * thephpleague/oauth2-server adds, or problem details of {@link https://www.rfc-editor.org/rfc/rfc9457 RFC 9457}.
 */
export function readRefusal(answer: Answer, sent: SentParameters, subject: string): BipsyncAuthError {
  const { status, body, retryAfterMs } = answer;
  const { error, error_description: description, message, hint, title, detail } = asRecord(body);
  // As API gateways write an error.
  const { message: nested } = asRecord(error);
  const quotable = createQuotable(sent);
  const oauthError = looksLikeCode(error) ? quotable(error) : undefined;
  const words = [description, message, hint, title, detail, nested]
    .map(quotable)
    .filter((said) => said !== undefined);
  const oauthErrorDescription = [...new Set(words)].join(' ') || undefined;
  const [code, advice] = meaningOf(status, error, sent);
  const said = [oauthError, oauthErrorDescription].filter((part) => part !== undefined).join(': ');
  return new BipsyncAuthError(code, `${subject} answered ${status}${said && ` (${said})`}. ${advice}`, {
    tokenEndpointStatus: status,
    oauthError,
    oauthErrorDescription,
    retryAfterMs,
  });
}

/** isTransient tells an HTTP status after which another try makes sense. */
function isTransient(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

function meaningOf(status: number, error: unknown, sent: SentParameters): [BipsyncAuthErrorCode, string] {
  if (isTransient(status)) {
    const state = status === 429 ? 'It limits the rate of requests' : 'It cannot answer at the moment';
    return ['ERR_BIPSYNC_TOKEN_UNAVAILABLE', `${state}. Try again later.`];
  }
  if (error === 'invalid_scope') {
    return ['ERR_BIPSYNC_SCOPE', 'Check that teamId and scopes were granted to the client.'];
  }
  if (error === 'invalid_client' || error === 'unauthorized_client' || status === 401) {
    // The API answers this to a request without a token, so tokenUrl points to the API and not to the token endpoint.
    const advice =
      error === 'access_denied'
        ? 'This looks like the API, not a token endpoint. Check client, baseURL and tokenUrl.'
        : 'Check that clientId and clientSecret are correct and belong to this tenant.';
    return ['ERR_BIPSYNC_CREDENTIALS', [advice, ...oddities(sent)].join(' ')];
  }
  if (status === 403) {
    return ['ERR_BIPSYNC_IP_NOT_ALLOWED', ADDRESS_ADVICE];
  }
  if (status >= 300 && status < 400) return ['ERR_BIPSYNC_TOKEN_REQUEST', REDIRECT_ADVICE];
  return ['ERR_BIPSYNC_TOKEN_REQUEST', 'Check client, baseURL, tokenUrl and tokenEncoding.'];
}

export const ADDRESS_ADVICE =
  'Bipsync answers 403 to IP addresses that are not permitted. Ask your Bipsync administrator to permit the public IP ' +
  'address of this machine.';

export const REDIRECT_ADVICE = 'Token requests do not follow redirects. Check client, baseURL and tokenUrl.';

/** What often goes wrong with credentials on their way into a configuration, in words that contain nothing of them. */
function oddities({ secret, clientId }: SentParameters): string[] {
  const found: string[] = [];
  if (secret !== secret.trim()) found.push('The secret begins or ends with white space.');
  if (clientId !== clientId.trim()) found.push('The client id begins or ends with white space.');
  if (isQuoted(secret)) found.push('The secret is in quotes. Remove the quotes.');
  if (/^\s*[{[]/.test(secret)) found.push('The secret looks like JSON. Pass only the secret.');
  if (isImpossible(secret)) found.push(`The secret ${impossible('secret')}`);
  if (isImpossible(clientId)) found.push(`The client id ${impossible('client id')}`);
  if (secret === clientId) found.push('The secret and the client id are the same.');
  return found;
}

/** {@link https://www.rfc-editor.org/rfc/rfc6749#appendix-A RFC 6749 appendix A}: both are printable ASCII. */
const isImpossible = (value: string): boolean => /[^\x20-\x7e]/.test(value);

const impossible = (what: string): string =>
  `contains a character that no ${what} can contain, for example a letter with an accent or an invisible character.`;
