// @ts-check
import axios from 'axios';
import { installBipsyncAuth, isBipsyncAuthError } from 'axios-bipsync-auth';
import axiosRetry from 'axios-retry';

/**
 * createBipsync makes an instance that repeats requests after 429, 500 and network errors. The plugin deals with 401s and with
 * the token endpoint, so both are left to it.
 *
 * Bipsync documents 500 as "try again". 429 is in no public list.
 *
 * @param {import('axios-bipsync-auth').BipsyncAuthConfig} config
 * @param {{ firstDelayMs?: number }} [options]
 */
export function createBipsync(config, { firstDelayMs = 500 } = {}) {
  const bipsync = axios.create({ timeout: 10_000 });
  installBipsyncAuth(bipsync, config);
  axiosRetry(bipsync, {
    retries: 3,
    // Twice as long each time, and never shorter than the server's Retry-After.
    retryDelay: (attempt, error) => axiosRetry.exponentialDelay(attempt, error, firstDelayMs),
    retryCondition: (error) => {
      // The plugin has tried already, and says in retryAfterMs when it will again.
      if (isBipsyncAuthError(error)) return false;
      // The server did nothing, so any method may be sent again.
      if (error.response?.status === 429) return true;
      // The server may have done something: only GET, PUT, DELETE and their like are sent again.
      return axiosRetry.isNetworkOrIdempotentRequestError(error);
    },
  });
  return bipsync;
}
