import axios, { type AxiosInstance } from 'axios';

import {
  type BipsyncAuthConfig,
  type BipsyncAuthError,
  installBipsyncAuth,
  isBipsyncAuthError,
} from '../../src';
import { SECRET } from './scripted';

/** A configuration that is accepted. */
export const good = { client: 'acme', clientId: 'the-client', clientSecret: SECRET, teamId: 'a1' };

/** The error with which installation rejects a configuration or an instance. */
export function rejected(config: unknown, instance: AxiosInstance = axios.create()): BipsyncAuthError {
  try {
    installBipsyncAuth(instance, config as BipsyncAuthConfig);
  } catch (error) {
    if (!isBipsyncAuthError(error)) throw error;
    expect(error.code).toBe('ERR_BIPSYNC_CONFIG');
    expect(error.message).not.toContain(SECRET);
    return error;
  }
  throw new Error('the configuration was accepted');
}
