// One process of a fleet: on every message it makes a few requests, and says when they have succeeded.
import { contenders } from '../lib/contenders.mjs';

const [name, baseURL, redisURL] = process.argv.slice(2);
const REQUESTS = 5;

let client;
let tokenStore;
if (redisURL) {
  const { createClient } = await import('redis');
  const { redisTokenStore } = await import('axios-bipsync-auth/stores');
  client = await createClient({ url: redisURL }).connect();
  tokenStore = redisTokenStore({ sendCommand: (...args) => client.sendCommand(args) });
}
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
