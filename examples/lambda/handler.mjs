// A handler as AWS Lambda runs it. What is at the top runs once per execution environment and is kept between
// invocations; the token is kept there too. A new environment takes it from Redis instead of asking for one.
//
// Lambda stops an environment between two invocations. A token refresh that it stops is left behind: the next request
// starts another one.
import axios from 'axios';
import { bipsyncAuthConfigFromEnv, installBipsyncAuth } from 'axios-bipsync-auth';
import { encryptedTokenStore, redisTokenStore } from 'axios-bipsync-auth/stores';
import { createClient } from 'redis';

const client = createClient({
  // A URL that begins with rediss: means TLS.
  url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  // While Redis is away its commands fail at once, and this environment has a token of its own.
  disableOfflineQueue: true,
  socket: { connectTimeout: 500, reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 2000) },
});
client.on('error', (error) => console.warn(`redis: ${error.code ?? error.message}`));
// Not awaited: no invocation waits for Redis, or fails with it.
const connecting = client.connect().catch(() => undefined);

const redisStore = redisTokenStore({
  sendCommand: async (...args) => {
    // The first command waits for the connection. The plugin waits for a command for a second at most.
    await connecting;
    return client.sendCommand(args);
  },
});

const api = axios.create({ timeout: 10_000 });
installBipsyncAuth(api, {
  ...bipsyncAuthConfigFromEnv(),
  // Without a token the invocation must fail before the function's own time-out ends it.
  tokenTimeoutMs: 5000,
  // A token gives access to the whole team, so Redis gets it encrypted. The key comes from `openssl rand -base64 32`.
  tokenStore: encryptedTokenStore(redisStore, [{ name: '2026-11', key: process.env.TOKEN_KEY }]),
  onEvent: ({ type, source, operation }) => {
    if (type === 'token-acquired') console.log(`token-acquired from the ${source}`);
    if (type === 'store-failed') console.warn(`store-failed: ${operation}`);
  },
});

export async function handler(event) {
  const { data } = await api.get(`/v1/research/${encodeURIComponent(event.id)}`);
  return { statusCode: 200, body: JSON.stringify(data) };
}

/** Only for scripts that run the handler: Lambda ends an environment by itself. */
export async function close() {
  if (client.isReady) await client.close();
  else client.destroy();
}
