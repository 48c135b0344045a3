import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';

import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type BipsyncEmulator, startBipsyncEmulator } from 'axios-bipsync-auth/testing';

import { ResearchModule } from './research.module';

let emulator: BipsyncEmulator;
let app: INestApplication;

beforeEach(async () => {
  emulator = await startBipsyncEmulator();
  Object.assign(process.env, {
    BIPSYNC_BASE_URL: emulator.url,
    BIPSYNC_CLIENT_ID: emulator.clientId,
    BIPSYNC_CLIENT_SECRET: emulator.clientSecret,
    BIPSYNC_TEAM_ID: emulator.teamId,
    BIPSYNC_SCOPES: 'rest_api:read',
  });
  app = await NestFactory.create(ResearchModule, { logger: false });
  await app.listen(0, '127.0.0.1');
});

afterEach(async () => {
  await app.close();
  await emulator.close();
});

function get(path: string): Promise<Response> {
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  return fetch(`http://127.0.0.1:${port}${path}`);
}

test('a refused login becomes 503 with Retry-After, also while the plugin does not ask again', async () => {
  emulator.failTokenRequests({ status: 401, body: { error: 'invalid_client' } });
  for (let request = 0; request < 2; request += 1) {
    const answer = await get('/research/note-1');
    assert.equal(answer.status, 503);
    assert.match(String(answer.headers.get('Retry-After')), /^([1-9]|[1-2]\d|30)$/);
    assert.match(await answer.text(), /Bipsync is not available at the moment/);
  }
  assert.equal(emulator.tokenRequests, 1);
});

test('a 401 of the API that a new token does not help becomes 503', async () => {
  emulator.failApiRequests({ status: 401 }, 2);
  assert.equal((await get('/research/note-1')).status, 503);
});

test('another failure of Bipsync becomes 502', async () => {
  emulator.failApiRequests({ status: 500 });
  assert.equal((await get('/research/note-1')).status, 502);
});

test('a 404 of Bipsync that the service expects stays a 404', async () => {
  assert.equal((await get('/research/no-such-note')).status, 404);
});

test('an error that has nothing to do with Bipsync stays as it is', async () => {
  assert.equal((await get('/nowhere')).status, 404);
});
