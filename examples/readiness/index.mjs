/**
 * Starts the service, asks it what a load balancer would ask, and stops it by SIGTERM.
 *
 * Needs BIPSYNC_CLIENT (or BIPSYNC_BASE_URL), BIPSYNC_CLIENT_ID, BIPSYNC_CLIENT_SECRET, BIPSYNC_TEAM_ID, and
 * BIPSYNC_SCOPES with rest_api:read.
 */
import { bipsyncAuthConfigFromEnv } from 'axios-bipsync-auth';

import { startService } from './service.mjs';

const service = await startService(bipsyncAuthConfigFromEnv(), { drainMs: 100 });
process.once('SIGTERM', async () => {
  await service.stop();
  console.log('stopped');
});

for (const path of ['/live', '/ready', '/content-types']) {
  const answer = await fetch(service.url + path);
  if (!answer.ok) process.exitCode = 1;
  console.log(path, answer.status, await answer.text());
}
process.kill(process.pid, 'SIGTERM');
