// Workers of one cluster share a token through Redis, with node-redis (npm install redis).
//
//   REDIS_URL=redis://127.0.0.1:6379 node examples/cluster/node-redis.mjs
import { createClient } from 'redis';

import { runCluster } from './fleet.mjs';

await runCluster(async () => {
  const client = createClient({ url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' });
  // Without a listener an error of the connection would end the process.
  client.on('error', (error) => console.warn(`redis: ${error.message}`));
  await client.connect();
  return {
    sendCommand: (...args) => client.sendCommand(args),
    close: () => client.close(),
  };
});
