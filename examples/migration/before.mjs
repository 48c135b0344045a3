// @ts-check
/**
 * An integration as many have grown: it works, until something happens. after.mjs is the same one with the plugin.
 *
 * Run: node --env-file=.env examples/migration/before.mjs
 */
import axios from 'axios';

const { BIPSYNC_CLIENT, BIPSYNC_CLIENT_ID, BIPSYNC_CLIENT_SECRET, BIPSYNC_TEAM_ID, BIPSYNC_SCOPES } =
  process.env;
const baseURL = process.env.BIPSYNC_BASE_URL ?? `https://${BIPSYNC_CLIENT}-api.bipsync.com`;

/** @type {string | undefined} */
let token;
let expiresAt = 0;

async function getToken() {
  // Ten requests on a cold start make ten token requests; each request waits when the token has just expired.
  if (token && Date.now() < expiresAt) return token;
  // If this fails, the error that is logged holds the client secret.
  const { data } = await axios.post(`${baseURL}/v1/oauth/token`, {
    grant_type: 'client_credentials',
    client_id: BIPSYNC_CLIENT_ID ?? '',
    client_secret: BIPSYNC_CLIENT_SECRET ?? '',
    scope: `team_${BIPSYNC_TEAM_ID} ${BIPSYNC_SCOPES}`,
  });
  token = data.access_token;
  expiresAt = Date.now() + data.expires_in * 1000;
  return token;
}

const bipsync = axios.create({ baseURL, timeout: 30_000 });

bipsync.interceptors.request.use(async (config) => {
  // An absolute URL takes the token along, wherever it leads.
  config.headers.Authorization = `Bearer ${await getToken()}`;
  return config;
});

bipsync.interceptors.response.use(undefined, async (error) => {
  if (error.response?.status === 401 && !error.config.isRetry) {
    // Fifty 401s throw fifty tokens away, the new ones among them; interceptors and transforms run twice.
    token = undefined;
    return bipsync({ ...error.config, isRetry: true });
  }
  throw error;
});

const [research, contentTypes] = await Promise.all([
  bipsync.get('/v1/research'),
  bipsync.get('/v1/contenttype'),
]);
console.log(`${research.data.total} notes, ${contentTypes.data.total} content types`);
