// Workers of one cluster share a token through Redis, with node-redis (npm install redis).
//
//   REDIS_URL=rediss://user:password@redis.example.com:6380 node examples/cluster/node-redis.mjs
//
// rediss: is Redis over TLS. NODE_EXTRA_CA_CERTS names the file of a private certificate authority.
import { createClient } from 'redis';

import { runCluster } from './fleet.mjs';

await runCluster(() => {
  const client = createClient({ url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' });
  // Without a listener an error of the connection would end the process.
  client.on('error', (error) => console.warn(`redis: ${error.message || error.code}`));
  // Not awaited: while Redis is down this does not settle, and the workers do not need Redis to start.
  client.connect().catch(() => undefined);
  return {
    sendCommand: (...args) => client.sendCommand(args),
    close: () => client.destroy(),
  };
});
