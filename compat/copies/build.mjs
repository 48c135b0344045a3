/* global AbortController, URLSearchParams */
// What the built package does, by import and by require alike: the tests of the project run its sources.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { format, inspect } from 'node:util';

import { install, leaksIn, outcome, SECRET, tokensAt } from './install.mjs';

const times = (count, run) => Promise.all(Array.from({ length: count }, run));

/** A value as a logger prints it; of errors in the ways that show hidden properties too. */
const printed = (value) =>
  [
    ...[4, 10, null].map((depth) => inspect(value, { depth })),
    inspect({ ...value }, { depth: null }),
    JSON.stringify(value),
    ...(value instanceof Error
      ? [
          format('%o', value),
          inspect(value, { depth: null, showHidden: true }),
          JSON.stringify(value.toJSON()),
        ]
      : []),
  ].join('\n');

export async function checkBuild({ kind, check, ...parts }) {
  const { axios, plugin, bipsync, other } = parts;
  const create = (options) => install(parts, axios.create(options));

  for (const adapter of ['http', 'fetch']) {
    await check(
      `50 requests at once over ${adapter} cost one token, and after a revocation one more`,
      async () => {
        const { api } = create({ adapter });
        await times(50, () => api.get('/v1/x'));
        assert.equal(bipsync.tokenRequests.length, 1);
        bipsync.statuses.push(...Array(50).fill(401));
        await times(50, () => api.get('/v1/x'));
        assert.equal(bipsync.tokenRequests.length, 2);
        assert.deepEqual(new Set(tokensAt(bipsync, bipsync)), new Set([1, 2]));
      },
    );

    await check(
      `what a success and a failure over ${adapter} print as shows neither secret nor token`,
      async () => {
        const { api, auth } = create({ adapter });
        bipsync.statuses.push(200, 404);
        const response = await api.get('/v1/x');
        const error = await api.get('/v1/x').catch((reason) => reason);
        assert.equal(error.status, 404);
        assert.match(response.config.headers.Authorization, /^Bearer LIVE-TOKEN/);
        for (const value of [response, response.config, error, error.config, auth, api.defaults]) {
          assert.deepEqual(leaksIn(printed(value)), []);
        }
      },
    );

    await check(
      `another origin gets no token over ${adapter}, by a URL, a redirect or a config sent again`,
      async () => {
        const { api, events } = create({ adapter });
        const { config } = await api.get('/v1/x');
        await api.get(`${other.url}/x`);
        bipsync.location = `${other.url}/end`;
        await api.get('/redirected');
        await api.request({ ...config, baseURL: other.url });
        await api.request({ ...config, headers: { ...config.headers }, baseURL: other.url });
        assert.deepEqual(tokensAt(other, bipsync), Array(4).fill(undefined));
        const reported = events.filter(({ type }) => type === 'request-unauthenticated');
        assert.deepEqual(
          reported.map(({ origin }) => origin),
          Array(3).fill(other.url),
        );
      },
    );
  }

  await check('a request that is cancelled while it waits leaves the others their token', async () => {
    const { api } = create();
    bipsync.delayMs = 100;
    const controller = new AbortController();
    const cancelled = outcome(api.get('/v1/x', { signal: controller.signal }));
    const late = outcome(api.get('/v1/x', { timeout: 20 }));
    const patient = outcome(api.get('/v1/x'));
    controller.abort();
    assert.deepEqual(await Promise.all([cancelled, late, patient]), ['ERR_CANCELED', 'ECONNABORTED', 200]);
    assert.equal(bipsync.tokenRequests.length, 1);
    bipsync.delayMs = 0;
  });

  await check('a token store that encrypts shares a token between two installations', async () => {
    const kept = new Map();
    const store = { get: async (key) => kept.get(key), set: async (key, value) => void kept.set(key, value) };
    const keys = [{ name: 'k1', key: randomBytes(32).toString('base64') }];
    const tokenStore = plugin.encryptedTokenStore(store, keys);
    for (let count = 0; count < 2; count += 1) {
      const { api } = install(parts, axios.create(), { tokenStore });
      assert.equal(await outcome(api.get('/v1/x')), 200);
    }
    assert.equal(bipsync.tokenRequests.length, 1);
    assert.equal(kept.size, 1);
    assert.deepEqual(leaksIn(JSON.stringify([...kept])), []);
  });

  await check('a request that fails for want of a token is rejected as axios rejects', async () => {
    const { api } = install(parts, axios.create(), {
      clientSecret: () => Promise.reject(new Error('vault')),
    });
    const error = await api.get('/v1/x').catch((reason) => reason);
    assert.ok(plugin.isBipsyncAuthError(error) && axios.isAxiosError(error));
    assert.deepEqual([error.code, error.config.url], ['ERR_BIPSYNC_SECRET', '/v1/x']);
    assert.ok(!Object.keys(error).includes('config'));
  });

  await check('another team, a new token and the end of the plugin', async () => {
    const { api, auth } = create();
    await api.get('/v1/x');
    await api.get('/v1/x', { bipsyncAuth: { teamId: 'b2' } });
    auth.invalidate();
    await api.get('/v1/x');
    await api.get('/v1/x', { bipsyncAuth: false });
    auth.eject();
    await outcome(api.get(`${bipsync.url}/v1/x`));
    assert.deepEqual(tokensAt(bipsync, bipsync), [1, 2, 3, undefined, undefined]);
    assert.deepEqual(
      bipsync.tokenRequests.map(({ body }) => new URLSearchParams(body).get('scope')),
      ['team_a1', 'team_b2', 'team_a1'],
    );
  });

  await check(
    'a frozen configuration is accepted, and a wrong one is rejected without its secret',
    async () => {
      const config = Object.freeze({ scopes: Object.freeze(['rest_api:read']) });
      assert.equal(await outcome(install(parts, axios.create(), config).api.get('/v1/x')), 200);
      assert.throws(
        () => install(parts, axios.create(), { teamId: '', tokenTimeoutMs: 0, secret: SECRET }),
        (error) => {
          assert.equal(error.code, 'ERR_BIPSYNC_CONFIG');
          for (const name of ['teamId', 'tokenTimeoutMs', '"secret"'])
            assert.ok(error.message.includes(name));
          assert.deepEqual(leaksIn(printed(error)), []);
          return true;
        },
      );
    },
  );

  // Where the build is not strict, a write to a frozen object does nothing, instead of throwing.
  await check('a config that is frozen before its answer comes shows no token', async () => {
    const inner = axios.getAdapter('http');
    let sent;
    const adapter = (config) => {
      const answer = inner(config);
      if (config.url === '/v1/x') sent = Object.freeze(config);
      return answer;
    };
    await outcome(install(parts, axios.create({ adapter })).api.get('/v1/x'));
    assert.deepEqual(tokensAt(bipsync, bipsync), [1]);
    assert.deepEqual(leaksIn(printed(sent)), []);
  });

  for (const [name, value] of Object.entries({
    get: () => 'x',
    set: () => {},
    value: 'x',
  })) {
    await check(`a "${name}" on Object.prototype is no part of what the plugin defines`, async () => {
      const httpAgent = new Agent({ keepAlive: true });
      const { api } = create({ adapter: 'http', httpAgent });
      const got = [];
      bipsync.statuses.push(200, 404);
      // By assignment, since the description of a definition would inherit it too.
      Object.prototype[name] = value;
      try {
        got.push(await outcome(api.get('/v1/x')));
        got.push(await api.get('/v1/x').catch((error) => error));
      } finally {
        delete Object.prototype[name];
      }
      const [status, error] = got;
      assert.deepEqual([status, error.status], [200, 404]);
      assert.deepEqual(leaksIn(printed(error)), []);
      assert.equal(typeof httpAgent.sockets, 'object');
      assert.equal(await outcome(api.get('/v1/x')), 200);
      httpAgent.destroy();
    });
  }

  await check('headers that an adapter freezes before it has answered do not end the process', () => {
    const script = fileURLToPath(new URL('frozen-headers.cjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [script, kind], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
}
