// @ts-check
/**
 * Over real HTTP, against an emulated Bipsync: for how an integration behaves when tokens expire, are revoked or refused.
 *
 * Run: node --test examples/testing/
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import axios from 'axios';
import { installBipsyncAuth } from 'axios-bipsync-auth';
import { startBipsyncEmulator } from 'axios-bipsync-auth/testing';

import { createNotes } from './notes.mjs';

/** @type {import('axios-bipsync-auth/testing').BipsyncEmulator} */
let emulator;
beforeEach(async () => {
  emulator = await startBipsyncEmulator();
});
afterEach(() => emulator.close());

function notesWith(changes = {}) {
  const { url: baseURL, clientId, clientSecret, teamId } = emulator;
  const scopes = ['rest_api:read', 'rest_api:write'];
  const bipsync = axios.create();
  installBipsyncAuth(bipsync, { baseURL, clientId, clientSecret, teamId, scopes, ...changes });
  return createNotes(bipsync);
}

test('reads the titles', async () => {
  const titles = await notesWith().titles();
  assert.equal(titles[0], 'Note 1');
  assert.equal(emulator.tokenRequests, 1);
});

test('creates a note although the token was revoked in the meantime', async () => {
  const notes = notesWith();
  await notes.titles();
  emulator.revokeTokens();
  assert.equal(await notes.create('Q3 review'), 'note-26');
  assert.equal(emulator.tokenRequests, 2);
});

test('reads the titles although the token endpoint fails once', async () => {
  emulator.failTokenRequests({ status: 503 });
  assert.notEqual((await notesWith().titles()).length, 0);
});

test('reports a wrong secret and sends nothing to the API', async () => {
  const notes = notesWith({ clientSecret: 'mistyped' });
  await assert.rejects(notes.titles(), { code: 'ERR_BIPSYNC_CREDENTIALS' });
  assert.equal(emulator.apiRequests, 0);
});
