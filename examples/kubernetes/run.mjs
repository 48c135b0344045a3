// @ts-check
/**
 * Runs the service on an emulator, and replaces its secret as Kubernetes does: the file is a link, which is replaced.
 *
 * Run: node examples/kubernetes/run.mjs
 */
import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startBipsyncEmulator } from 'axios-bipsync-auth/testing';

const emulator = await startBipsyncEmulator();
const folder = await mkdtemp(join(tmpdir(), 'secrets-'));
const file = join(folder, 'client-secret');

/** @param {string} secret */
async function mount(secret) {
  const version = join(folder, `version-${Date.now()}`);
  await writeFile(version, `${secret}\n`, { mode: 0o400 });
  await symlink(version, `${file}.new`);
  await rename(`${file}.new`, file);
}

await mount(emulator.clientSecret);
delete process.env.BIPSYNC_CLIENT_SECRET;
Object.assign(process.env, {
  BIPSYNC_BASE_URL: emulator.url,
  BIPSYNC_CLIENT_ID: emulator.clientId,
  BIPSYNC_CLIENT_SECRET_FILE: file,
  BIPSYNC_TEAM_ID: emulator.teamId,
  BIPSYNC_SCOPES: 'rest_api:read',
});
const { countNotes } = await import('./service.mjs');
console.log(`${await countNotes()} notes with the first secret`);

await mount(emulator.rotateSecret());
emulator.revokeTokens();
console.log(`${await countNotes()} notes with the second one, and no restart`);

assert.equal(emulator.tokenRequests, 2);
await emulator.close();
await rm(folder, { recursive: true });
