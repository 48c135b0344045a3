import { run } from '../../src/cli/run';
import type { Environment, Terminal } from '../../src/cli/terminal';
import { type BipsyncEmulator, type BipsyncEmulatorOptions, startBipsyncEmulator } from '../../src/testing';

/** As the emulator makes them. */
export const accessToken = /[\w-]{64}/;

export interface CapturedTerminal extends Terminal {
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
    env,
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

const emulators: BipsyncEmulator[] = [];

afterEach(async () => {
  await Promise.all(emulators.splice(0).map((emulator) => emulator.close()));
});

export async function startEmulator(options: BipsyncEmulatorOptions = {}): Promise<BipsyncEmulator> {
  const emulator = await startBipsyncEmulator({ record: true, ...options });
  emulators.push(emulator);
  return emulator;
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
