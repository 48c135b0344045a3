// Runs every example against an emulator of its own and, for those that share tokens, a Redis of their own. Each has to end
// by itself, in time, with status 0.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { startBipsyncEmulator } from '../dist/testing.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const build = mkdtempSync(join(root, '.examples-'));
const bundle = ['--bundle', '--platform=node', '--format=cjs', '--packages=external', `--outdir=${build}`];

/** What runs an example: its folder holds what is named first in this list. */
const entries = [
  { file: 'index.mjs', args: (path) => [path] },
  { file: 'run.mjs', args: (path) => [path] },
  { file: 'node-redis.mjs', args: (path) => [path] },
  { file: 'ioredis.mjs', args: (path) => [path] },
  { file: 'after.mjs', args: (path) => [path] },
  { file: 'before.mjs', args: (path) => [path] },
  { file: 'emulator.test.mjs', args: (path) => ['--test', path] },
  { file: 'mock-adapter.test.mjs', args: (path) => ['--test', path] },
  {
    file: 'main.ts',
    args(path) {
      spawnSync(`${root}node_modules/.bin/esbuild`, [path, ...bundle], { stdio: 'inherit' });
      return [join(build, 'main.js')];
    },
  },
];

const redis = await startRedis();
let passed = 0;
let failed = 0;
for (const name of readdirSync(`${root}examples`).sort()) {
  const folder = `${root}examples/${name}`;
  const found = entries.filter(({ file }) => existsSync(`${folder}/${file}`));
  if (found.length === 0 && !name.endsWith('.md')) found.push(undefined);
  for (const entry of found) {
    const status = entry ? await run(entry.args(`${folder}/${entry.file}`)) : 'no entry file';
    console.log(
      `${status === 0 ? 'ok    ' : `not ok (${status})`} examples/${name}${entry ? `/${entry.file}` : ''}`,
    );
    if (status === 0) passed += 1;
    else failed += 1;
  }
}
redis?.kill();
rmSync(build, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function run(args) {
  const emulator = await startBipsyncEmulator();
  const env = {
    ...process.env,
    BIPSYNC_BASE_URL: emulator.url,
    BIPSYNC_CLIENT_ID: emulator.clientId,
    BIPSYNC_CLIENT_SECRET: emulator.clientSecret,
    BIPSYNC_TEAM_ID: emulator.teamId,
    BIPSYNC_SCOPES: 'rest_api:read rest_api:write research:read',
    ...(redis && { REDIS_URL: redis.url }),
  };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const status = await new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)));
  await emulator.close();
  if (status !== 0) console.log(output);
  return status;
}

async function startRedis() {
  if (spawnSync('redis-server', ['--version']).status !== 0) {
    if (process.env.CI) throw new Error('redis-server is not installed');
    console.log('redis-server is not installed: the examples that need it will fail');
    return undefined;
  }
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'examples-redis-'));
  const options = ['--save', '', '--appendonly', 'no', '--dir', dir, '--port', port, '--bind', '127.0.0.1'];
  const server = spawn('redis-server', options.map(String), { stdio: 'ignore' });
  await sleep(500);
  return {
    url: `redis://127.0.0.1:${port}`,
    kill() {
      server.kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
