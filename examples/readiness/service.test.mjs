import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { startBipsyncEmulator } from 'axios-bipsync-auth/testing';

import { startService } from './service.mjs';

let emulator;
let config;

beforeEach(async () => {
  emulator = await startBipsyncEmulator();
  const { url: baseURL, clientId, clientSecret, teamId } = emulator;
  config = { baseURL, clientId, clientSecret, teamId, scopes: ['rest_api:read'] };
});

afterEach(() => emulator.close());

test('the warm-up makes the only token request, for any number of checks', async () => {
  const { url, stop } = await startService(config, { drainMs: 0 });
  for (let check = 0; check < 10; check += 1) assert.equal((await fetch(`${url}/ready`)).status, 200);
  assert.equal(emulator.tokenRequests, 1);
  await stop();
});

test('without a token the service starts and is live, but not ready', async () => {
  emulator.failTokenRequests({ status: 401, body: { error: 'invalid_client' } });
  const { url, stop } = await startService(config, { drainMs: 0 });
  assert.equal((await fetch(`${url}/live`)).status, 200);
  const ready = await fetch(`${url}/ready`);
  assert.equal(ready.status, 503);
  assert.match(ready.headers.get('Retry-After'), /^([1-9]|[1-2]\d|30)$/);
  assert.deepEqual(await ready.json(), { status: 'no token', code: 'ERR_BIPSYNC_CREDENTIALS' });
  await stop();
});

test('a service that stops is not ready, and ends its requests with their tokens', async () => {
  const { url, stop } = await startService(config, { drainMs: 200 });
  assert.equal((await fetch(`${url}/ready`)).status, 200);
  emulator.revokeTokens();
  const underWay = fetch(`${url}/content-types`);
  const stopped = stop();
  const ready = await fetch(`${url}/ready`);
  assert.deepEqual([ready.status, await ready.json()], [503, { status: 'stopping' }]);
  assert.equal((await underWay).status, 200);
  await stopped;
  await assert.rejects(fetch(`${url}/live`));
});
