import { isBipsyncAuthError } from '../index';
import { isQuoted } from '../options/secret';
import { allVariables, connect, isSet, plainVariables, SECRET, SECRET_FILE } from './environment';
import { failed, passed, type Step } from './steps';
import type { Environment } from './terminal';

/** A configuration in which only the secret can be wrong. */
const standIn = {
  BIPSYNC_BASE_URL: 'http://127.0.0.1',
  BIPSYNC_CLIENT_ID: 'stand-in',
  BIPSYNC_TEAM_ID: 'stand-in',
};

/**
 * checkSecret has the library read the secret, apart from the rest of the configuration.
 *
 * @param misread what is odd about its line in a file.
 */
export function checkSecret(env: Environment, misread: string | undefined): Step {
  const { [SECRET]: value, [SECRET_FILE]: file } = env;
  if (!isSet(value) && !isSet(file)) {
    const hint = `Set it, or set ${SECRET_FILE} to the path of a file that contains the secret.`;
    return failed('secret', `${SECRET} is not set`, misread ?? hint);
  }
  try {
    connect({ ...standIn, [SECRET]: value, [SECRET_FILE]: file });
    const detail = isSet(value) ? `${SECRET} is set` : `the file in ${SECRET_FILE} can be read`;
    return passed('secret', detail, misread);
  } catch (error) {
    if (!isBipsyncAuthError(error)) throw error;
    return failed('secret', error.message, misread);
  }
}

/** oddVariables says which of the other variables look as if something was copied along with the value, or are misspelt. */
export function oddVariables(env: Environment): string[] {
  const odd = plainVariables.flatMap((name) => {
    const oddity = oddityOf(env[name] ?? '');
    return oddity === undefined ? [] : [`${name} ${oddity}`];
  });
  // The letters of BIPSYNC in a wrong order, or not all of them, are a misspelt prefix.
  const unknown = Object.keys(env).filter(
    (name) => /^B[IPSYNC]{4,8}_/i.test(name) && !allVariables.includes(name),
  );
  if (unknown.length === 0) return odd;
  return [
    ...odd,
    `This package does not read ${unknown.join(', ')}. It reads only ${allVariables.join(', ')}.`,
  ];
}

/** What often comes along when a value is copied, in words that do not repeat the value. */
function oddityOf(value: string): string | undefined {
  const trimmed = value.trim();
  const oddities = [
    ...(trimmed === value ? [] : ['begins or ends with white space.']),
    ...(isQuoted(value) ? ['is in quotes. Remove the quotes.'] : []),
    ...(trimmed === '…' ? ['is still the placeholder …. Replace it with your value.'] : []),
    ...(isJsonObject(trimmed) ? ['is JSON. Use only the value inside it.'] : []),
  ];
  return oddities.length === 0 ? undefined : oddities.join(' It ');
}

function isJsonObject(value: string): boolean {
  try {
    return /^[{[]/.test(value) && Boolean(JSON.parse(value));
  } catch {
    return false;
  }
}

/** describeClientId shows too little of the id to be of use, in case it is the secret in the wrong place. */
export function describeClientId(clientId: string): string {
  const length = clientId.length === 1 ? '1 character' : `${clientId.length} characters`;
  return clientId.length < 12 ? `client id of ${length}` : `client id ${clientId.slice(0, 4)}… (${length})`;
}
