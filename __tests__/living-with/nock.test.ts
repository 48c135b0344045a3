import axios, { type AxiosInstance } from 'axios';
import nock from 'nock';

import { installBipsyncAuth } from '../../src';
import { skipPauses } from '../support/pauses';
import { rejection } from '../support/scripted';

const HOME = 'https://acme-api.bipsync.com';

function createClient(adapter: 'http' | 'fetch'): AxiosInstance {
  const api = axios.create({ adapter });
  installBipsyncAuth(api, { client: 'acme', clientId: 'id', clientSecret: 'a-secret', teamId: '1' });
  return api;
}

/** A token request as the plugin makes it; nock matches the form. */
function answerToken(accessToken: string): nock.Scope {
  return nock(HOME)
    .post('/v1/oauth/token', {
      grant_type: 'client_credentials',
      client_id: 'id',
      client_secret: 'a-secret',
      scope: 'team_1',
    })
    .reply(200, { token_type: 'bearer', expires_in: 3600, access_token: accessToken });
}

const authorized = (accessToken: string): nock.Scope =>
  nock(HOME, { reqheaders: { authorization: `Bearer ${accessToken}` } });

skipPauses();

beforeAll(() => {
  nock.restore();
});
afterEach(() => {
  nock.cleanAll();
  nock.restore();
});

const places = (['http', 'fetch'] as const).flatMap((adapter) =>
  (['before', 'after'] as const).map((order) => ({ adapter, order })),
);

describe.each(places)('nock, activated $order the plugin, over $adapter', ({ adapter, order }) => {
  function mocked(): AxiosInstance {
    const activate = (): void => {
      nock.activate();
      nock.disableNetConnect();
    };
    if (order === 'before') activate();
    const api = createClient(adapter);
    if (order === 'after') activate();
    return api;
  }

  it('answers the token request and the request that carries the token', async () => {
    const api = mocked();
    answerToken('one');
    authorized('one').get('/v1/research').reply(200, { data: [] });
    expect((await api.get('/v1/research')).data).toEqual({ data: [] });
    expect(nock.isDone()).toBe(true);
  });

  it('answers a 401 once, and then the replay with another token', async () => {
    const api = mocked();
    answerToken('one');
    answerToken('two');
    authorized('one').post('/v1/research', { title: 'A' }).reply(401, { error: 'access_denied' });
    authorized('two').post('/v1/research', { title: 'A' }).reply(201);
    expect((await api.post('/v1/research', { title: 'A' })).status).toBe(201);
    expect(nock.isDone()).toBe(true);
  });

  it('another host gets no token', async () => {
    const api = mocked();
    nock('https://example.com', { badheaders: ['authorization'] })
      .get('/')
      .reply(200);
    expect((await api.get('https://example.com/')).status).toBe(200);
    expect(nock.isDone()).toBe(true);
  });

  it('errors and refused connections are what they are without the plugin', async () => {
    const api = mocked();
    answerToken('one');
    authorized('one').get('/v1/research').replyWithError('broken');
    expect(axios.isAxiosError(await rejection(api.get('/v1/research')))).toBe(true);
    expect(axios.isAxiosError(await rejection(api.get('/v1/field')))).toBe(true);
  });

  it('a token request that is not mocked gives ERR_BIPSYNC_TOKEN_UNAVAILABLE', async () => {
    const api = mocked();
    authorized('one').get('/v1/research').reply(200);
    expect(await rejection(api.get('/v1/research'))).toMatchObject({
      code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
    });
  });
});
