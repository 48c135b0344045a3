// Workers of one cluster share a token through Redis, with ioredis (npm install ioredis; for Valkey: iovalkey).
//
//   REDIS_URL=redis://127.0.0.1:6379 node examples/cluster/ioredis.mjs
import { Redis } from 'ioredis';

import { runCluster } from './fleet.mjs';

await runCluster(async () => {
  const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379');
  redis.on('error', (error) => console.warn(`redis: ${error.message}`));
  return {
    sendCommand: (...args) => redis.call(...args),
    close: () => redis.quit(),
  };
});
