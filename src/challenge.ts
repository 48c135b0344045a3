/** What a 401 may say about itself, {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 RFC 6750 §3.1}. */
export type ChallengeError = 'invalid_token' | 'insufficient_scope' | undefined;

const MAX_LENGTH = 8192;

/** One auth-param, or the bare name that opens the next challenge; a quoted string is taken whole. */
const part = /([!#$%&'*+\-.^_`|~\w]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+)))?/g;

/** readChallengeError is the `error` of the Bearer challenge in a `WWW-Authenticate` header. */
export function readChallengeError(header: unknown): ChallengeError {
  const lines: unknown[] = Array.isArray(header) ? header : [header];
  const text = lines
    .filter((line) => typeof line === 'string')
    .join(', ')
    .slice(0, MAX_LENGTH);
  let scheme = '';
  for (const [, name = '', quoted, plain] of text.matchAll(part)) {
    const value = quoted ?? plain;
    if (value === undefined) scheme = name.toLowerCase();
    else if (scheme === 'bearer' && name.toLowerCase() === 'error') {
      return value === 'invalid_token' || value === 'insufficient_scope' ? value : undefined;
    }
  }
  return undefined;
}
