import type { IncomingHttpHeaders } from 'node:http';

/** One API request, without its token. */
export interface RecordedApiRequest {
  method: string;
  /** Path and query, as sent. */
  path: string;
  /** Every header but `authorization`. */
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** `valid`: a token that is good, even where it lacks a scope; `refused`: anything else in the header. */
  authorization: 'none' | 'valid' | 'refused';
  /** The status answered; `undefined` after `'reset'` and `'stall'`. */
  status: number | undefined;
}

/** One token request, without its credentials. */
export interface RecordedTokenRequest {
  /** The body's encoding; `undefined` for any other content type. */
  encoding: 'form' | 'json' | undefined;
  /** The `scope` asked for. */
  scope: string | undefined;
  /** The status answered; `undefined` after `'reset'` and `'stall'`. */
  status: number | undefined;
}
