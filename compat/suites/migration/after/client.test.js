/* global afterEach, beforeEach, describe, expect, it */
const MockAdapter = require('axios-mock-adapter');
const { mockBipsyncToken } = require('axios-bipsync-auth/testing');

Object.assign(process.env, {
  BIPSYNC_CLIENT_ID: 'test-client',
  BIPSYNC_CLIENT_SECRET: 'test-secret',
  BIPSYNC_TEAM_ID: '1',
});
const { api, createNote, getResearch } = require('./client');

describe('Bipsync client', () => {
  const mock = new MockAdapter(api);

  beforeEach(() => {
    mockBipsyncToken(mock, { accessToken: 'test-token' });
  });

  afterEach(() => {
    mock.reset();
  });

  it('sends the bearer token', async () => {
    mock.onGet('/v1/research').reply(200, { results: [{ id: '1' }] });
    expect(await getResearch()).toEqual([{ id: '1' }]);
    expect(mock.history.get[0].headers.Authorization).toBe('Bearer test-token');
  });

  it('creates a note', async () => {
    mock.onPost('/v2/research/note').reply(201, { id: '2' });
    expect(await createNote({ user: 'u1', title: 'Q3' })).toEqual({ id: '2' });
    expect(mock.history.post.length).toBe(1);
    expect(mock.history.post[0].url).toBe('/v2/research/note');
    expect(JSON.parse(mock.history.post[0].data)).toEqual({ user: 'u1', title: 'Q3' });
  });

  it('passes query parameters', async () => {
    mock.onGet('/v1/research', { params: { limit: 5 } }).reply(200, { results: [] });
    expect(await getResearch({ limit: 5 })).toEqual([]);
  });

  it('logs in again on a 401 and repeats the request', async () => {
    mock
      .onGet('/v1/research')
      .replyOnce(401)
      .onGet('/v1/research')
      .reply(200, { results: [{ id: '3' }] });
    expect(await getResearch()).toEqual([{ id: '3' }]);
    expect(mock.history.get).toHaveLength(2);
  });

  it('rejects with the error of the server', async () => {
    mock.onGet('/v1/research').reply(500, { error: 'oops' });
    await expect(getResearch()).rejects.toMatchObject({ response: { status: 500, data: { error: 'oops' } } });
  });
});
