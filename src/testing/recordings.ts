import type { IncomingHttpHeaders } from 'node:http';

import type { EmulatorAnswer } from './answers';

/** One API request, without its token. */
export interface RecordedApiRequest {
  method: string;
  /** Path and query, as sent. */
  path: string;
  /** Every header except `authorization`. */
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** `valid`: a token that the emulator issued, even if a scope is missing. `refused`: any other header. `none`: no header. */
  authorization: 'none' | 'valid' | 'refused';
  /** The status of the answer. `undefined` after `'reset'` and `'stall'`. */
  status: number | undefined;
}

/** One token request, without its credentials. */
export interface RecordedTokenRequest {
  /** The body's encoding. `undefined` for any other content type. */
  encoding: 'form' | 'json' | undefined;
  /** The `scope` that was asked for. */
  scope: string | undefined;
  /** The status of the answer. `undefined` after `'reset'` and `'stall'`. */
  status: number | undefined;
}

/** One request, for a log line. It contains no token, no secret, no query and no body. */
export interface AnsweredRequest {
  /** `token` for requests to `/v1/oauth/token`, `api` for all others. */
  endpoint: 'token' | 'api';
  method: string;
  /** The path without the query. A part of more than 40 characters could be a token, so it is shown as `…`. */
  path: string;
  /** As in {@link RecordedApiRequest}. `undefined` for a token request. */
  authorization: RecordedApiRequest['authorization'] | undefined;
  /** The status of the answer. `undefined` after `'reset'` and `'stall'`. */
  status: number | undefined;
  /** The answer's `error` code, for example `access_denied` or `invalid_scope`, if it has one. */
  error: string | undefined;
}

/** answeredRequest says what became of a request in a few words that a log may hold. */
export function answeredRequest(
  endpoint: AnsweredRequest['endpoint'],
  {
    method,
    path,
    authorization,
  }: { method: string; path: string; authorization?: AnsweredRequest['authorization'] },
  answer: EmulatorAnswer | undefined,
): AnsweredRequest {
  const body = answer?.body;
  const error = typeof body === 'object' && body !== null && 'error' in body ? body['error'] : undefined;
  return {
    endpoint,
    method,
    path: String(path.split('?', 1)[0]).replace(/[^/]{41,}/g, '…'),
    authorization,
    status: answer?.status,
    error: typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? error : undefined,
  };
}
