const MAX_LENGTH = 8192;

/** One auth-param, or the bare name that begins the next challenge. A quoted string is taken whole. */
const part = /([!#$%&'*+\-.^_`|~\w]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+)))?/g;

/**
 * readChallengeError returns the `error` of the Bearer challenge in a `WWW-Authenticate` header: what a 401 may say about
 * its reason, {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 RFC 6750 §3.1}.
 */
export function readChallengeError(header: unknown): string | undefined {
  const lines: unknown[] = Array.isArray(header) ? header : [header];
  const text = lines
    .filter((line) => typeof line === 'string')
    .join(', ')
    .slice(0, MAX_LENGTH);
  let scheme: string | undefined;
  for (const [, word, quoted, plain] of text.matchAll(part)) {
    const name = String(word).toLowerCase();
    const value = quoted ?? plain;
    if (value === undefined) scheme = name;
    else if (scheme === 'bearer' && name === 'error') return value;
  }
  return undefined;
}
