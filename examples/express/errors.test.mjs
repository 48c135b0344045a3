import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';

import axios from 'axios';
import { installBipsyncAuth } from 'axios-bipsync-auth';
import { startBipsyncEmulator } from 'axios-bipsync-auth/testing';

import { createApp } from './app.mjs';

let emulator;
let server;

beforeEach(async () => {
  emulator = await startBipsyncEmulator();
  const bipsync = axios.create();
  const { url: baseURL, clientId, clientSecret, teamId } = emulator;
  installBipsyncAuth(bipsync, { baseURL, clientId, clientSecret, teamId, scopes: ['rest_api:read'] });
  server = createApp(bipsync).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  server.close();
  await emulator.close();
});

const get = () => fetch(`http://127.0.0.1:${server.address().port}/content-types`);

test('an answer of Bipsync is passed on', async () => {
  const answer = await get();
  assert.equal(answer.status, 200);
  assert.ok((await answer.json()).length > 0);
});

test('a refused login becomes 503 with Retry-After, also while the plugin does not ask again', async () => {
  emulator.failTokenRequests({ status: 401, body: { error: 'invalid_client' } });
  for (let request = 0; request < 2; request += 1) {
    const answer = await get();
    assert.equal(answer.status, 503);
    assert.match(answer.headers.get('Retry-After'), /^([1-9]|[1-2]\d|30)$/);
    assert.deepEqual(await answer.json(), { error: 'Bipsync is not available at the moment.' });
  }
  assert.equal(emulator.tokenRequests, 1);
});

test('a 401 of the API that a new token does not help becomes 503', async () => {
  emulator.failApiRequests({ status: 401 }, 2);
  assert.equal((await get()).status, 503);
});

test('another failure of Bipsync becomes 502', async () => {
  emulator.failApiRequests({ status: 500 });
  assert.equal((await get()).status, 502);
});
