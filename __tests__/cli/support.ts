import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from '../../src/cli/run';
import type { Step } from '../../src/cli/steps';
import type { Environment, Terminal } from '../../src/cli/terminal';
import type { BipsyncEmulator } from '../../src/testing';

/** As the emulator makes them. */
export const accessToken = /[\w-]{64}/;

interface CapturedTerminal extends Terminal {
  out(): string;
  err(): string;
}

export function capture(
  env: Environment = {},
  { isTTY = false, ...others }: { isTTY?: boolean; interrupted?: () => Promise<unknown> } = {},
): CapturedTerminal {
  const out: string[] = [];
  const err: string[] = [];
  return {
    env: { ...env },
    stdout: { isTTY, write: (text) => out.push(text) },
    stderr: { isTTY, write: (text) => err.push(text) },
    interrupted: () => Promise.resolve(),
    version: () => '1.2.3',
    ...others,
    out: () => out.join(''),
    err: () => err.join(''),
  };
}

export async function runCli(
  args: string[],
  env: Environment = {},
  options: { isTTY?: boolean } = {},
): Promise<{ status: number; out: string; err: string }> {
  const terminal = capture(env, options);
  const status = await run(args, terminal);
  return { status, out: terminal.out(), err: terminal.err() };
}

export interface Diagnosis {
  status: number;
  ok: boolean;
  steps: Step[];
  /** The step that failed first. */
  failure: Step | undefined;
}

/** What `check --json` finds out. */
export async function diagnose(env: Environment, args: string[] = []): Promise<Diagnosis> {
  const { status, out, err } = await runCli(['check', '--json', ...args], env);
  expect(err).toBe('');
  return { status, ...readDiagnosis(out) };
}

export function readDiagnosis(out: string): Omit<Diagnosis, 'status'> {
  const { ok, steps } = JSON.parse(out) as { ok: boolean; steps: Step[] };
  return { ok, steps, failure: steps.find((step) => !step.ok) };
}

export const stepNamed = ({ steps }: Pick<Diagnosis, 'steps'>, name: string): Step | undefined =>
  steps.find((step) => step.name === name);

/** The longest line of a text, without its colours. */
export function widthOf(text: string): number {
  // eslint-disable-next-line no-control-regex
  const lines = text.replace(/\u001b\[\d*[A-Za-z]/g, '').split(/[\r\n]/);
  return Math.max(...lines.map((line) => line.length));
}

/** A folder for the files of one test file, removed after its tests. */
export function temporaryFolder(): { write(name: string, text: string): string } {
  let folder: string | undefined;
  afterAll(() => folder !== undefined && rmSync(folder, { recursive: true }));
  return {
    write(name, text) {
      folder ??= mkdtempSync(join(tmpdir(), 'bipsync-auth-'));
      const file = join(folder, name);
      writeFileSync(file, text);
      return file;
    },
  };
}

export function environmentOf(emulator: BipsyncEmulator): Record<string, string> {
  return {
    BIPSYNC_BASE_URL: emulator.url,
    BIPSYNC_CLIENT_ID: emulator.clientId,
    BIPSYNC_CLIENT_SECRET: emulator.clientSecret,
    BIPSYNC_TEAM_ID: emulator.teamId,
    BIPSYNC_SCOPES: 'rest_api:read',
  };
}
