// Workers of one cluster share a token through Redis, with ioredis (npm install ioredis; for Valkey: iovalkey).
//
//   REDIS_URL=rediss://user:password@redis.example.com:6380 node examples/cluster/ioredis.mjs
//
// rediss: is Redis over TLS. NODE_EXTRA_CA_CERTS names the file of a private certificate authority.
import { Redis } from 'ioredis';

import { runCluster } from './fleet.mjs';

await runCluster(() => {
  // It connects by itself, and again after each failure; the workers do not need Redis to start.
  const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379');
  redis.on('error', (error) => console.warn(`redis: ${error.message || error.code}`));
  return {
    sendCommand: (...args) => redis.call(...args),
    close: () => redis.disconnect(),
  };
});
