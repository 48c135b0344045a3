// @ts-check
/**
 * One client, several teams: each request names its team, and each team has a token of its own.
 *
 * Needs what examples/plain needs, and BIPSYNC_TEAMS: further team ids, separated by spaces.
 * Run: node --env-file=.env examples/several-teams/index.mjs
 */
import axios from 'axios';
import { bipsyncAuthConfigFromEnv, installBipsyncAuth, isBipsyncAuthError } from 'axios-bipsync-auth';

const config = bipsyncAuthConfigFromEnv();
const bipsync = axios.create({ timeout: 30_000 });
installBipsyncAuth(bipsync, config);

/**
 * Code that works for one team names it here, and not in each call.
 *
 * @param {string} teamId
 */
function forTeam(teamId) {
  const bipsyncAuth = { teamId };
  return {
    countNotes: async () => (await bipsync.get('/v1/research', { bipsyncAuth })).data.total,
  };
}

const { BIPSYNC_TEAMS = 'ffffffffffffffffffffffff' } = process.env;
const teams = [config.teamId ?? '', ...BIPSYNC_TEAMS.split(' ')].filter(Boolean);

// If the client was not granted a team, the requests for that team fail. The others go on.
await Promise.all(
  teams.map(async (teamId) => {
    try {
      console.log(`team ${teamId}: ${await forTeam(teamId).countNotes()} notes`);
    } catch (error) {
      if (!isBipsyncAuthError(error)) throw error;
      console.log(`team ${teamId}: ${error.code}`);
    }
  }),
);
