/**
 * The packed tarball in bundles: a small application by each bundler, minified, as ES module and as CommonJS, with axios
 * inside the bundle, outside of it, and twice. Each bundle runs against the emulator.
 *
 * Usage: node scripts/bundles.mjs [packed tarball] [--axios=1.21.1] [--bundlers=esbuild,webpack,rollup,ncc]
 * Without a tarball it packs the repository first. The tools are those of compat/bundles. Status 1 if a bundle fails.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tools = join(root, 'compat', 'bundles');

/** `packages`: what stays outside the bundle and is found in node_modules. `mayRefuse`: a clear refusal is as good. */
const ARRANGEMENTS = [
  { title: 'ESM, all inside', entry: 'app.mjs', format: 'esm', packages: [] },
  { title: 'CJS, all inside', entry: 'app.cjs', format: 'cjs', packages: [] },
  { title: 'ESM, axios outside', entry: 'app.mjs', format: 'esm', packages: ['axios'] },
  { title: 'CJS, axios outside', entry: 'app.cjs', format: 'cjs', packages: ['axios'] },
  {
    title: 'ESM, plugin outside',
    entry: 'app.mjs',
    format: 'esm',
    packages: ['axios-bipsync-auth'],
    mayRefuse: true,
  },
  {
    title: 'CJS, plugin outside',
    entry: 'app.cjs',
    format: 'cjs',
    packages: ['axios-bipsync-auth'],
    mayRefuse: true,
  },
  { title: 'ESM, plugin by require', entry: 'mixed.mjs', format: 'esm', packages: [], mayRefuse: true },
];

const option = (name) =>
  process.argv
    .find((argument) => argument.startsWith(`--${name}=`))
    ?.slice(name.length + 3)
    .split(',');

if (!existsSync(join(tools, 'node_modules'))) {
  execFileSync('npm', ['ci', '--silent'], { cwd: tools, stdio: 'inherit' });
}
const { bundlers } = await import(pathToFileURL(join(tools, 'bundlers.mjs')));
const folder = mkdtempSync(join(tmpdir(), 'bundles-'));
let passed = 0;
let failed = 0;

try {
  const tarball = resolve(process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? pack());
  const installed = readdirSync(join(tools, 'node_modules')).filter((name) => name.startsWith('axios-'));
  for (const version of option('axios') ?? installed.map((name) => name.slice('axios-'.length))) {
    const application = prepare(version, tarball);
    const { startBipsyncEmulator } = await import(
      pathToFileURL(join(application, 'node_modules/axios-bipsync-auth/dist/testing.mjs'))
    );
    const rows = [];
    for (const name of option('bundlers') ?? Object.keys(bundlers)) {
      const cells = [];
      for (const arrangement of ARRANGEMENTS) {
        cells.push(await cell(name, arrangement, application, startBipsyncEmulator));
      }
      rows.push([`${name} ${bundlers[name].version}`, ...cells]);
    }
    printTable([[`axios ${version}`, ...ARRANGEMENTS.map(({ title }) => title)], ...rows]);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function pack() {
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root, stdio: 'ignore' });
  return join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('.tgz')),
  );
}

/** A folder with the application, this version of axios, and the plugin as a real folder, so that it finds the same axios. */
function prepare(version, tarball) {
  const at = join(folder, `axios-${version}`);
  const plugin = join(at, 'node_modules', 'axios-bipsync-auth');
  mkdirSync(plugin, { recursive: true });
  cpSync(join(tools, 'app'), at, { recursive: true });
  execFileSync('tar', ['xzf', tarball, '--strip-components=1', '-C', plugin]);
  symlinkSync(join(tools, 'node_modules', `axios-${version}`), join(at, 'node_modules', 'axios'));
  return at;
}

async function cell(name, { title, entry, format, packages, mayRefuse }, application, startBipsyncEmulator) {
  // What is meant to be inside the bundle cannot be found anywhere else.
  const out = mkdtempSync(join(packages.length > 0 ? application : folder, `${name}-`));
  const file = join(out, format === 'esm' ? 'bundle.mjs' : 'bundle.cjs');
  const emulator = await startBipsyncEmulator({ record: true });
  let outcome;
  try {
    await bundlers[name].bundle(join(application, entry), file, format, packages);
    emulator.failApiRequests({ status: 401 });
    outcome = judge(JSON.parse(await run(file, emulator)), emulator);
  } catch (error) {
    outcome = error.message;
  } finally {
    await emulator.close();
  }
  if (outcome === 'ok' || (mayRefuse && outcome === 'refused')) {
    passed += 1;
    return outcome;
  }
  failed += 1;
  console.log(`${name}, ${title}: ${outcome}`);
  return 'FAIL';
}

/** `ok`, `refused` if the installation says that it cannot work, or what is wrong. */
function judge(told, emulator) {
  const results = Object.values(told);
  if (results.every(({ failed: why }) => why?.startsWith('ERR_BIPSYNC_CONFIG'))) return 'refused';
  const right = { successes: 20, code: 'ERR_BIPSYNC_CREDENTIALS', isRecognised: true, showsSecret: false };
  if (results.some((one) => JSON.stringify(one) !== JSON.stringify(right))) return JSON.stringify(told);
  // One token at first and one after the 401; then one with the other adapter; and each adapter's wrong secret.
  if (emulator.tokenRequests !== 5) return `${emulator.tokenRequests} token requests, not 5`;
  const whole = ({ status, headers, body }) =>
    status === 401 ||
    (headers['x-order'] === 'kept' && /json/.test(headers['content-type']) && body.includes('übergröße'));
  if (!emulator.requests.every(whole)) return 'a request lost its headers or its body';
  return 'ok';
}

function run(file, { url, clientId, clientSecret, teamId }) {
  return new Promise((fulfil, reject) => {
    const env = {
      PATH: process.env.PATH,
      BIPSYNC_BASE_URL: url,
      BIPSYNC_CLIENT_ID: clientId,
      BIPSYNC_CLIENT_SECRET: clientSecret,
      BIPSYNC_TEAM_ID: teamId,
    };
    const child = spawn(process.execPath, [file], { env, cwd: folder, timeout: 30_000 });
    let output = '';
    let complaints = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (complaints += data));
    child.on('close', (status) =>
      status === 0 && output
        ? fulfil(output)
        : reject(new Error(`status ${status}\n${complaints.slice(0, 600)}`)),
    );
  });
}

function printTable([head, ...rows]) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  console.log([line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n'));
}
