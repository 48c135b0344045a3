import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '../..');

interface Finished {
  status: unknown;
  out: string;
  err: string;
}

/** The command as a process of its own, in a folder of its own. */
interface SpawnedCommand {
  folder(): string;
  start(args: string[], env?: Record<string, string>): ChildProcessWithoutNullStreams;
  run(args: string[], env?: Record<string, string>): Promise<Finished>;
}

/** spawnedCommand builds the command before the tests of a file, and removes it after them. */
export function spawnedCommand(): SpawnedCommand {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bipsync-auth-'));
    copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
    const options = ['--bundle', '--platform=node', '--external:axios', '--log-level=error'];
    execFileSync(join(root, 'node_modules/.bin/esbuild'), [
      join(root, 'src/cli/index.ts'),
      ...options,
      `--outfile=${join(folder, 'dist/cli.cjs')}`,
    ]);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  function start(args: string[], env: Record<string, string> = {}): ChildProcessWithoutNullStreams {
    const { PATH } = process.env;
    return spawn(process.execPath, [join(folder, 'dist/cli.cjs'), ...args], {
      cwd: folder,
      env: { ...(PATH !== undefined && { PATH }), NODE_PATH: join(root, 'node_modules'), ...env },
    });
  }

  return {
    folder: () => folder,
    start,
    run: (args, env) => finish(start(args, env)),
  };
}

export async function finish(child: ChildProcessWithoutNullStreams): Promise<Finished> {
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  const [status] = (await once(child, 'close')) as unknown[];
  return { status, out, err };
}
