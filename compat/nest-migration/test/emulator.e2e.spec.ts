import { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { BipsyncEmulator, startBipsyncEmulator } from 'axios-bipsync-auth/testing';
import request from 'supertest';
import { AppModule } from 'src/app.module';

describe('the application (e2e), with the emulator', () => {
  const environment = { ...process.env };
  let emulator: BipsyncEmulator;
  let app: INestApplication | undefined;

  beforeAll(async () => {
    emulator = await startBipsyncEmulator();
    // Without `validate`, ConfigService reads process.env when the factory of BipsyncModule runs.
    Object.assign(process.env, {
      BIPSYNC_BASE_URL: emulator.url,
      BIPSYNC_CLIENT_ID: emulator.clientId,
      BIPSYNC_CLIENT_SECRET: emulator.clientSecret,
      BIPSYNC_TEAM_ID: emulator.teamId,
      BIPSYNC_SCOPES: 'rest_api:read rest_api:write', // as in your module: GET /v1/field needs rest_api:fields:read
    });
    const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = module.createNestApplication();
    await app.init();
  });

  afterAll(async () => {
    await emulator.close();
    await app?.close();
    Object.assign(process.env, environment);
  });

  it('POST /notes', async () => {
    await request(app?.getHttpServer()).post('/notes').send({ title: 'A note' }).expect(201);
    expect(emulator.tokenRequests).toBe(1);
  });
});
