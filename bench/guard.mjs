// node bench/guard.mjs: what may not get worse, in figures that do not depend on the clock. Takes a few seconds, needs the
// root's axios and esbuild alone, measures the sources as they are, and exits with 1 when a budget is exceeded.
import { createHook } from 'node:async_hooks';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

import axios from 'axios';
import { build } from 'esbuild';

const BUDGETS = {
  /** esbuild --minify, gzip -9, axios apart; the core has no other dependency. */
  'size of the core, compressed, bytes': 23_000,
  'size of the core, minified, bytes': 60_000,
  'modules that the core imports beside axios and Node': 0,
  /** The reference is a pair of interceptors that only sets a constant Authorization header. */
  // One of them watches an adapter that is a function; a named adapter has none.
  'promises a request beyond the reference, hot path': -2,
  'promises a request beyond the reference, hot path, asynchronous chain': 2,
  'adapter calls a request, hot path': 1,
  'token requests in 1,000 requests, hot path': 0,
  'store calls in 1,000 requests, hot path': 0,
  'token requests in a cold burst of 10,000': 1,
  'adapter calls in a cold burst of 10,000': 10_001,
  'store calls in a cold burst of 10,000': 2,
  'token requests in a 401 storm of 1,000': 1,
  'API requests in a 401 storm of 1,000': 2000,
  'requests failed in a 401 storm of 1,000': 0,
  'token requests of 100 calls with refused credentials': 1,
  'token requests of 100 calls to an endpoint that always answers 401': 2,
};

const here = dirname(fileURLToPath(import.meta.url));
const ORIGIN = 'https://acme-api.bipsync.com';
const PATH = '/v1/research';

const measured = { ...(await size()) };
const { installBipsyncAuth } = await load();
await hotPath('hot path', (api) => api);
await hotPath('hot path, asynchronous chain', (api) => {
  api.interceptors.request.use((config) => config);
  return api;
});
await coldBurst();
await storm();
await refusals();

const breaches = Object.entries(BUDGETS).filter(([what, budget]) => !(measured[what] <= budget));
for (const [what, budget] of Object.entries(BUDGETS)) {
  const mark = breaches.some(([breached]) => breached === what) ? 'OVER' : 'ok';
  console.log(
    `${mark.padEnd(5)}${String(measured[what]).padStart(7)} of ${String(budget).padStart(6)}  ${what}`,
  );
}
process.exit(breaches.length > 0 ? 1 : 0);

async function bundle(minify) {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(here, '../src/index.ts')],
    bundle: true,
    minify,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
  });
  return { contents: outputFiles[0].contents, imports: Object.values(metafile.outputs)[0].imports };
}

async function size() {
  const { contents, imports } = await bundle(true);
  const others = imports.filter(({ path }) => path !== 'axios' && !path.startsWith('node:'));
  return {
    'size of the core, minified, bytes': contents.length,
    'size of the core, compressed, bytes': gzipSync(contents, { level: 9 }).length,
    'modules that the core imports beside axios and Node': new Set(others.map(({ path }) => path)).size,
  };
}

