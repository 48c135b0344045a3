/**
 * The version matrix: the packed tarball with several versions of axios on several runtimes.
 *
 * Usage: node scripts/matrix.mjs [packed tarball] [--axios=1.7.9,1.21.1] [--runtimes=node-20,bun]
 * Without a tarball it packs the repository first. Status 1 if a scenario fails; what does not install is "not run".
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const AXIOS_VERSIONS = ['1.7.9', '1.12.0', '1.16.1', '1.21.1'];
/** Each project has a second copy of axios, which the plugin does not import. */
const otherThan = (version) =>
  version === AXIOS_VERSIONS.at(-1) ? AXIOS_VERSIONS[0] : AXIOS_VERSIONS.at(-1);

/** Each from npm, which ships the binaries. */
const RUNTIMES = {
  'node-20': nodeRuntime('20'),
  'node-22': nodeRuntime('22'),
  'node-24': nodeRuntime('24'),
  'node-26': nodeRuntime('26'),
  bun: { install: 'bun', bin: 'node_modules/.bin/bun', arguments: ['run'], version: ['--version'] },
  deno: {
    install: 'deno',
    bin: 'node_modules/.bin/deno',
    arguments: ['run', '--allow-all', '--node-modules-dir=manual', '--no-config'],
    version: ['--version'],
  },
};

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const option = (name, fallback) =>
  process.argv
    .find((argument) => argument.startsWith(`--${name}=`))
    ?.slice(name.length + 3)
    .split(',') ?? fallback;
const folder = mkdtempSync(join(tmpdir(), 'matrix-'));
let failed = false;

try {
  const tarball = process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? pack();
  const runtimes = option('runtimes', Object.keys(RUNTIMES)).map((name) => prepareRuntime(name));
  const rows = option('axios', AXIOS_VERSIONS).map((version) => {
    const project = prepareProject(version, resolve(tarball));
    return [`axios ${version}`, ...runtimes.map((runtime) => cell(project, runtime))];
  });
  printTable([['', ...runtimes.map(({ title }) => title)], ...rows]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;

function nodeRuntime(major) {
  const bin = 'node_modules/node/bin/node';
  return { install: `node@${major}`, bin, arguments: [], version: ['--version'] };
}

function pack() {
  run('npm', ['pack', '--silent', '--pack-destination', folder], root, { throws: true });
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return join(folder, `${name}-${version}.tgz`);
}

function prepareRuntime(name) {
  const runtime = RUNTIMES[name];
  const at = join(folder, name);
  createProject(at);
  const { error } = run('npm', ['install', '--silent', runtime.install], at);
  const bin = join(at, runtime.bin);
  if (error) return { title: name, problem: `not run: ${runtime.install} does not install` };
  if (!existsSync(bin)) return { title: name, problem: `not run: ${runtime.install} brings no binary` };
  const started = run(bin, runtime.version, at);
  if (started.error) return { title: name, problem: `not run: ${firstLine(started.output)}` };
  const version = /\d+\.\d+\.\d+/.exec(started.output)?.[0] ?? '?';
  return { title: `${name.split('-')[0]} ${version}`, command: [bin, ...runtime.arguments] };
}

function prepareProject(version, tarball) {
  const at = join(folder, `axios-${version}`);
  createProject(at);
  copyFileSync(join(root, 'scripts', 'matrix-scenario.mjs'), join(at, 'scenario.mjs'));
  // The peer range is what the matrix is there to find out about.
  const { error } = run(
    'npm',
    [
      ...['install', '--silent', '--legacy-peer-deps', tarball],
      ...[`axios@${version}`, `other-axios@npm:axios@${otherThan(version)}`],
    ],
    at,
  );
  return error ? { problem: `not run: axios ${version} does not install` } : { at };
}

function createProject(at) {
  mkdirSync(at);
  writeFileSync(join(at, 'package.json'), '{ "private": true }\n');
}

function cell(project, runtime) {
  const problem = runtime.problem ?? project.problem;
  if (problem) return problem;
  const [bin, ...leading] = runtime.command;
  const { error, output } = run(bin, [...leading, 'scenario.mjs'], project.at);
  const lines = output.split('\n');
  const passed = lines.filter((line) => line.startsWith('ok ')).length;
  const failures = lines.filter((line) => line.startsWith('FAIL '));
  if (!error && passed > 0 && failures.length === 0) return `${passed} ok`;
  failed = true;
  console.log(`${runtime.title}, ${project.at.split('/').at(-1)}:\n${output}`);
  return failures.length > 0 ? `FAIL ${failures.length} of ${passed + failures.length}` : 'FAIL';
}

function run(command, parameters, cwd, { throws = false } = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, {
    cwd,
    encoding: 'utf8',
    timeout: 300_000,
  });
  const output = `${stdout ?? ''}${stderr ?? ''}${error ? String(error) : ''}`;
  if (throws && status !== 0) throw new Error(`${command} ${parameters.join(' ')} failed:\n${output}`);
  return { error: status !== 0, output };
}

function firstLine(text) {
  return text.trim().split('\n')[0] ?? '';
}

function printTable([head, ...rows]) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  console.log([line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n'));
}
