import { HttpService } from '@nestjs/axios';
import { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import nock from 'nock';
import { of } from 'rxjs';
import request from 'supertest';
import { AppModule } from 'src/app.module';

const fields = [{ id: 'field-1', name: 'Rating' }];

describe('the application (e2e), with nock', () => {
  let app: INestApplication;

  const bipsync = () =>
    nock('https://acme-api.bipsync.com', { reqheaders: { authorization: 'Bearer test-token' } });

  beforeAll(() => {
    nock.disableNetConnect();
    nock.enableNetConnect('127.0.0.1');
  });

  beforeEach(async () => {
    const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = module.createNestApplication();
    await app.init();
    nock('https://acme-api.bipsync.com')
      .post('/v1/oauth/token', {
        grant_type: 'client_credentials',
        client_id: 'test-client',
        client_secret: 'test-secret',
        scope: /(?=.*rest_api:read)(?=.*rest_api:write)(?=.*team_65df73340142feec34d7d6ee)/,
      })
      .reply(200, { token_type: 'bearer', access_token: 'test-token', expires_in: 3600 });
  });

  afterEach(async () => {
    await app.close();
    expect(nock.pendingMocks()).toEqual([]);
    nock.cleanAll();
  });

  afterAll(() => nock.restore());

  it('GET /fields', async () => {
    bipsync()
      .get('/v1/field')
      .query({ limit: 50 })
      .reply(200, { total: 1, offset: 0, limit: 50, results: fields });
    await request(app.getHttpServer()).get('/fields').expect(200).expect(fields);
  });

  it('GET /fields logs in once', async () => {
    bipsync().get('/v1/field').query(true).times(2).reply(200, { results: fields });
    await request(app.getHttpServer()).get('/fields').expect(200);
    await request(app.getHttpServer()).get('/fields').expect(200);
  });

  it('GET /fields, if Bipsync fails', async () => {
    bipsync().get('/v1/field').query(true).reply(500, { message: 'try again' });
    await request(app.getHttpServer()).get('/fields').expect(502);
  });

  it('POST /notes', async () => {
    bipsync().post('/v2/research/note', { title: 'A note', user: 'analyst-1' }).reply(200, { id: 'note-1' });
    await request(app.getHttpServer())
      .post('/notes')
      .send({ title: 'A note' })
      .expect(201)
      .expect({ id: 'note-1' });
  });
});

describe('the application (e2e), with HttpService overridden', () => {
  let app: INestApplication;

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(HttpService)
      .useValue({ get: jest.fn(() => of({ data: { results: fields } })) })
      .compile();
    app = module.createNestApplication();
    await app.init();
  });

  afterAll(() => app.close());

  it('GET /fields', () => request(app.getHttpServer()).get('/fields').expect(200).expect(fields));
});
