// @ts-check
/**
 * A request that goes on after 429 and 500.
 *
 * Needs BIPSYNC_CLIENT (or BIPSYNC_BASE_URL), BIPSYNC_CLIENT_ID, BIPSYNC_CLIENT_SECRET, BIPSYNC_TEAM_ID, and
 * BIPSYNC_SCOPES with rest_api:read. Run: node --env-file=.env examples/retries/index.mjs
 */
import { bipsyncAuthConfigFromEnv } from 'axios-bipsync-auth';

import { createBipsync } from './bipsync.mjs';

const bipsync = createBipsync(bipsyncAuthConfigFromEnv());
const { data } = await bipsync.get('/v1/contenttype');
console.log(`${data.total} content types`);
