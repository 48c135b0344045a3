import type { AxiosInstance, AxiosResponse } from 'axios';

import { isBipsyncAuthError } from '../index';
import { failed, passed, type Step } from './steps';

/** What one read-only request told. */
export interface Probe {
  step: Step;
  /** How far this machine's clock is ahead of the server's, where the answer says. */
  clockAheadMs?: number;
}

interface Call {
  method: 'GET' | 'POST';
  url: string;
  data?: object;
}

/** probeApi makes one request that reads, of a kind the scopes should allow. */
export async function probeApi(api: AxiosInstance, scopes: readonly string[]): Promise<Probe> {
  const call = chooseCall(scopes);
  const request = `${call.method} ${call.url}`;
  const startedAt = performance.now();
  try {
    const response = await api.request<{ destroy(): void }>(call);
    response.data.destroy();
    const ms = Math.round(performance.now() - startedAt);
    const date = Date.parse(String(response.headers['date']));
    return {
      step: readAnswer(response, `${request}: ${response.status} in ${ms} ms`, scopes),
      ...(!Number.isNaN(date) && { clockAheadMs: Date.now() - date }),
    };
  } catch (error) {
    const { code = 'unknown error' } = error as { code?: string };
    const detail = isBipsyncAuthError(error) ? error.message : `${request}: no answer (${code})`;
    const hint = 'The token came, but the API did not answer. Check firewall and proxy, then try again.';
    return { step: failed('api', detail, hint) };
  }
}

/** Any GraphQL scope opens the one path that is sure to exist; on a REST path even a 404 tells that the token is good. */
function chooseCall(scopes: readonly string[]): Call {
  const isGraphql = scopes.some((scope) => /^(?!rest_api:)[a-z_]+:read$/.test(scope));
  if (isGraphql) return { method: 'POST', url: '/v1/graphql', data: { query: '{ __typename }' } };
  const isFieldsAlone = scopes.includes('rest_api:fields:read') && !scopes.includes('rest_api:read');
  return { method: 'GET', url: isFieldsAlone ? '/v1/fields' : '/v1/research' };
}

function readAnswer({ status, headers }: AxiosResponse, detail: string, scopes: readonly string[]): Step {
  if (status === 401) {
    return failed(
      'api',
      detail,
      `The API refuses a new token. Either it lacks a scope that this path needs (asked for: ${scopes.join(' ')}), ` +
        'or BIPSYNC_TEAM_ID is not a team of this client.',
    );
  }
  if (status === 403) return failed('api', detail, ipHint);
  if (status === 429) return failed('api', detail, 'The rate limit is used up. Try again in a few minutes.');
  if (status >= 500) return failed('api', detail, "The fault is on Bipsync's side. Try again later.");
  if (status >= 300 && status < 400) {
    return failed('api', detail, 'The API does not redirect: check BIPSYNC_CLIENT or BIPSYNC_BASE_URL.');
  }
  if (status < 300 && String(headers['content-type']).includes('html')) {
    return failed(
      'api',
      `${detail}, a web page`,
      'This is not the API: check BIPSYNC_BASE_URL, and that no gateway or login page answers in its place.',
    );
  }
  return passed('api', status < 300 ? detail : `${detail}, which means that the token was accepted`);
}

export const ipHint =
  "Have this machine's public IP address permitted in Bipsync: behind NAT, a VPN or a proxy, that is theirs.";
