/**
 * A SQLite file, through Keyv, as the token store of several processes.
 *
 * Usage: node run.mjs. `run.sh <tarball>` installs first.
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startBipsyncEmulator } from 'axios-bipsync-auth/testing';

import { createChecks } from '../checks.mjs';

const PROCESSES = 3;
const REQUESTS = 20;

const { check, finish } = createChecks();
const folder = mkdtempSync(join(tmpdir(), 'compat-sqlite-'));

for (const keys of [undefined, [{ name: 'k1', key: randomBytes(32).toString('base64') }]]) {
  const named = (what) => `${keys ? 'encrypted' : 'plain'}: ${what}`;
  const file = join(folder, keys ? 'encrypted.sqlite' : 'plain.sqlite');
  const bipsync = await startBipsyncEmulator();
  const settings = {
    file,
    keys,
    auth: {
      baseURL: bipsync.url,
      clientId: bipsync.clientId,
      clientSecret: bipsync.clientSecret,
      teamId: bipsync.teamId,
      scopes: ['rest_api:read'],
    },
  };
  const workers = [];
  const tokensAskedFor = async (run) => {
    const before = bipsync.tokenRequests;
    await run();
    return bipsync.tokenRequests - before;
  };

  await check(named(`${PROCESSES} processes, one after the other, share one token`), async () => {
    const tokens = await tokensAskedFor(async () => {
      for (let count = 0; count < PROCESSES; count += 1) {
        const worker = await startWorker(settings);
        workers.push(worker);
        assert.deepEqual(await worker.request(REQUESTS), { ok: REQUESTS, storeFailures: 0 });
      }
    });
    assert.equal(tokens, 1);
  });

  await check(named('after a revocation one new token serves them all'), async () => {
    bipsync.revokeTokens();
    const tokens = await tokensAskedFor(async () => {
      for (const worker of workers) {
        assert.deepEqual(await worker.request(REQUESTS), { ok: REQUESTS, storeFailures: 0 });
      }
    });
    assert.equal(tokens, 1);
  });

  await check(named('without a lock, all at once, at most one token a process'), async () => {
    bipsync.revokeTokens();
    const tokens = await tokensAskedFor(async () => {
      for (const answer of await Promise.all(workers.map((worker) => worker.request(REQUESTS)))) {
        assert.equal(answer.ok, REQUESTS);
      }
    });
    assert.ok(tokens >= 1 && tokens <= PROCESSES, `${tokens} token requests`);
  });

  await check(named('the file holds the token and not the secret, and nothing in clear if encrypted'), () => {
    const bytes = readFileSync(file, 'latin1');
    assert.ok(bytes.includes('bipsync-token-'));
    assert.equal(bytes.includes('accessToken'), keys === undefined);
    assert.ok(!bytes.includes(bipsync.clientSecret));
  });

  await check(named('requests go on when the database is closed'), async () => {
    const answer = await workers[0].request(REQUESTS, 'closeStore');
    assert.equal(answer.ok, REQUESTS);
    assert.ok(answer.storeFailures > 0);
  });

  for (const worker of workers) worker.stop();
  await bipsync.close();
}
rmSync(folder, { recursive: true });
finish();

async function startWorker(settings) {
  const child = fork(new URL('worker.mjs', import.meta.url));
  child.send(settings);
  await once(child, 'message');
  return {
    async request(count, before) {
      child.send({ count, before });
      const [answer] = await once(child, 'message');
      return answer;
    },
    stop: () => child.disconnect(),
  };
}
