import type { IncomingMessage } from 'node:http';

import { oauthError } from './answers';
import type { EmulatorAnswer } from './answers';
import type { JsonValue } from './json';

/** A token request as far as it could be read; without `parameters` it could not. */
interface TokenRequest {
  method: string;
  encoding: 'form' | 'json' | undefined;
  parameters: ReadonlyMap<string, string> | undefined;
}

/** What the token endpoint knows and can do. */
interface TokenEndpoint {
  clientId: string;
  clientSecret: string;
  grantedScopes: ReadonlySet<string>;
  narrowsScopes: boolean;
  expiresIn: JsonValue | undefined;
  issue(scopes: ReadonlySet<string>): string;
}

/** RFC 6749 §3.3: https://www.rfc-editor.org/rfc/rfc6749#section-3.3 */
const scopeSyntax = /^[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*$/;

/** RFC 6749 §5.1 asks for both, on every answer that may hold a token. */
const notCached = { 'Cache-Control': 'no-store', Pragma: 'no-cache' };

/** answerTokenRequest is the client credentials grant: https://www.rfc-editor.org/rfc/rfc6749#section-4.4 */
export function answerTokenRequest(request: TokenRequest, endpoint: TokenEndpoint): EmulatorAnswer {
  const { method, parameters } = request;
  if (method !== 'POST') return refusal('invalid_request', 'Send a POST request.', 405, { Allow: 'POST' });
  if (!parameters) {
    const rule =
      'Send a form, or a JSON object whose values are strings. Set the matching Content-Type, and send each parameter once.';
    return refusal('invalid_request', rule);
  }
  const grantType = parameters.get('grant_type');
  if (!grantType) return refusal('invalid_request', 'grant_type is missing.');
  if (grantType !== 'client_credentials') {
    return refusal('unsupported_grant_type', 'grant_type must be client_credentials.');
  }
  const isClient =
    parameters.get('client_id') === endpoint.clientId &&
    parameters.get('client_secret') === endpoint.clientSecret;
  if (!isClient) return refusal('invalid_client', undefined, 401);

  // RFC 6749 §3.1: a parameter without a value counts as omitted.
  const scope = parameters.get('scope') ?? '';
  if (scope !== '' && !scopeSyntax.test(scope)) return refusal('invalid_scope', 'scope is malformed.');
  const asked = new Set(scope === '' ? [] : scope.split(' '));
  const granted = new Set([...asked].filter((name) => endpoint.grantedScopes.has(name)));
  const isNarrowed = granted.size < asked.size;
  if (isNarrowed && !(endpoint.narrowsScopes && granted.size > 0)) {
    const refused = [...asked].find((name) => !granted.has(name));
    return refusal('invalid_scope', `The client may not ask for this scope: ${String(refused)}`);
  }
  const { expiresIn } = endpoint;
  const body = {
    token_type: 'bearer',
    ...(expiresIn !== undefined && { expires_in: expiresIn }),
    access_token: endpoint.issue(granted),
    // RFC 6749 §5.1: required where it differs from the scope asked for.
    ...(isNarrowed && { scope: [...granted].join(' ') }),
  };
  return { status: 200, headers: notCached, body };
}

const descriptions = {
  invalid_client: 'The client is unknown, or its secret is wrong.',
  invalid_request: 'The request is malformed.',
  invalid_scope: 'The scope is unknown, malformed or not for this client.',
  unsupported_grant_type: 'The server does not support this grant type.',
};

/** RFC 6749 §5.2: https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
function refusal(
  error: keyof typeof descriptions,
  hint: string | undefined,
  status = 400,
  headers: Record<string, string> = {},
): EmulatorAnswer {
  return {
    status,
    headers: { ...notCached, ...headers },
    body: oauthError(error, descriptions[error], hint),
  };
}

export function readTokenRequest(request: IncomingMessage, body: Buffer): TokenRequest {
  const method = String(request.method);
  const mediaType = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType === 'application/x-www-form-urlencoded') {
    return { method, encoding: 'form', parameters: formParameters(body.toString()) };
  }
  if (mediaType === 'application/json') {
    return { method, encoding: 'json', parameters: jsonParameters(body.toString()) };
  }
  return { method, encoding: undefined, parameters: undefined };
}

function formParameters(text: string): Map<string, string> | undefined {
  const pairs = [...new URLSearchParams(text)];
  const parameters = new Map(pairs);
  return parameters.size === pairs.length ? parameters : undefined;
}

function jsonParameters(text: string): Map<string, string> | undefined {
  try {
    const pairs = Object.entries(JSON.parse(text) as Record<string, string>);
    if (pairs.every(([, value]) => typeof value === 'string')) return new Map(pairs);
  } catch {
    // Not JSON, or JSON without members.
  }
  return undefined;
}
