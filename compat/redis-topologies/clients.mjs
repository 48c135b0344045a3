// Every client that can be used with a cluster or with Sentinel, with the line that the documentation shows for it.
// No connect() is awaited: a process must also start while its Redis is down.
import * as ioredis6 from 'ioredis';
import * as ioredis5 from 'ioredis-5';
import * as redis6 from 'redis';
import * as redis4 from 'redis-4';
import * as redis5 from 'redis-5';

const ignore = () => undefined;

export const clusterClients = [
  ...Object.entries({ 4: redis4, 5: redis5, 6: redis6 }).map(([version, { createCluster }]) => ({
    name: `node-redis ${version}`,
    connect(nodes) {
      const cluster = createCluster({
        rootNodes: nodes.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` })),
      });
      cluster.on('error', ignore);
      // Unlike a single client it queues no command and gives up for good, so it connects at the first command that needs it.
      let connection;
      const connected = () =>
        (connection ??= cluster.connect().catch((error) => {
          connection = undefined;
          throw error;
        }));
      return {
        async sendCommand(...args) {
          await connected();
          return cluster.sendCommand(args[0] === 'eval' ? args[3] : args[1], false, args);
        },
        close: () => cluster.disconnect?.() ?? cluster.destroy(),
      };
    },
  })),
  ...Object.entries({ 5: ioredis5, 6: ioredis6 }).map(([version, { Cluster }]) => ({
    name: `ioredis ${version}`,
    connect(nodes) {
      const redis = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
      redis.on('error', ignore);
      return { sendCommand: (...args) => redis.call(...args), close: () => redis.disconnect() };
    },
  })),
];

export const sentinelClients = [
  ...Object.entries({ 5: redis5, 6: redis6 }).map(([version, { createSentinel }]) => ({
    name: `node-redis ${version}`,
    connect({ name, sentinels }) {
      const sentinelRootNodes = sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
      const sentinel = createSentinel({ name, sentinelRootNodes });
      sentinel.on('error', ignore);
      sentinel.connect().catch(ignore);
      return {
        sendCommand: (...args) => sentinel.sendCommand(false, args),
        close: () => sentinel.destroy(),
      };
    },
  })),
  ...Object.entries({ 5: ioredis5, 6: ioredis6 }).map(([version, { Redis }]) => ({
    name: `ioredis ${version}`,
    connect({ name, sentinels }, options = {}) {
      const redis = new Redis({
        ...options,
        name,
        sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
      });
      redis.on('error', ignore);
      return { sendCommand: (...args) => redis.call(...args), close: () => redis.disconnect() };
    },
  })),
];
