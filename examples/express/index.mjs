/**
 * An Express application in front of Bipsync: starts, answers one request of its own, ends.
 *
 * Needs BIPSYNC_CLIENT (or BIPSYNC_BASE_URL), BIPSYNC_CLIENT_ID, BIPSYNC_CLIENT_SECRET, BIPSYNC_TEAM_ID, and
 * BIPSYNC_SCOPES with rest_api:read.
 */
import { once } from 'node:events';

import axios from 'axios';
import { bipsyncAuthConfigFromEnv, installBipsyncAuth } from 'axios-bipsync-auth';

import { createApp } from './app.mjs';

const bipsync = axios.create({ timeout: 15_000 });
installBipsyncAuth(bipsync, bipsyncAuthConfigFromEnv());

const server = createApp(bipsync).listen(0, '127.0.0.1');
await once(server, 'listening');
const answer = await fetch(`http://127.0.0.1:${server.address().port}/content-types`);
if (!answer.ok) process.exitCode = 1;
console.log(answer.status, await answer.json());
server.close();
