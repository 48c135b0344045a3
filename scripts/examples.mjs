// Runs every example against an emulator of its own and, for those that share tokens, a Redis of their own. Each has to end
// by itself, in time, with status 0. Examples with a package.json have packages of their own.
//
// Usage: node scripts/examples.mjs [packed tarball]
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { startBipsyncEmulator } from '../dist/testing.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), 'examples-'));
const tsc = `${root}node_modules/typescript/bin/tsc`;
const esbuild = `${root}node_modules/.bin/esbuild`;

/** The files of a folder that are run, and how. */
const entries = [
  { file: /^(index|run|node-redis|ioredis|after|before)\.mjs$/, args: (path) => [path] },
  { file: /\.test\.mjs$/, args: (path) => ['--test', path] },
  { file: /^main\.ts$/, args: (path) => [compiled(path)] },
  { file: /\.test\.ts$/, args: (path) => ['--test', compiled(path)] },
];

const builds = [];
const redis = await startRedis();
let passed = 0;
let failed = 0;
for (const name of readdirSync(`${root}examples`).sort()) {
  if (name.endsWith('.md')) continue;
  const folder = `${root}examples/${name}`;
  if (existsSync(`${folder}/package.json`)) count(`examples/${name} (packages)`, install(folder));
  const files = readdirSync(folder).flatMap((file) => {
    const entry = entries.find((candidate) => candidate.file.test(file));
    return entry ? [{ file, args: entry.args }] : [];
  });
  if (files.length === 0) count(`examples/${name}`, 'no entry file');
  for (const { file, args } of files) {
    count(`examples/${name}/${file}`, await run(args(`${folder}/${file}`)));
    if (/redis\.mjs$/.test(file)) {
      const withoutRedis = await run(args(`${folder}/${file}`), { REDIS_URL: 'redis://127.0.0.1:1' });
      count(`examples/${name}/${file}, while Redis is down`, withoutRedis);
    }
  }
}
for (const build of builds) rmSync(build, { recursive: true, force: true });
redis?.kill();
rmSync(temporary, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function count(what, status) {
  if (status === 0) passed += 1;
  else failed += 1;
  console.log(`${status === 0 ? 'ok    ' : `not ok (${status})`} ${what}`);
}

/** An example with packages of its own gets them, and this package as it is published. */
function install(folder) {
  const quiet = ['--loglevel=error', '--no-audit', '--no-fund'];
  const npm = (...args) => execFileSync('npm', [...args, ...quiet], { cwd: folder, stdio: ['ignore', 2, 2] });
  try {
    npm('ci');
    npm('install', '--no-save', '--no-package-lock', '--legacy-peer-deps', packed());
    if (existsSync(`${folder}/tsconfig.json`)) {
      execFileSync(process.execPath, [tsc, '-p', folder], { stdio: ['ignore', 2, 2] });
    }
    return 0;
  } catch (error) {
    return error.status ?? 1;
  }
}

/** The tarball that was named, or one made from the present build. */
function packed() {
  const named = process.argv[2];
  if (named) return resolve(named);
  const destination = join(temporary, 'packed');
  if (!existsSync(destination)) {
    mkdirSync(destination);
    execFileSync('npm', ['run', '--silent', 'pack:to', '--', destination], { cwd: root });
  }
  return join(destination, readdirSync(destination)[0]);
}

/** The bundle of one file, next to it, so that it finds the same packages. */
function compiled(path) {
  const build = mkdtempSync(join(dirname(path), '.examples-'));
  builds.push(build);
  const bundle = ['--bundle', '--platform=node', '--format=cjs', '--packages=external', `--outdir=${build}`];
  execFileSync(esbuild, [path, ...bundle, '--log-level=error'], { stdio: ['ignore', 2, 2] });
  return join(build, basename(path).replace(/ts$/, 'js'));
}

async function run(args, changes = {}) {
  const emulator = await startBipsyncEmulator();
  const env = {
    ...process.env,
    BIPSYNC_BASE_URL: emulator.url,
    BIPSYNC_CLIENT_ID: emulator.clientId,
    BIPSYNC_CLIENT_SECRET: emulator.clientSecret,
    BIPSYNC_TEAM_ID: emulator.teamId,
    BIPSYNC_SCOPES: 'rest_api:read rest_api:write research:read',
    ...(redis && { REDIS_URL: redis.url }),
    ...changes,
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
