import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { HttpService } from '@nestjs/axios';
import { Test } from '@nestjs/testing';
import { BIPSYNC_AUTH } from 'axios-bipsync-auth/nestjs';
import { type BipsyncEmulator, startBipsyncEmulator } from 'axios-bipsync-auth/testing';
import { firstValueFrom, of } from 'rxjs';

import { BipsyncModule } from './http-module.module';
import { ResearchModule, ResearchService } from './research.module';
import { ContentTypes, TenantsModule } from './tenants.module';

const emulators: BipsyncEmulator[] = [];

before(async () => {
  for (const prefix of ['BIPSYNC', 'ACME', 'GLOBEX']) {
    const emulator = await startBipsyncEmulator();
    emulators.push(emulator);
    Object.assign(process.env, {
      [`${prefix}_BASE_URL`]: emulator.url,
      [`${prefix}_CLIENT_ID`]: emulator.clientId,
      [`${prefix}_CLIENT_SECRET`]: emulator.clientSecret,
      [`${prefix}_TEAM_ID`]: emulator.teamId,
      [`${prefix}_SCOPES`]: 'rest_api:read',
    });
  }
});

beforeEach(() => emulators.forEach((emulator) => emulator.resetCounters()));

after(() => Promise.all(emulators.map((emulator) => emulator.close())));

const tokenRequests = (): number[] => emulators.map((emulator) => emulator.tokenRequests);

test("Nest's HttpModule takes the plugin, in one testing module after another", async () => {
  for (let module = 0; module < 2; module += 1) {
    const application = await Test.createTestingModule({ imports: [BipsyncModule] }).compile();
    await application.init();
    const http = application.get(HttpService, { strict: false });
    assert.equal((await firstValueFrom(http.get('/v1/contenttype'))).status, 200);
    await application.close();
  }
  assert.deepEqual(tokenRequests(), [2, 0, 0]);
});

test('two tenants in one application have tokens of their own', async () => {
  const application = await Test.createTestingModule({ imports: [TenantsModule] }).compile();
  await application.init();
  assert.deepEqual(await application.get(ContentTypes).statuses(), [200, 200]);
  assert.deepEqual(tokenRequests(), [0, 1, 1]);
  await application.close();
});

test('a test that overrides HttpService and BIPSYNC_AUTH needs no credentials', async () => {
  const environment = { ...process.env };
  for (const name of Object.keys(environment)) if (name.startsWith('BIPSYNC_')) delete process.env[name];
  const application = await Test.createTestingModule({ imports: [ResearchModule] })
    .overrideProvider(HttpService)
    .useValue({ get: () => of({ data: { id: 'note-1', title: 'A note' } }) })
    .overrideProvider(BIPSYNC_AUTH)
    .useValue({})
    .compile();
  await application.init();
  const note = await firstValueFrom(application.get(ResearchService).find('note-1'));
  assert.deepEqual(note, { id: 'note-1', title: 'A note' });
  await application.close();
  Object.assign(process.env, environment);
});
