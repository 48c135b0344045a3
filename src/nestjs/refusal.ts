import { BipsyncAuthError, isBipsyncAuthError } from '../index';

/** refuse stops the registration of a module or the start of the application. */
export function refuse(message: string): never {
  throw new BipsyncAuthError('ERR_BIPSYNC_CONFIG', message);
}

/** naming puts the name of the module into its refusals, so that several tenants can be told apart. */
export async function naming<T>(name: string | undefined, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (name === undefined || !isBipsyncAuthError(error)) throw error;
    throw new BipsyncAuthError(error.code, `BipsyncHttpModule ${JSON.stringify(name)}: ${error.message}`);
  }
}
