// One process of a fleet: on every message it makes a few requests, and says when they have succeeded.
import { contenders } from '../lib/contenders.mjs';
import { connectStore } from '../lib/redis.mjs';

const [name, baseURL, redisURL] = process.argv.slice(2);
const REQUESTS = 5;

const { tokenStore } = redisURL ? await connectStore(redisURL) : {};
const api = await contenders[name]({
  baseURL,
  tokenUrl: `${baseURL}/v1/oauth/token`,
  http: { proxy: false },
  tokenStore,
});
process.on('message', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: REQUESTS }, () => api.get('/v1/research')));
  process.send({ failed: outcomes.filter(({ status }) => status === 'rejected').length });
});
process.on('disconnect', () => process.exit());
process.send('ready');
