import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type BipsyncEmulator, startBipsyncEmulator } from 'axios-bipsync-auth/testing';

import { HealthModule } from './health.module';

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
  app = await NestFactory.create(HealthModule, { logger: false });
  await app.listen(0, '127.0.0.1');
});

afterEach(async () => {
  await app.close();
  await emulator.close();
});

async function health(check: string): Promise<{ status: number; bipsync: Record<string, unknown> }> {
  const answer = await fetch(`${await app.getUrl()}/health/${check}`);
  const { details } = (await answer.json()) as { details: { bipsync: Record<string, unknown> } };
  return { status: answer.status, bipsync: details.bipsync };
}

for (const check of ['token', 'api']) {
  test(`/health/${check} says "up" with a token`, async () => {
    assert.deepEqual(await health(check), { status: 200, bipsync: { status: 'up' } });
  });

  test(`/health/${check} says "down" if the login is refused`, async () => {
    emulator.failTokenRequests({ status: 401, body: { error: 'invalid_client' } });
    const { status, bipsync } = await health(check);
    assert.equal(status, 503);
    assert.equal(bipsync['status'], 'down');
    assert.ok(!JSON.stringify(bipsync).includes(emulator.clientSecret));
  });
}

test('/health/token asks for one token, however often it is called', async () => {
  for (let call = 0; call < 10; call += 1) await health('token');
  assert.equal(emulator.tokenRequests, 1);
  assert.equal(emulator.apiRequests, 0);
});

test('/health/token names the reason', async () => {
  emulator.failTokenRequests({ status: 401, body: { error: 'invalid_client' } });
  assert.equal((await health('token')).bipsync['code'], 'ERR_BIPSYNC_CREDENTIALS');
});
