import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import axios from 'axios';
import { installBipsyncAuth } from 'axios-bipsync-auth';
import { startBipsyncEmulator } from 'axios-bipsync-auth/testing';

import { createNote } from './uploads.mjs';

const content = randomBytes(200_000);
let emulator;
let bipsync;
let folder;

beforeEach(async () => {
  emulator = await startBipsyncEmulator({ record: true });
  const { url: baseURL, clientId, clientSecret, teamId } = emulator;
  bipsync = axios.create();
  const scopes = ['rest_api:read', 'rest_api:write'];
  installBipsyncAuth(bipsync, { baseURL, clientId, clientSecret, teamId, scopes });
  folder = await mkdtemp(join(tmpdir(), 'upload-'));
  await writeFile(join(folder, 'model.xlsx'), content);
});

afterEach(async () => {
  await emulator.close();
  await rm(folder, { recursive: true });
});

function upload(file = 'model.xlsx') {
  const note = { user: 'user-1', title: 'A note', file: join(folder, file), contentUrl: '/v1/echo' };
  return createNote(bipsync, note);
}

test('a note is created and a file arrives with it, byte for byte', async () => {
  const { content: arrived } = await upload();
  assert.equal(arrived.body.sha256, createHash('sha256').update(content).digest('hex'));
  assert.equal(emulator.tokenRequests, 1);
});

test('a file arrives whole although the token is revoked before it is sent', async () => {
  let answered = 0;
  bipsync.interceptors.response.use((response) => {
    answered += 1;
    if (answered === 2) emulator.revokeTokens();
    return response;
  });
  const { content: arrived } = await upload();
  assert.equal(arrived.body.length, content.length);
  assert.deepEqual(
    emulator.requests.map(({ status }) => status),
    [201, 201, 401, 200],
  );
  assert.equal(emulator.tokenRequests, 2);
});

test('a file that does not exist is an error, before anything of it is sent', async () => {
  await assert.rejects(upload('missing.xlsx'), { code: 'ENOENT' });
});
