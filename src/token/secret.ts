import { BipsyncAuthError, copyError, isBipsyncAuthError } from '../errors';
import { cleanSecret, secretProblem } from '../options/secret';

/** ClientSecret reads the configured secret. It rejects with `ERR_BIPSYNC_SECRET`. */
export type ClientSecret = () => Promise<string>;

/** createClientSecret turns a secret, or the function that returns it, into one form. */
export function createClientSecret(configured: string | (() => unknown)): ClientSecret {
  if (typeof configured === 'string') {
    const secret = cleanSecret(configured);
    return () => Promise.resolve(secret);
  }
  return async () => {
    let secret: unknown;
    try {
      secret = await configured();
    } catch (error) {
      if (isBipsyncAuthError(error)) throw copyError(error);
      throw new BipsyncAuthError(
        'ERR_BIPSYNC_SECRET',
        'The clientSecret function threw an error. The error is not shown, because it could contain the secret. Call the ' +
          'function directly to see the error.',
      );
    }
    if (typeof secret !== 'string' || secret.trim() === '') {
      throw new BipsyncAuthError(
        'ERR_BIPSYNC_SECRET',
        'The clientSecret function returned a non-string or an empty string. It must return the secret, or a promise of the secret.',
      );
    }
    const clean = cleanSecret(secret);
    const problem = secretProblem(clean);
    if (problem === undefined) return clean;
    throw new BipsyncAuthError(
      'ERR_BIPSYNC_SECRET',
      `The clientSecret function returned a string that ${problem}. It must return only the secret.`,
    );
  };
}

/** askAgain returns the secret as it is now, or `known` if the function fails or takes longer than `patienceMs`. */
export async function askAgain<T>(
  clientSecret: ClientSecret,
  known: T,
  patienceMs: number,
): Promise<string | T> {
  let timer: NodeJS.Timeout | undefined;
  const outOfPatience = new Promise<T>((resolve) => {
    timer = setTimeout(resolve, patienceMs, known);
  });
  try {
    return await Promise.race([clientSecret().catch(() => known), outOfPatience]);
  } finally {
    clearTimeout(timer);
  }
}
