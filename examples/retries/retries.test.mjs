import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { startBipsyncEmulator } from 'axios-bipsync-auth/testing';

import { createBipsync } from './bipsync.mjs';

let emulator;
let bipsync;

beforeEach(async () => {
  emulator = await startBipsyncEmulator({ record: true });
  const { url: baseURL, clientId, clientSecret, teamId } = emulator;
  const scopes = ['rest_api:read', 'rest_api:write'];
  bipsync = createBipsync({ baseURL, clientId, clientSecret, teamId, scopes }, { firstDelayMs: 10 });
});

afterEach(() => emulator.close());

const statuses = () => emulator.requests.map(({ status }) => status);

test('a GET goes on after a 429 and a 500, with the same token', async () => {
  emulator.failApiRequests({ status: 429, headers: { 'Retry-After': '0' } });
  emulator.failApiRequests({ status: 500 });
  assert.equal((await bipsync.get('/v1/contenttype')).status, 200);
  assert.deepEqual(statuses(), [429, 500, 200]);
  assert.equal(emulator.tokenRequests, 1);
});

test('a POST is repeated after a 429, and not after a 500', async () => {
  const post = () => bipsync.post('/v2/research/note', { user: 'user-1' });
  emulator.failApiRequests({ status: 429 });
  assert.equal((await post()).status, 201);
  emulator.failApiRequests({ status: 500 });
  await assert.rejects(post(), (error) => error.response.status === 500);
  assert.deepEqual(statuses(), [429, 201, 500]);
});

test('a revoked token is replaced without a retry of axios-retry', async () => {
  await bipsync.get('/v1/contenttype');
  emulator.revokeTokens();
  const { config } = await bipsync.get('/v1/contenttype');
  assert.equal(config['axios-retry'].retryCount, 0);
  assert.deepEqual(statuses(), [200, 401, 200]);
});

test('refused credentials are not asked about again', async () => {
  emulator.rotateSecret();
  await assert.rejects(bipsync.get('/v1/contenttype'), { code: 'ERR_BIPSYNC_CREDENTIALS' });
  assert.equal(emulator.tokenRequests, 1);
});
