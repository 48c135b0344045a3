/** What the version matrix runs everywhere: prints one line per check, `ok` or `FAIL`; status 1 on a failure. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

import axios from 'axios';
import { installBipsyncAuth, isBipsyncAuthError } from 'axios-bipsync-auth';
import { startBipsyncEmulator } from 'axios-bipsync-auth/testing';

const BURST = 50;

const other = createServer((request, response) => {
  other.authorizations.push(request.headers.authorization);
  response.setHeader('Content-Type', 'application/json');
  response.end('{}');
});
other.authorizations = [];
await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
const elsewhere = `http://127.0.0.1:${other.address().port}`;
const bipsync = await startBipsyncEmulator();

for (const adapter of ['http', 'fetch']) {
  const check = async (name, run) => {
    bipsync.clearFaults();
    bipsync.resetCounters();
    other.authorizations.length = 0;
    try {
      await withDeadline(run());
      console.log(`ok ${adapter}: ${name}`);
    } catch (error) {
      console.log(`FAIL ${adapter}: ${name}: ${String(error?.message ?? error).split('\n')[0]}`);
      process.exitCode = 1;
    }
  };
  const create = (changes) => createClient(axios, installBipsyncAuth, adapter, changes);
  const api = create();
  const burst = () => Promise.all(Array.from({ length: BURST }, () => api.get('/v1/research')));

  await check('cold burst', async () => {
    for (const { status } of await burst()) assert.equal(status, 200);
    assert.equal(bipsync.tokenRequests, 1);
  });
  await check('revocation', async () => {
    bipsync.revokeTokens();
    for (const { status } of await burst()) assert.equal(status, 200);
    assert.equal(bipsync.tokenRequests, 1);
  });
  await check('a body is sent again whole', async () => {
    bipsync.revokeTokens();
    const { data } = await api.post('/v1/echo', { text: 'übergröße' });
    assert.equal(data.body.length, Buffer.byteLength('{"text":"übergröße"}'));
  });
  await check('wrong secret', async () => {
    const wrong = create({ clientSecret: 'not-the-secret' });
    for (let count = 0; count < 3; count += 1) {
      const error = await rejection(wrong.get('/v1/research'));
      assert.equal(error.code, 'ERR_BIPSYNC_CREDENTIALS');
      assert.ok(!JSON.stringify(error).includes('not-the-secret'));
    }
    assert.deepEqual([bipsync.tokenRequests, bipsync.apiRequests], [1, 0]);
  });
  await check('wrong scope', async () => {
    const error = await rejection(create({ scopes: ['nothing:read'] }).get('/v1/research'));
    assert.equal(error.code, 'ERR_BIPSYNC_SCOPE');
  });
  await check('token endpoint out of order', async () => {
    bipsync.failTokenRequests({ status: 503 });
    assert.equal((await create().get('/v1/research')).status, 200);
    assert.equal(bipsync.tokenRequests, 2);
  });
  await check('no token to another host', async () => {
    await api.get(`${elsewhere}/`);
    await api.get('/', { baseURL: elsewhere });
    assert.deepEqual(other.authorizations, [undefined, undefined]);
  });
  await check('no token after a redirect to another host', async () => {
    bipsync.failApiRequests({ redirectTo: `${elsewhere}/`, status: 302 });
    await api.get('/v1/research');
    assert.deepEqual(other.authorizations, [undefined]);
  });
  await check('no secret after a redirect of the token request', async () => {
    bipsync.failTokenRequests({ redirectTo: `${elsewhere}/` }, Infinity);
    const { code } = await rejection(create().get('/v1/research'));
    assert.deepEqual(other.authorizations, []);
    assert.equal(code, 'ERR_BIPSYNC_TOKEN_REQUEST');
  });
  await check('a failed request shows no token', async () => {
    bipsync.failApiRequests({ status: 500 });
    const error = await rejection(api.get('/v1/research'));
    assert.ok(axios.isAxiosError(error));
    assert.ok(!/Bearer/.test(JSON.stringify(error) + JSON.stringify(error.toJSON())));
  });
  await check('cancelling a request that waits for its token', async () => {
    bipsync.tokenDelayMs = 200;
    const waiting = create().get('/v1/research', { signal: globalThis.AbortSignal.timeout(20) });
    assert.ok(axios.isCancel(await rejection(waiting)));
    bipsync.tokenDelayMs = 0;
    assert.equal(bipsync.apiRequests, 0);
  });
  for (const load of ['import', 'require']) {
    await check(`an instance of another copy of axios, by ${load}`, async () => {
      const require = createRequire(import.meta.url);
      const copy = load === 'import' ? (await import('other-axios')).default : require('other-axios');
      // A combination that cannot work is refused at installation, so that no request goes out without a token.
      let client;
      try {
        client = createClient(copy, installBipsyncAuth, adapter, {});
      } catch (error) {
        assert.equal(error.code, 'ERR_BIPSYNC_CONFIG');
        return;
      }
      for (let count = 0; count < 2; count += 1) {
        assert.equal((await client.get('/v1/research')).status, 200);
        bipsync.revokeTokens();
      }
      assert.equal(bipsync.tokenRequests, 2);
      await client.get(`${elsewhere}/`);
      assert.deepEqual(other.authorizations, [undefined]);
    });
  }
  await check('CommonJS beside ESM', async () => {
    const require = createRequire(import.meta.url);
    const plugin = require('axios-bipsync-auth');
    const client = createClient(require('axios'), plugin.installBipsyncAuth, adapter, {});
    assert.equal((await client.get('/v1/research')).status, 200);
    bipsync.failTokenRequests({ status: 403 });
    const refused = createClient(require('axios'), plugin.installBipsyncAuth, adapter, {});
    assert.ok(isBipsyncAuthError(await rejection(refused.get('/v1/research'))));
  });
}
await bipsync.close();
other.closeAllConnections?.();
other.close();

function createClient(axios, install, adapter, changes) {
  const api = axios.create({ adapter });
  const { url: baseURL, clientId, clientSecret, teamId } = bipsync;
  install(api, { baseURL, clientId, clientSecret, teamId, scopes: ['rest_api:read'], ...changes });
  return api;
}

async function rejection(promise) {
  return promise.then(
    () => assert.fail('the request was fulfilled'),
    (error) => error,
  );
}

async function withDeadline(promise) {
  let timer;
  const tooLate = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('not over within 10 s')), 10_000);
  });
  return Promise.race([promise, tooLate]).finally(() => clearTimeout(timer));
}
