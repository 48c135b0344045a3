// @ts-check
/**
 * GraphQL, page by page. A token that expires or is revoked between two pages changes nothing.
 *
 * Needs BIPSYNC_CLIENT (or BIPSYNC_BASE_URL), BIPSYNC_CLIENT_ID, BIPSYNC_CLIENT_SECRET and BIPSYNC_TEAM_ID.
 * Run: node --env-file=.env examples/graphql/index.mjs
 */
import axios from 'axios';
import { bipsyncAuthConfigFromEnv, installBipsyncAuth } from 'axios-bipsync-auth';

const PAGE_SIZE = 10;

const RESEARCH = `
  query Research($first: Int!, $after: String) {
    research(first: $first, after: $after) {
      edges { node { id title } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

const bipsync = axios.create({ timeout: 30_000 });
installBipsyncAuth(bipsync, { ...bipsyncAuthConfigFromEnv(), scopes: ['research:read'] });

/**
 * GraphQL reports most errors with status 200. The error made of them holds what GraphQL said.
 *
 * @param {string} query
 * @param {Record<string, unknown>} variables
 */
async function graphql(query, variables) {
  const { data } = await bipsync.post('/v1/graphql', { query, variables });
  if (data.errors) {
    const messages = data.errors.map((/** @type {{ message: string }} */ { message }) => message);
    throw new Error(`GraphQL: ${messages.join('; ')}`);
  }
  return data.data;
}

async function* research() {
  /** @type {{ hasNextPage: boolean, endCursor?: string }} */
  let page = { hasNextPage: true };
  while (page.hasNextPage) {
    const { research } = await graphql(RESEARCH, { first: PAGE_SIZE, after: page.endCursor });
    for (const { node } of research.edges) yield node;
    page = research.pageInfo;
  }
}

let count = 0;
for await (const { id, title } of research()) {
  count += 1;
  if (count <= 3) console.log(`${id}: ${title}`);
}
console.log(`${count} notes in pages of ${PAGE_SIZE}`);
