import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

import axios from 'axios';
import { installBipsyncAuth, isBipsyncAuthError } from 'axios-bipsync-auth';

/**
 * A service that answers with what Bipsync has.
 *
 * /live: the process runs. It does not ask for a token: a restart would not help Bipsync.
 * /ready: there is a token, and the service is not about to stop.
 */
export async function startService(config, { drainMs = 5_000 } = {}) {
  const bipsync = axios.create({ timeout: 10_000 });
  const auth = installBipsyncAuth(bipsync, config);
  let isStopping = false;

  const paths = {
    '/live': (response) => answer(response, 200, { status: 'ok' }),

    // While a token is valid, this makes no request. In a cool-down it fails at once.
    '/ready': async (response) => {
      if (isStopping) return answer(response, 503, { status: 'stopping' });
      await auth.getToken({ signal: AbortSignal.timeout(2_000) });
      answer(response, 200, { status: 'ok' });
    },

    '/content-types': async (response) => {
      const { data } = await bipsync.get('/v1/contenttype');
      answer(response, 200, data.results);
    },
  };

  const server = createServer((request, response) => {
    const handle = paths[request.url];
    if (!handle) return answer(response, 404, {});
    Promise.resolve(handle(response)).catch((error) => answerError(response, error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  // Warm-up: the first request finds a token. A failure does not stop the start, since /ready reports it.
  auth.getToken().catch(report);

  return {
    url: `http://127.0.0.1:${server.address().port}`,

    /** Call it on SIGTERM. */
    async stop() {
      isStopping = true; // from now on /ready says no, and the load balancer sends its requests elsewhere
      await delay(drainMs); // until it has noticed
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await closed; // requests under way have ended, with their tokens
      auth.eject();
    },
  };
}

function answerError(response, error) {
  report(error);
  if (!isBipsyncAuthError(error)) return answer(response, 502, { status: 'failed' });
  const { code, retryAfterMs } = error;
  if (retryAfterMs !== undefined) response.setHeader('Retry-After', Math.ceil(retryAfterMs / 1000));
  answer(response, 503, { status: 'no token', code });
}

function answer(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}

function report(error) {
  console.error(isBipsyncAuthError(error) ? `${error.code}: ${error.message}` : error.message);
}
