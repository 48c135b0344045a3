import type { AxiosInstance, AxiosResponse } from 'axios';

import { type BipsyncAuthError, isBipsyncAuthError } from '../index';
import { parseHttpDate } from '../values';
import { assumed, describeDuration, failed, passed, type Step } from './steps';

/** What one read-only request showed. */
interface Probe {
  step: Step;
  /** How far this machine's clock is ahead of the server's, if the answer has a date. */
  clockAheadMs?: number;
}

interface Call {
  method: 'GET' | 'POST';
  url: string;
  data?: object;
  /** The scope that is assumed to give access to the path. */
  scope: string;
}

type Answer = AxiosResponse<{ destroy?(): void } | undefined>;

/** What axios rejects with. */
interface Failure {
  response?: Answer;
  code?: string;
  cause?: unknown;
}

/** probeApi makes one request that only reads, of a kind that the granted scopes should allow. */
export async function probeApi(api: AxiosInstance, scopes: readonly string[]): Promise<Probe> {
  const call = chooseCall(scopes);
  if (!call) {
    const hint = 'With the granted scopes, no data can be read, so no request was sent to the API.';
    return { step: passed('api', 'not asked', hint) };
  }
  const { scope, ...request } = call;
  const name = `${call.method} ${call.url}`;
  const startedAt = performance.now();
  try {
    return readAnswer(await api.request(request), undefined);
  } catch (error) {
    const { response, code = 'unknown error', cause } = error as Failure;
    if (response) return readAnswer(response, cause);
    if (isBipsyncAuthError(error)) return { step: failed('api', error.message) };
    const hint = 'A token was obtained, but the API did not answer. Check the firewall and the proxy.';
    return { step: failed('api', `${name}: no answer (${code})`, hint) };
  }

  function readAnswer(response: Answer, cause: unknown): Probe {
    response.data?.destroy?.();
    const ms = Math.round(performance.now() - startedAt);
    const date = parseHttpDate(response.headers['date']);
    return {
      step: judge(response, cause, `${name}: ${response.status} in ${ms} ms`, scope),
      ...(date !== undefined && { clockAheadMs: Date.now() - date }),
    };
  }
}

/** Paths of the examples in Bipsync's docs; none that writes. */
function chooseCall(scopes: readonly string[]): Call | undefined {
  const graphqlScope = scopes.find((scope) => /^(?!rest_api:)[a-z_]+:read$/.test(scope));
  if (graphqlScope !== undefined) {
    return { method: 'POST', url: '/v1/graphql', data: { query: '{ __typename }' }, scope: graphqlScope };
  }
  const paths = { 'rest_api:read': '/v1/research', 'rest_api:fields:read': '/v1/field' };
  const opened = Object.entries(paths).find(([scope]) => scopes.includes(scope));
  return opened && { method: 'GET', url: opened[1], scope: opened[0] };
}

function judge(response: Answer, cause: unknown, detail: string, scope: string): Step {
  const { status, headers } = response;
  // The library knows who has answered, if it was not the API.
  const reason = isBipsyncAuthError(cause) ? cause : undefined;
  if (reason?.code === 'ERR_BIPSYNC_PROXY') return failed('api', reason.message);
  if (status < 300) {
    if (/\bjson\b/.test(String(headers['content-type']))) return passed('api', detail);
    return failed(
      'api',
      `${detail}, and not JSON`,
      'This is not the API. Check BIPSYNC_BASE_URL, and whether a gateway or login page answers instead.',
    );
  }
  return failed('api', detail, hintOn(response, reason, scope));
}

function hintOn(response: Answer, cause: BipsyncAuthError | undefined, scope: string): string {
  const { status } = response;
  const reason = cause?.message ?? '';
  const opens = assumed(`the scope ${scope} gives access to this path.`);
  if (status < 400) return 'The API does not redirect. Check BIPSYNC_CLIENT or BIPSYNC_BASE_URL.';
  if (status === 401 || cause?.code === 'ERR_BIPSYNC_ACCESS_DENIED') {
    return `${reason} Check BIPSYNC_SCOPES and BIPSYNC_TEAM_ID. ${opens}`.trim();
  }
  if (status === 403) return `${reason} ${addressHint}`.trim();
  if (status === 404) {
    return (
      'This path was not found. Check BIPSYNC_CLIENT or BIPSYNC_BASE_URL, and whether a gateway answers instead. ' +
      assumed('every tenant has this path, because the docs use it in examples.')
    );
  }
  if (status === 429) return `The rate limit is reached. ${tryAgain(response)}`;
  if (status >= 500) return `Bipsync, or a gateway in front of it, failed. ${tryAgain(response)}`;
  return `The API did not accept this request, so the token was not tested. ${opens}`;
}

/** `Retry-After` is a number of seconds, or a date by the server's clock (RFC 9110 §10.2.3). */
function tryAgain({ headers }: Answer): string {
  const value = String(headers['retry-after']);
  const [until = Number.NaN, now = Number.NaN] = [value, headers['date']].map(parseHttpDate);
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : until - now;
  return ms > 0 ? `Try again in ${describeDuration(ms)}.` : 'Try again later.';
}

export const addressHint =
  'Behind NAT, a VPN or a proxy, the public IP address is the one of the NAT, VPN or proxy.';
