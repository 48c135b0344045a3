// @ts-check
/**
 * The token for another HTTP client: here the platform's fetch.
 *
 * Needs BIPSYNC_BASE_URL, BIPSYNC_CLIENT_ID, BIPSYNC_CLIENT_SECRET, BIPSYNC_TEAM_ID, and BIPSYNC_SCOPES with rest_api:read.
 * Run: node --env-file=.env examples/fetch/index.mjs
 */
import axios from 'axios';
import { bipsyncAuthConfigFromEnv, installBipsyncAuth } from 'axios-bipsync-auth';

// The instance is used for token requests only.
const instance = axios.create();
const auth = installBipsyncAuth(instance, bipsyncAuthConfigFromEnv());
const { baseURL } = instance.defaults;

/**
 * @param {string} path
 * @param {string} accessToken
 */
function send(path, accessToken) {
  const headers = { Authorization: `Bearer ${accessToken}` };
  // A redirect is an error: it could take the token to another host.
  return fetch(new URL(path, baseURL), { headers, redirect: 'error' });
}

/** @param {string} path */
async function bipsyncFetch(path) {
  const { accessToken } = await auth.getToken();
  const response = await send(path, accessToken);
  if (response.status !== 401) return response;
  await response.body?.cancel();
  // Another request may have replaced the token meanwhile.
  const present = await auth.getToken();
  if (present.accessToken === accessToken) auth.invalidate();
  return send(path, (await auth.getToken()).accessToken);
}

const response = await bipsyncFetch('/v1/contenttype');
if (!response.ok) throw new Error(`The API answered ${response.status}.`);
const { total } = /** @type {{ total: number }} */ (await response.json());
console.log(`${total} content types`);
