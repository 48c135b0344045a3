import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { benchDir } from './package.mjs';

const exec = promisify(execFile);

/** runChild runs a script of the bench in a fresh process and resolves to the JSON that it prints last. */
export async function runChild(script, args, nodeOptions = []) {
  const { stdout } = await exec(process.execPath, [...nodeOptions, `items/${script}`, ...args.map(String)], {
    cwd: benchDir,
    maxBuffer: 1 << 28,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}
