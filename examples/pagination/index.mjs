// @ts-check
/**
 * A REST list, page by page. Lists answer { total, offset, limit, results }.
 *
 * Needs BIPSYNC_CLIENT (or BIPSYNC_BASE_URL), BIPSYNC_CLIENT_ID, BIPSYNC_CLIENT_SECRET, BIPSYNC_TEAM_ID, and
 * BIPSYNC_SCOPES with rest_api:read. Run: node --env-file=.env examples/pagination/index.mjs
 */
import axios from 'axios';
import { bipsyncAuthConfigFromEnv, installBipsyncAuth } from 'axios-bipsync-auth';

const PAGE_SIZE = 10;

const bipsync = axios.create({ timeout: 30_000 });
installBipsyncAuth(bipsync, bipsyncAuthConfigFromEnv());

/**
 * list yields the entries of a list, one after the other. A token that expires between two pages changes nothing.
 *
 * @param {string} path
 * @param {object} [filter] further query parameters
 */
async function* list(path, filter) {
  let offset = 0;
  let total;
  do {
    const { data } = await bipsync.get(path, { params: { ...filter, offset, limit: PAGE_SIZE } });
    yield* data.results;
    // An empty page ends the list, even if entries were deleted meanwhile.
    if (data.results.length === 0) return;
    offset += data.results.length;
    total = data.total;
  } while (offset < total);
}

let count = 0;
for await (const { id, title } of list('/v1/research')) {
  count += 1;
  if (count <= 3) console.log(`${id}: ${title}`);
}
console.log(`${count} notes in pages of ${PAGE_SIZE}`);
