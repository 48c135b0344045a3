import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { environmentOf, startEmulator } from './support';

const root = join(__dirname, '../..');
let folder: string;
let command: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bipsync-auth-'));
  command = join(folder, 'dist/cli.cjs');
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
  const options = ['--bundle', '--platform=node', '--external:axios', `--outfile=${command}`];
  execFileSync(join(root, 'node_modules/.bin/esbuild'), [
    join(root, 'src/cli/index.ts'),
    ...options,
    '--log-level=error',
  ]);
});

afterAll(() => rmSync(folder, { recursive: true }));

function start(
  args: string[],
  env: Record<string, string> = {},
  nodeArgs: string[] = [],
): ChildProcessWithoutNullStreams {
  const { PATH } = process.env;
  return spawn(process.execPath, [...nodeArgs, command, ...args], {
    cwd: folder,
    env: { ...(PATH !== undefined && { PATH }), NODE_PATH: join(root, 'node_modules'), ...env },
  });
}

async function finish(
  child: ChildProcessWithoutNullStreams,
): Promise<{ status: unknown; out: string; err: string }> {
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  const [status] = (await once(child, 'close')) as unknown[];
  return { status, out, err };
}

describe('the command as a process', () => {
  it('keeps its shebang and knows its version', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(await finish(start(['--version']))).toEqual({ status: 0, out: `${version}\n`, err: '' });
  });

  it('ends by itself, with a status, after each kind of outcome', async () => {
    const emulator = await startEmulator();
    const env = environmentOf(emulator);
    const token = await finish(start(['token'], env));
    expect(token).toMatchObject({ status: 0, err: '' });
    expect(token.out).toMatch(/^[\w-]{64}\n$/);
    expect((await finish(start(['check'], { ...env, BIPSYNC_CLIENT_ID: 'somebody' }))).status).toBe(1);
    expect((await finish(start(['nonsense']))).status).toBe(2);
  });

  it('takes its variables from a .env file', async () => {
    const emulator = await startEmulator();
    const lines = Object.entries(environmentOf(emulator)).map(([name, value]) => `${name}="${value}"\n`);
    writeFileSync(join(folder, '.env'), lines.join(''));
    expect((await finish(start(['check'], {}, ['--env-file=.env']))).status).toBe(0);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('closes the emulator at %s', async (signal) => {
    const child = start(['emulator', '--json']);
    const finished = finish(child);
    await once(child.stdout, 'data');
    child.kill(signal);
    expect(await finished).toMatchObject({ status: 0, err: '' });
  });

  it('says nothing when its reader goes away', async () => {
    const emulator = await startEmulator({ apiDelayMs: 200 });
    const child = start(['check'], environmentOf(emulator));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (chunk) => (err += String(chunk)));
    await once(child, 'exit');
    expect(err).toBe('');
  });
});
