// The packed tarball in empty folders, as its users have it: ESM, CommonJS, strict TypeScript in both, each entry point,
// the command, and the mistakes that people make.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const tarball = process.argv[2];
if (!tarball) throw new Error('usage: node scripts/consumers.mjs <tarball>');
const root = fileURLToPath(new URL('..', import.meta.url));
const { devDependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

const folder = mkdtempSync(join(tmpdir(), 'bipsync-consumer-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const write = (name, text) => writeFileSync(join(folder, name), text);
let passed = 0;
let failed = 0;
function check(name, run) {
  try {
    run();
    passed += 1;
    console.log(`ok     ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok ${name}\n${error.stdout ?? ''}${error.stderr ?? ''}${error.message}`);
  }
}
const node = (...args) =>
  execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });

write('package.json', JSON.stringify({ name: 'consumer', private: true, version: '1.0.0' }));
write('.npmrc', 'fund=false\naudit=false\n');
const install = [
  tarball,
  'axios@1',
  `typescript@${devDependencies.typescript}`,
  `@types/node@${devDependencies['@types/node']}`,
];
execFileSync('npm', ['install', '--silent', ...install], { cwd: folder, stdio: 'inherit' });

const story = `
const emulator = await startBipsyncEmulator();
const api = axios.create();
const { url: baseURL, clientId, clientSecret, teamId } = emulator;
const auth = installBipsyncAuth(api, { baseURL, clientId, clientSecret, teamId, scopes: ['rest_api:read'] });
await Promise.all(Array.from({ length: 20 }, () => api.get('/v1/research')));
emulator.revokeTokens();
await Promise.all(Array.from({ length: 20 }, () => api.get('/v1/research', { bipsyncAuth: { teamId } })));
if (emulator.tokenRequests !== 2) throw new Error('token requests: ' + emulator.tokenRequests);
auth.eject();
await emulator.close();
encryptedTokenStore({ get: async () => undefined, set: async () => undefined }, [{ name: 'k', key: (await import('node:crypto')).randomBytes(32).toString('base64') }]);
`;
const imports = `
import axios from 'axios';
import { installBipsyncAuth, isBipsyncAuthError } from 'axios-bipsync-auth';
import { encryptedTokenStore } from 'axios-bipsync-auth/stores';
import { startBipsyncEmulator } from 'axios-bipsync-auth/testing';
`;
const requires = `
const axios = require('axios');
const { installBipsyncAuth, isBipsyncAuthError } = require('axios-bipsync-auth');
const { encryptedTokenStore } = require('axios-bipsync-auth/stores');
const { startBipsyncEmulator } = require('axios-bipsync-auth/testing');
`;
const mistakes = `
const api = axios.create();
const good = { client: 'acme', clientId: 'id', clientSecret: 'hush-hush', teamId: 'a1' };
try {
  installBipsyncAuth(api, { ...good, clientSecert: 'hush-hush' });
  throw new Error('a typo was accepted');
} catch (error) {
  if (!isBipsyncAuthError(error) || !error.message.includes('clientSecert') || error.message.includes('hush')) throw error;
}
`;

check('ESM', () => (write('a.mjs', `${imports}${story}`), node('a.mjs')));
check('CommonJS', () => (write('a.cjs', `${requires}(async () => {${story}})();`), node('a.cjs')));
check('a typo in the configuration, ESM', () => (write('b.mjs', `${imports}${mistakes}`), node('b.mjs')));
check(
  'a typo in the configuration, CommonJS',
  () => (write('b.cjs', `${requires}${mistakes}`), node('b.cjs')),
);
check('errors are recognised across ESM and CommonJS', () => {
  write(
    'c.mjs',
    `import { createRequire } from 'node:module';
import { isBipsyncAuthError } from 'axios-bipsync-auth';
const { BipsyncAuthError } = createRequire(import.meta.url)('axios-bipsync-auth');
if (!isBipsyncAuthError(new BipsyncAuthError('ERR_BIPSYNC_SCOPE', 'x'))) throw new Error('not recognised');`,
  );
  node('c.mjs');
});
for (const [name, type] of [
  ['esm.mts', 'ESM'],
  ['cjs.cts', 'CommonJS'],
]) {
  check(`strict TypeScript, ${type}`, () => {
    const body = type === 'ESM' ? `${imports}${story}` : `${imports}void (async () => {${story}})();`;
    write(name, body.replace(', isBipsyncAuthError', ''));
    const options = [
      '--strict',
      '--exactOptionalPropertyTypes',
      '--module',
      'nodenext',
      '--target',
      'es2022',
    ];
    node('node_modules/typescript/bin/tsc', '--noEmit', ...options, '--types', 'node', name);
  });
}
check('no network', () => {
  write(
    'd.mjs',
    `${imports}
const api = axios.create();
installBipsyncAuth(api, { baseURL: 'http://127.0.0.1:9', clientId: 'id', clientSecret: 'hush-hush', teamId: 'a1' });
const error = await api.get('/v1/research').catch((reason) => reason);
if (error.code !== 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' || !error.message.includes('ECONNREFUSED')) throw error;`,
  );
  node('d.mjs');
});
// npx runs the first by the name of the package, also where the package is not installed.
for (const name of ['axios-bipsync-auth', 'bipsync-auth']) {
  check(`the command ${name}`, () => {
    const bin = join(folder, 'node_modules/.bin', name);
    if (!execFileSync(bin, ['--help'], { encoding: 'utf8' }).includes('check')) throw new Error('no help');
    const { status, stdout } = spawnSync(bin, ['check', '--json'], {
      env: { PATH: process.env.PATH },
      encoding: 'utf8',
    });
    if (status !== 1 || JSON.parse(stdout).ok !== false)
      throw new Error(`check without configuration: ${status} ${stdout}`);
  });
}

// A write to a frozen object throws in an ES module. Without this line the CommonJS build would ignore it.
check('the CommonJS build is strict', () => {
  const dist = join(folder, 'node_modules/axios-bipsync-auth/dist');
  const built = readdirSync(dist).filter((name) => name.endsWith('.cjs'));
  if (built.length === 0) throw new Error('no CommonJS build');
  const isStrict = (name) => /^(#!.*\n)?(['"])use strict\2/.test(readFileSync(join(dist, name), 'utf8'));
  const sloppy = built.filter((name) => !isStrict(name));
  if (sloppy.length > 0) throw new Error(sloppy.join(' '));
});

const files = execFileSync('tar', ['tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
const unwanted = files.filter(
  (file) =>
    !/^package\/((dist|docs|examples)\/|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$|SECURITY\.md$)/.test(
      file,
    ),
);
check('nothing in the tarball that a user does not need', () => {
  if (unwanted.length > 0) throw new Error(unwanted.join(' '));
});
const size = execFileSync('du', ['-sk', join(folder, 'node_modules/axios-bipsync-auth')], {
  encoding: 'utf8',
}).split('\t')[0];
console.log(`${files.length} files, ${size} kB installed, no dependencies besides axios`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
