// @ts-check
/**
 * One axios instance, and every request of it carries a valid token.
 *
 * Needs BIPSYNC_CLIENT (or BIPSYNC_BASE_URL), BIPSYNC_CLIENT_ID, BIPSYNC_CLIENT_SECRET, BIPSYNC_TEAM_ID, and
 * BIPSYNC_SCOPES with rest_api:read. Run: node --env-file=.env examples/plain/index.mjs
 */
import axios from 'axios';
import { bipsyncAuthConfigFromEnv, installBipsyncAuth, isBipsyncAuthError } from 'axios-bipsync-auth';

const bipsync = axios.create({ timeout: 30_000 });

installBipsyncAuth(bipsync, {
  ...bipsyncAuthConfigFromEnv(),
  onEvent({ type, ...details }) {
    if (type === 'token-acquired') console.log('a token for the scopes', details.scopes.join(' '));
  },
});

try {
  // However many requests start at once, they cost one token.
  const [research, contentTypes] = await Promise.all([
    bipsync.get('/v1/research'),
    bipsync.get('/v1/contenttype'),
  ]);
  console.log(`${research.data.total} notes, ${contentTypes.data.total} content types`);
} catch (error) {
  // What went wrong on the way to a token, and what to do about it; safe to log as it is.
  if (isBipsyncAuthError(error)) console.error(`${error.code}: ${error.message}`);
  // What the API itself refused is the AxiosError that it is without the plugin.
  else if (axios.isAxiosError(error))
    console.error(`${error.config?.url}: ${error.message}`, error.cause ?? '');
  else throw error;
  process.exitCode = 1;
}
