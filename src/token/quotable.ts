const MAX_LENGTH = 300;
/** So many letters or digits of the secret in a row are a trace of it. A secret that has fewer is looked for as a whole. */
const TRACE = 10;
/** So many characters that are not part of plain words may be shown: enough for an IP address, not for an encoded secret. */
const MAX_ODD = 15;

/** What a token request was sent with. */
export interface SentParameters {
  readonly secret: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
}

/**
 * createQuotable makes the function that returns a server's words if they can be shown, otherwise `undefined`. It judges them
 * together with what it has returned before, since a secret can be spread over several members of an answer.
 *
 * A server may repeat what it was sent: cut, encoded or taken apart. So only what looks like prose is shown: plain words, and
 * very little else. Ten letters or digits of the secret in a row are never shown. The scopes asked for and the client id are
 * not secret; as whole words they are left aside.
 */
export function createQuotable({
  secret,
  clientId,
  scopes,
}: SentParameters): (said: unknown) => string | undefined {
  const harmless = new Set([...scopes, clientId].filter((word) => !holdsTrace(word, secret)));
  let shown = '';
  return (said) => {
    if (typeof said !== 'string') return undefined;
    const words = printable(said);
    const rest = `${shown} ${words}`
      .split(/\s+/)
      .filter((word) => !harmless.has(word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '')))
      .join(' ');
    const mayHide = escaped.test(rest) || oddCharacters(rest) > MAX_ODD || /client_secret/i.test(rest);
    if (words === '' || mayHide || holdsTrace(rest, secret)) return undefined;
    shown = `${shown} ${words}`;
    return words;
  };
}

/** looksLikeCode tells an error code, such as `invalid_client`, from other strings. */
export function looksLikeCode(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z][a-z\d_.-]{0,63}$/i.test(value);
}

/** As HTML, URLs and programming languages write characters. */
const escaped = /&#?\w+;|%[\da-f]{2}|\\/i;

/** One line, in the characters that other spellings of them stand for. */
function printable(said: string): string {
  return said
    .slice(0, MAX_LENGTH * 4)
    .normalize('NFKC')
    .replace(/[^\x20-\x7e\u00a0-\ud7ff\uf900-\ufffd]+/g, ' ')
    .trim()
    .slice(0, MAX_LENGTH);
}

/** How many letters and digits are not part of a plain word, which is lower-case but for its first letter. */
function oddCharacters(text: string): number {
  const runs = text.match(/[\p{L}\p{N}]+/gu) ?? [];
  return runs.filter((run) => !/^\p{Lu}?\p{Ll}{1,19}$/u.test(run)).join('').length;
}

/** Whether letters and digits of the secret stand in a row in `text`, forwards or backwards, whatever stands between them. */
function holdsTrace(text: string, secret: string): boolean {
  const inText = lettersAndDigits(text);
  const forwards = lettersAndDigits(secret);
  if (forwards.length < TRACE)
    return text.includes(secret.trim()) || (forwards !== '' && inText.includes(forwards));
  return [forwards, Array.from(forwards).reverse().join('')].some((run) => {
    for (let at = 0; at + TRACE <= run.length; at += 1) {
      if (inText.includes(run.slice(at, at + TRACE))) return true;
    }
    return false;
  });
}

function lettersAndDigits(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[^\p{L}\p{N}]+/gu, '')
    .toLowerCase();
}
