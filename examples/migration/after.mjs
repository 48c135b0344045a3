// @ts-check
/**
 * before.mjs with the plugin: the token code is gone, the calls are what they were.
 *
 * Run: node --env-file=.env examples/migration/after.mjs
 */
import axios from 'axios';
import { bipsyncAuthConfigFromEnv, installBipsyncAuth } from 'axios-bipsync-auth';

const bipsync = axios.create({ timeout: 30_000 });
installBipsyncAuth(bipsync, bipsyncAuthConfigFromEnv());

const [research, contentTypes] = await Promise.all([
  bipsync.get('/v1/research'),
  bipsync.get('/v1/contenttype'),
]);
console.log(`${research.data.total} notes, ${contentTypes.data.total} content types`);
