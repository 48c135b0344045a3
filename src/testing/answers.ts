import type { ServerResponse } from 'node:http';

import type { JsonValue } from './json';

/** One HTTP answer. A `body` that is a string or bytes is sent unchanged, `undefined` as an empty body, any other value as JSON. */
export interface EmulatorAnswer {
  status: number;
  headers?: Readonly<Record<string, string>> | undefined;
  body?: JsonValue | Uint8Array | undefined;
}

/**
 * oauthError is the body of an OAuth error as league/oauth2-server 8 sends it; only the hint says what is wrong in this
 * one request. Assumed: Bipsync documents no error body, and what it sends looks like this.
 */
export function oauthError(error: string, description: string, hint: string | undefined): JsonValue {
  return {
    error,
    error_description: description,
    ...(hint !== undefined && { hint }),
    message: description,
  };
}

/** Assumed: Bipsync documents the status 403 for such an IP address, but no body. */
export const ipNotPermitted: EmulatorAnswer = {
  status: 403,
  body: { error: 'forbidden', message: 'This IP address is not permitted to use the API.' },
};

/** startAnswer sets status and headers, Content-Length included, and returns the body's bytes for the caller to send. */
export function startAnswer(
  response: ServerResponse,
  { status, headers = {}, body }: EmulatorAnswer,
): Uint8Array {
  const { type, bytes } = encode(body);
  response.statusCode = status;
  if (type !== undefined) response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', bytes.length);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  return bytes;
}

function encode(body: EmulatorAnswer['body']): { type?: string; bytes: Uint8Array } {
  if (body === undefined) return { bytes: new Uint8Array() };
  if (typeof body === 'string') return { type: 'text/plain; charset=utf-8', bytes: Buffer.from(body) };
  if (body instanceof Uint8Array) return { type: 'application/octet-stream', bytes: body };
  return { type: 'application/json', bytes: Buffer.from(JSON.stringify(body)) };
}
