import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

import { CONSTANT_TOKEN } from './contenders.mjs';

// A Bipsync on the loopback interface, in a process of its own so that its work is not counted as the client's. Each
// tenant has a port, tokens and counters, so that contenders can be measured at the same time without sharing anything.

/** startServer resolves to `{ tenant(settings), set, revoke, counts, stop }`. */
export async function startServer() {
  const child = fork(fileURLToPath(import.meta.url), ['serve'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map();
  let lastId = 0;
  child.on('message', ({ id, result }) => {
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  const call = (method, ...args) =>
    new Promise((resolve) => {
      lastId += 1;
      waiting.set(lastId, resolve);
      child.send({ id: lastId, method, args });
    });
  return {
    async tenant(settings = {}) {
      const port = await call('tenant', settings);
      const baseURL = `http://127.0.0.1:${port}`;
      return {
        baseURL,
        tokenUrl: `${baseURL}/v1/oauth/token`,
        set: (changes) => call('set', port, changes),
        revoke: () => call('revoke', port),
        counts: () => call('counts', port),
        close: () => call('close', port),
      };
    },
    stop() {
      child.disconnect();
    },
  };
}

function serve() {
  const tenants = new Map();

  const methods = {
    async tenant(settings) {
      const tenant = createTenant(settings);
      const port = await tenant.listen();
      tenants.set(port, tenant);
      return port;
    },
    set: (port, changes) => void Object.assign(tenants.get(port).settings, changes),
    revoke: (port) => tenants.get(port).tokens.clear(),
    counts: (port) => ({ ...tenants.get(port).counts }),
    close: (port) => {
      tenants.get(port).close();
      tenants.delete(port);
    },
  };
  process.on('message', async ({ id, method, args }) => {
    process.send({ id, result: await methods[method](...args) });
  });
  process.on('disconnect', () => process.exit());
}

function createTenant(given) {
  const settings = { expiresIn: 3600, tokenDelayMs: 0, tokenStatus: 200, ...given };
  const counts = { tokenRequests: 0, apiRequests: 0, api401s: 0 };
  const tokens = new Map();
  let lastToken = 0;

  const send = (response, status, body) => {
    const text = JSON.stringify(body);
    response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': text.length });
    response.end(text);
  };

  function answerToken(response) {
    if (settings.tokenStatus === 401) return send(response, 401, { error: 'invalid_client' });
    if (settings.tokenStatus !== 200) return send(response, settings.tokenStatus, { error: 'server_error' });
    // Issued as late as possible, which is in favour of clients that count its life from the answer.
    lastToken += 1;
    const token = `token-${lastToken}-${'x'.repeat(32)}`;
    tokens.set(token, Date.now() + settings.expiresIn * 1000);
    return send(response, 200, { token_type: 'bearer', expires_in: settings.expiresIn, access_token: token });
  }

  const server = createServer((request, response) => {
    request.resume();
    if (request.url === '/v1/oauth/token') {
      counts.tokenRequests += 1;
      setTimeout(() => answerToken(response), settings.tokenDelayMs);
      return;
    }
    counts.apiRequests += 1;
    const token = request.headers.authorization?.slice('Bearer '.length);
    const isGood = request.url === '/v1/open' || token === CONSTANT_TOKEN || tokens.get(token) > Date.now();
    if (isGood && !request.url.startsWith('/v1/denied')) return void send(response, 200, { ok: true });
    counts.api401s += 1;
    send(response, 401, { error: 'access_denied' });
  });
  server.keepAliveTimeout = 120_000;

  return {
    settings,
    counts,
    tokens,
    listen: () =>
      new Promise((resolve) => {
        server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => resolve(server.address().port));
      }),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

if (process.argv[2] === 'serve' && process.send) serve();
