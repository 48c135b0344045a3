// A handler as AWS Lambda runs it. What is at the top runs once per execution environment and is kept between
// invocations; the token is kept there too. A new environment takes it from Redis instead of asking for one.
import axios from 'axios';
import { bipsyncAuthConfigFromEnv, installBipsyncAuth } from 'axios-bipsync-auth';
import { redisTokenStore } from 'axios-bipsync-auth/stores';
import { createClient } from 'redis';

const client = createClient({
  url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  // Fail soft: while Redis is away its commands fail at once, and this environment goes on with a token of its own.
  disableOfflineQueue: true,
  socket: { connectTimeout: 500, reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 2000) },
});
client.on('error', (error) => console.warn(`redis: ${error.code ?? error.message}`));
// Neither awaited nor fatal: no invocation waits for Redis or fails with it.
const connecting = client.connect().catch(() => undefined);

const api = axios.create({ timeout: 10_000 });
installBipsyncAuth(api, {
  ...bipsyncAuthConfigFromEnv(),
  // An invocation that cannot get a token shall say so before the function's own time-out ends it.
  tokenTimeoutMs: 5000,
  tokenStore: redisTokenStore({
    sendCommand: async (...args) => {
      // The first command waits for the connection, for as long as the plugin lets it (a second at most).
      await connecting;
      return client.sendCommand(args);
    },
  }),
  onEvent: ({ type, source, operation }) => {
    if (type === 'token-acquired') console.log(`token-acquired from the ${source}`);
    if (type === 'store-failed') console.warn(`store-failed: ${operation}`);
  },
});

export async function handler(event) {
  const { data } = await api.get(`/v1/research/${encodeURIComponent(event.id)}`);
  return { statusCode: 200, body: JSON.stringify(data) };
}

/** Lambda has no use for this: it ends an environment by itself. A script that runs the handler does. */
export async function close() {
  if (client.isReady) await client.close();
  else client.destroy();
}
