import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ownPort } from './ports';

/** A real Redis on loopback, empty at start and keeping nothing on disk. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Ends it in order (SIGTERM) and resolves when it is gone. */
  stop(): Promise<void>;
  /** Ends it without warning (SIGKILL) and resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again, empty, on the same port; stops it first if it still runs. */
  restart(): Promise<void>;
}

let available: boolean | undefined;

/** Whether this machine has a `redis-server` to run. */
export function redisAvailable(): boolean {
  available ??= spawnSync('redis-server', ['--version']).status === 0;
  return available;
}

/**
 * Like `describe`, for tests that need Redis: where it is missing they are skipped, loudly, or fail if `CI` or
 * `REQUIRE_REDIS` is set.
 */
export function describeWithRedis(name: string, tests: () => void): void {
  if (redisAvailable()) {
    describe(name, tests);
    return;
  }
  if (isSet(process.env.CI) || isSet(process.env.REQUIRE_REDIS)) {
    test(name, () => {
      throw new Error('redis-server is not installed, and CI or REQUIRE_REDIS demands it');
    });
    return;
  }
  process.stderr.write(`\n*** SKIPPED: redis-server is not installed, so "${name}" did not run ***\n\n`);
  describe.skip(name, tests);
}

/** Starts a Redis on a free port and resolves when it answers. */
export async function startRedisServer(): Promise<RedisServer> {
  const port = await ownPort();
  let running = await launch(port);

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    stop: () => running.end('SIGTERM'),
    kill: () => running.end('SIGKILL'),
    async restart() {
      await running.end('SIGTERM');
      running = await launch(port);
    },
  };
}

async function launch(port: number): Promise<{ end(signal: NodeJS.Signals): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'redis-'));
  const args = [
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    dir,
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
  ];
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const killWithUs = (): unknown => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => {
      process.removeListener('exit', killWithUs);
      rmSync(dir, { recursive: true, force: true });
      resolve();
    });
  });

  await new Promise<void>((resolve, reject) => {
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('Ready to accept connections')) resolve();
    });
    child.once('error', reject);
    void gone.then(() => reject(new Error(`redis-server did not start:\n${output}`)));
  });

  return {
    async end(signal) {
      child.kill(signal);
      await gone;
    },
  };
}

function isSet(value: string | undefined): boolean {
  return !['', '0', 'false'].includes(value ?? '');
}
