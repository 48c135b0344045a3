/* global afterEach, beforeEach, expect, test */
const axios = require('axios');
const { installBipsyncAuth } = require('axios-bipsync-auth');
const { startBipsyncEmulator } = require('axios-bipsync-auth/testing');

let emulator;
beforeEach(async () => {
  emulator = await startBipsyncEmulator();
});
afterEach(() => emulator.close());

function connect(changes = {}) {
  const { url: baseURL, clientId, clientSecret, teamId } = emulator;
  const bipsync = axios.create();
  const scopes = ['rest_api:read', 'rest_api:write'];
  installBipsyncAuth(bipsync, { baseURL, clientId, clientSecret, teamId, scopes, ...changes });
  return bipsync;
}

test('a note is created although the token was revoked in the meantime', async () => {
  const bipsync = connect();
  await bipsync.get('/v1/research');
  emulator.revokeTokens();
  const { data } = await bipsync.post('/v2/research/note', { user: 'user-1' });
  expect(data.id).toBe('note-26');
  expect(emulator.tokenRequests).toBe(2);
});

test('a scope that the client may not ask for is named', async () => {
  const bipsync = connect({ scopes: ['projects:write'] });
  await expect(bipsync.get('/v1/research')).rejects.toMatchObject({
    code: 'ERR_BIPSYNC_SCOPE',
    message: expect.stringContaining('projects:write'),
  });
});

test('the second page of a list follows the first', async () => {
  const bipsync = connect();
  const { data } = await bipsync.get('/v1/research', { params: { offset: 20, limit: 10 } });
  expect([data.total, data.results.length]).toEqual([25, 5]);
});
