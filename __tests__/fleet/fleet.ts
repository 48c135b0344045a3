import { buildSync } from 'esbuild';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Command, Report, WorkerOptions } from './worker';

/** One child process. */
export interface Worker {
  ask(command: Command): Promise<unknown>;
  report(): Promise<Report>;
  /** Ends it without warning (SIGKILL) and resolves when it is gone. */
  kill(): Promise<void>;
}

/** Bundles the worker with the sources as they are now; `remove` deletes the bundle. */
export function buildWorker(): { path: string; remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'fleet-'));
  const path = join(dir, 'worker.cjs');
  buildSync({
    entryPoints: [join(__dirname, 'worker.ts')],
    outfile: path,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    logLevel: 'error',
  });
  return { path, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Starts a worker and resolves when it is connected to Redis. */
export async function startWorker(path: string, options: WorkerOptions): Promise<Worker> {
  const child = fork(path, { env: { ...process.env, FLEET_WORKER: JSON.stringify(options) }, execArgv: [] });
  const killWithUs = (): unknown => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => process.removeListener('exit', killWithUs));
  const answers = answersOf(child);
  await answers.to(0);
  let lastId = 0;

  const ask = (command: Command): Promise<unknown> => {
    const id = (lastId += 1);
    const answer = answers.to(id);
    child.send({ id, command });
    return answer;
  };
  return {
    ask,
    report: async () => (await ask({ do: 'report' })) as Report,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function answersOf(child: ChildProcess): { to: (id: number) => Promise<unknown> } {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  child.on('message', ({ id, value, error }: { id: number; value?: unknown; error?: string }) => {
    if (error === undefined) waiting.get(id)?.resolve(value);
    else waiting.get(id)?.reject(new Error(error));
    waiting.delete(id);
  });
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the worker has ended'));
  });
  return {
    to: (id) => {
      const answer = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }));
      // A worker that is killed owes nobody an answer.
      answer.catch(() => undefined);
      return answer;
    },
  };
}

/** Lines up rows of cells under each other. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => String(row[column]).length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? String(cell).padEnd(widths[0] ?? 0) : String(cell).padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}
