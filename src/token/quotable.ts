const MAX_LENGTH = 300;
const MIN_TRACE = 10;
/** A secret shorter than this is looked for as a whole. */
const SHORT_SECRET = 12;

/** What {@link createQuotable} has to know of the request that the server answered. */
export interface SentParameters {
  readonly secret: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
}

/**
 * createQuotable makes the function that returns a server's words if they can be shown, otherwise `undefined`.
 *
 * A server may repeat what it was sent: cut, encoded or taken apart. So words are shown only if they cannot hold the
 * secret. They must be plain prose: without escapes of any kind and without long encoded runs. The letters and digits in
 * them must not hold ten in a row of the secret's. The scopes asked for and the client id are not secret, and are left
 * aside.
 */
export function createQuotable(sent: SentParameters): (said: unknown) => string | undefined {
  const harmless = [...sent.scopes, sent.clientId]
    .filter((word) => word !== '' && !holdsTrace(word, sent.secret))
    .sort((one, other) => other.length - one.length);
  return (said) => {
    if (typeof said !== 'string') return undefined;
    const words = printable(said);
    const rest = harmless.reduce((text, word) => text.replaceAll(word, ' '), words);
    const isSafe = !mayBeEncoded(rest) && !/client_secret/i.test(rest) && !holdsTrace(rest, sent.secret);
    return isSafe && words !== '' ? words : undefined;
  };
}

/** looksLikeCode tells an error code, such as `invalid_client`, from other strings. */
export function looksLikeCode(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z][a-z\d_.-]{0,63}$/i.test(value);
}

function printable(said: string): string {
  return said
    .replace(/[^\x20-\x7e\u00a0-\ud7ff\uf900-\ufffd]+/g, ' ')
    .trim()
    .slice(0, MAX_LENGTH);
}

/** Escapes (`&#34;`, `%22`, `\u0022`, `=22`), runs as of base64 or hex, and long series of short groups, as of bytes. */
function mayBeEncoded(text: string): boolean {
  if (/&#?\w+;|%[\da-f]{2}|\\|=[\da-f]{2}/i.test(text)) return true;
  const runs = text.match(/[\w+/=~-]{16,}/g) ?? [];
  if (runs.some((run) => run.length >= 32 || (/[a-z]/.test(run) && /[A-Z]/.test(run) && /\d/.test(run)))) {
    return true;
  }
  return /(?:\b(?=\w*\d)\w{1,4}\b\W*){10}/.test(text);
}

/** Whether letters and digits of the secret stand in a row in `text`, whatever stands between them. */
function holdsTrace(text: string, secret: string): boolean {
  const inText = lettersAndDigits(text);
  const inSecret = lettersAndDigits(secret);
  if (secret.trim().length < SHORT_SECRET || inSecret.length < MIN_TRACE) {
    return text.includes(secret.trim()) || (inSecret !== '' && inText.includes(inSecret));
  }
  for (let at = 0; at + MIN_TRACE <= inSecret.length; at += 1) {
    if (inText.includes(inSecret.slice(at, at + MIN_TRACE))) return true;
  }
  return false;
}

function lettersAndDigits(text: string): string {
  return text.replace(/[^\p{L}\p{N}]+/gu, '').toLowerCase();
}
