/* global AbortController, queueMicrotask */

// Sends a million requests through a no-op adapter, past expiries, 401s, failures and cancellations, and fails unless
// the heap stays flat and nothing is left behind.
//
//   node --expose-gc scripts/endurance.mjs [built entry = dist/index.mjs] [requests = 1000000]

import { getEventListeners, setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import axios from 'axios';

const [entry = 'dist/index.mjs', count = '1000000'] = process.argv.slice(2);
const total = Number(count);
const { installBipsyncAuth } = await import(pathToFileURL(resolve(entry)).href);
const { gc } = globalThis;
if (!gc || !(total >= 1000)) {
  console.error('usage: node --expose-gc scripts/endurance.mjs [built entry] [requests, at least 1000]');
  process.exit(2);
}

const CONCURRENCY = 20;
const CHECKPOINTS = 10;
/** The first checkpoints are for caches and the compiler. */
const WARM_UP = 2;
const MAX_GROWTH_BYTES = 1_000_000;

// A second passes with every request, so that the run sees hundreds of tokens come and go.
let aheadMs = 0;
const clocks = [Date, performance];
for (const clock of clocks) {
  const now = clock.now.bind(clock);
  clock.now = () => now() + aheadMs;
}

const seen = { requests: 0, tokenRequests: 0, apiRequests: 0, unauthorized: 0, failed: 0, cancelled: 0 };
let revoked = '';

const respond = (config, status, data) => {
  const response = { status, statusText: '', headers: {}, data, config, request: {} };
  if (config.validateStatus?.(status) ?? true) return response;
  throw new axios.AxiosError(`status ${status}`, 'ERR_BAD_RESPONSE', config, response.request, response);
};

const api = axios.create({
  adapter: async (config) => {
    if (config.url === '/v1/oauth/token') {
      seen.tokenRequests += 1;
      if (seen.tokenRequests % 50 === 0) return respond(config, 400, '{"error":"invalid_scope"}');
      const access_token = `token-${seen.tokenRequests}`;
      return respond(config, 200, JSON.stringify({ token_type: 'bearer', access_token, expires_in: 3600 }));
    }
    seen.apiRequests += 1;
    const { Authorization: authorization } = config.headers;
    if (seen.apiRequests % 1009 === 0) revoked = authorization;
    if (authorization === revoked) {
      seen.unauthorized += 1;
      return respond(config, 401, '');
    }
    return respond(config, seen.apiRequests % 997 === 0 ? 500 : 200, '{"ok":true}');
  },
});
let events = 0;
const auth = installBipsyncAuth(api, {
  client: 'acme',
  clientId: 'the-client',
  clientSecret: async () => 'the-secret',
  teamId: 'a',
  onEvent: () => (events += 1),
});

// One signal for all: whatever is not taken off it again, stays.
const { signal } = new AbortController();
setMaxListeners(0, signal);

async function send() {
  seen.requests += 1;
  aheadMs += 1000;
  const isCancelled = seen.requests % 101 === 0;
  const controller = isCancelled ? new AbortController() : undefined;
  if (isCancelled) queueMicrotask(() => controller.abort());
  const team = seen.requests % 10 === 0 ? { bipsyncAuth: { teamId: `b${seen.requests % 3}` } } : {};
  try {
    await api.post(
      '/v1/research',
      { n: seen.requests },
      { signal: controller?.signal ?? signal, timeout: 5000, ...team },
    );
  } catch (error) {
    if (axios.isCancel(error)) seen.cancelled += 1;
    else seen.failed += 1;
  }
}

function heapUsed() {
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

const heaps = [];
const startedAt = process.hrtime.bigint();
for (let checkpoint = 1; checkpoint <= CHECKPOINTS; checkpoint += 1) {
  while (seen.requests < (total * checkpoint) / CHECKPOINTS) {
    await Promise.all(Array.from({ length: CONCURRENCY }, send));
    if (seen.requests % 100_000 < CONCURRENCY) auth.invalidate();
  }
  await new Promise((done) => setTimeout(done, 0));
  heaps.push(heapUsed());
  console.log(
    `${String(seen.requests).padStart(9)} requests  ${(heaps.at(-1) / 1e6).toFixed(2)} MB  ` +
      `${seen.tokenRequests} token requests, ${seen.unauthorized} 401s, ${seen.failed} failed, ${seen.cancelled} cancelled`,
  );
}
const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;

const problems = [];
const settled = heaps.slice(WARM_UP);
const growth = Math.max(...settled.slice(-2)) - Math.min(...settled.slice(0, 2));
if (growth > MAX_GROWTH_BYTES) problems.push(`the heap grew by ${(growth / 1e6).toFixed(2)} MB`);
const listeners = getEventListeners(signal, 'abort').length;
if (listeners > 0) problems.push(`${listeners} listeners are left on a signal`);
const resources = process.getActiveResourcesInfo().filter((name) => !/^(TTY|Pipe|File)/.test(name));
if (resources.length > 0) problems.push(`still active: ${resources.join(', ')}`);
if (seen.tokenRequests < total / 5000) problems.push('hardly any token was renewed: the run proves nothing');
if (seen.unauthorized < total / 5000) problems.push('hardly any 401 came: the run proves nothing');
auth.eject();

console.log(
  `${(seen.requests / seconds).toFixed(0)} requests/s, ${events} events, heap after warm-up ` +
    `${growth >= 0 ? '+' : ''}${(growth / 1e6).toFixed(2)} MB, ${listeners} listeners, ${resources.length} active resources`,
);
for (const problem of problems) console.error(`FAILED: ${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;
