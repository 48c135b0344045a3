// Runs the handler as Lambda would: two execution environments one after the other, three invocations each, and a third
// one without Redis. Against an emulator on this machine.
//
//   REDIS_URL=redis://127.0.0.1:6379 node examples/lambda/run.mjs
import { startBipsyncEmulator } from 'axios-bipsync-auth/testing';
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

if (process.argv[2] === 'environment') await runEnvironment();
else await runAll();

/** One execution environment: it loads the handler once and is invoked three times. */
async function runEnvironment() {
  const { handler, close } = await import('./handler.mjs');
  for (const id of ['note-1', 'note-2', 'note-3']) {
    const { statusCode } = await handler({ id });
    console.log(`  ${id}: ${statusCode}`);
  }
  await close();
}

async function runAll() {
  const emulator = await startBipsyncEmulator();
  const environment = {
    BIPSYNC_BASE_URL: emulator.url,
    BIPSYNC_CLIENT_ID: emulator.clientId,
    BIPSYNC_CLIENT_SECRET: emulator.clientSecret,
    BIPSYNC_TEAM_ID: emulator.teamId,
    BIPSYNC_SCOPES: 'rest_api:read',
    TOKEN_KEY: randomBytes(32).toString('base64'),
  };
  const nobodyListens = 'redis://127.0.0.1:1';
  const runs = [
    ['a first environment asks for a token and stores it', environment, 1],
    ['a second one takes it from Redis', environment, 0],
    ['a third one, without Redis, asks for its own', { ...environment, REDIS_URL: nobodyListens }, 1],
  ];

  for (const [what, variables, expected] of runs) {
    console.log(what);
    const before = emulator.tokenRequests;
    const child = fork(fileURLToPath(import.meta.url), ['environment'], {
      env: { ...process.env, ...variables },
    });
    const [code] = await once(child, 'exit');
    const tokenRequests = emulator.tokenRequests - before;
    console.log(`  ${tokenRequests} token request(s)`);
    if (code !== 0 || tokenRequests !== expected) process.exitCode = 1;
  }
  await emulator.close();
}
