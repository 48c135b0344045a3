#!/usr/bin/env node
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './run';

const LINGER_MS = 2000;

for (const stream of [process.stdout, process.stderr]) {
  // A reader that has seen enough, as in `| head -1`, is not a failure.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

void run(process.argv.slice(2), {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  interrupted: () => Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]),
  version: readVersion,
}).then((status) => {
  // Not process.exit() at once, which would cut off what a pipe has yet to take. But a proxy that never answers would keep the
  // process alive for minutes.
  process.exitCode = status;
  setTimeout(() => process.exit(), LINGER_MS).unref();
});

function readVersion(): string {
  const manifest = readFileSync(join(__dirname, '../package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