/** The sources, put where they find the same axios as this script. */
async function load() {
  const folder = join(here, '.guard');
  const file = join(folder, 'index.mjs');
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(file, (await bundle(false)).contents);
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A Bipsync in memory. `tokenStatus` is what the token endpoint answers, `isDenied` makes the API refuse every token. */
function bipsync() {
  const state = { tokenRequests: 0, apiRequests: 0, tokenStatus: 200, isDenied: false, current: '' };
  const answer = (config, status, data) => {
    const response = { status, statusText: '', headers: {}, data: JSON.stringify(data), config, request: {} };
    if (config.validateStatus?.(status) ?? true) return response;
    throw new axios.AxiosError(`status ${status}`, 'ERR_BAD_REQUEST', config, {}, response);
  };
  async function adapter(config) {
    if (config.url.includes('/oauth/token')) {
      state.tokenRequests += 1;
      if (state.tokenStatus !== 200) return answer(config, state.tokenStatus, { error: 'invalid_client' });
      state.current = `token-${state.tokenRequests}`;
      return answer(config, 200, { token_type: 'bearer', expires_in: 3600, access_token: state.current });
    }
    state.apiRequests += 1;
    const isGood = config.headers.Authorization === `Bearer ${state.current}` && !state.isDenied;
    return answer(config, isGood ? 200 : 401, {});
  }
  return { adapter, state };
}

function installed({ adapter }, more = {}) {
  const api = axios.create({ baseURL: ORIGIN, adapter });
  const credentials = { clientId: 'guard', clientSecret: 'guard-secret', teamId: 'guard' };
  installBipsyncAuth(api, { client: 'acme', ...credentials, ...more });
  return api;
}

function countingStore() {
  const values = new Map();
  const store = {
    calls: 0,
    async get(key) {
      store.calls += 1;
      return values.get(key);
    },
    async set(key, value) {
      store.calls += 1;
      values.set(key, value);
    },
  };
  return store;
}

async function hotPath(what, prepare) {
  const requests = 1000;
  const server = bipsync();
  const store = countingStore();
  const ours = prepare(installed(server, { tokenStore: store }));
  const reference = axios.create({ baseURL: ORIGIN, adapter: server.adapter });
  reference.interceptors.request.use((config) => {
    config.headers.Authorization = `Bearer ${server.state.current}`;
    return config;
  });
  reference.interceptors.response.use(
    (response) => response,
    (error) => Promise.reject(error),
  );
  prepare(reference);
  await ours.get(PATH);

  const { tokenRequests, apiRequests } = server.state;
  const storeCalls = store.calls;
  const promises = await promisesOf(ours, requests);
  measured['token requests in 1,000 requests, hot path'] ??= server.state.tokenRequests - tokenRequests;
  measured['adapter calls a request, hot path'] ??= (server.state.apiRequests - apiRequests) / requests;
  measured['store calls in 1,000 requests, hot path'] ??= store.calls - storeCalls;
  const others = await promisesOf(reference, requests);
  measured[`promises a request beyond the reference, ${what}`] = (promises - others) / requests;
}

async function promisesOf(api, requests) {
  let promises = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === 'PROMISE') promises += 1;
    },
  });
  hook.enable();
  for (let count = 0; count < requests; count += 1) await api.get(PATH);
  hook.disable();
  return promises;
}

async function coldBurst() {
  const server = bipsync();
  const store = countingStore();
  const api = installed(server, { tokenStore: store });
  await Promise.all(Array.from({ length: 10_000 }, () => api.get(PATH)));
  const { tokenRequests, apiRequests } = server.state;
  measured['token requests in a cold burst of 10,000'] = tokenRequests;
  measured['adapter calls in a cold burst of 10,000'] = tokenRequests + apiRequests;
  measured['store calls in a cold burst of 10,000'] = store.calls;
}

async function storm() {
  const server = bipsync();
  const api = installed(server);
  await api.get(PATH);
  server.state.current = 'revoked';
  server.state.tokenRequests = server.state.apiRequests = 0;
  const outcomes = await Promise.allSettled(Array.from({ length: 1000 }, () => api.get(PATH)));
  measured['token requests in a 401 storm of 1,000'] = server.state.tokenRequests;
  measured['API requests in a 401 storm of 1,000'] = server.state.apiRequests;
  measured['requests failed in a 401 storm of 1,000'] = outcomes.filter(
    ({ status }) => status === 'rejected',
  ).length;
}

async function refusals() {
  const refused = bipsync();
  refused.state.tokenStatus = 401;
  await failing(installed(refused));
  measured['token requests of 100 calls with refused credentials'] = refused.state.tokenRequests;

  const denied = bipsync();
  denied.state.isDenied = true;
  await failing(installed(denied));
  measured['token requests of 100 calls to an endpoint that always answers 401'] = denied.state.tokenRequests;
}

/** Few enough to be over well within the first pause, however slow the machine. */
async function failing(api) {
  for (let count = 0; count < 100; count += 1) await api.get(PATH).catch(() => undefined);
}
