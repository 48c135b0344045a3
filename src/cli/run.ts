import { parseArgs, type ParseArgsConfig } from 'node:util';

import { check } from './check';
import { demo } from './demo';
import { emulator } from './emulator';
import { commandHelp, type CommandName, commandNames, isCommandName, programHelp } from './help';
import type { ExitStatus, Terminal } from './terminal';
import { token } from './token';

interface Values {
  help?: boolean;
  version?: boolean;
  json?: boolean;
  port?: string;
}

type Options = NonNullable<ParseArgsConfig['options']>;

const help: Options = { help: { type: 'boolean', short: 'h' } };
const programOptions: Options = { ...help, version: { type: 'boolean', short: 'v' } };
const commandOptions: Options = { ...help, json: { type: 'boolean' } };

/** Wrong usage: the caller is told how it is meant. */
class UsageError extends Error {}

/** run is the whole program: it writes to `terminal` alone and never throws. */
export async function run(given: readonly string[], terminal: Terminal): Promise<ExitStatus> {
  const { stderr } = terminal;
  const args = asOptions(given);
  const [first = '', ...rest] = args;
  const command = isCommandName(first) ? first : undefined;
  try {
    return await (command === undefined ? runProgram(args, terminal) : runCommand(command, rest, terminal));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    stderr.write(`bipsync-auth: ${message}\n`);
    if (!(error instanceof UsageError)) {
      if (command === 'token' || command === 'demo')
        stderr.write('`npx axios-bipsync-auth check` finds out more.\n');
      return 1;
    }
    stderr.write(`Try \`npx axios-bipsync-auth ${command === undefined ? '' : `${command} `}--help\`.\n`);
    return 2;
  }
}

/** `help token` is `token --help`, and `version` is `--version`. */
function asOptions(args: readonly string[]): readonly string[] {
  const [first, ...rest] = args;
  if (first === 'help') return asOptions([...rest, '--help']);
  return first === 'version' ? ['--version', ...rest] : args;
}

function runProgram(args: readonly string[], terminal: Terminal): ExitStatus {
  const { stdout, stderr } = terminal;
  const [first] = args;
  if (first === undefined) {
    stderr.write(programHelp);
    return 2;
  }
  if (!first.startsWith('-')) {
    // Not repeated either.
    throw new UsageError(`There is no such command. The commands are ${commandNames.join(', ')}.`);
  }
  const { help, version } = parse(args, programOptions);
  stdout.write(version && !help ? `${terminal.version()}\n` : programHelp);
  return 0;
}

async function runCommand(
  command: CommandName,
  args: readonly string[],
  terminal: Terminal,
): Promise<ExitStatus> {
  const options: Options =
    command === 'emulator' ? { ...commandOptions, port: { type: 'string' } } : commandOptions;
  const { help, json = false, port } = parse(args, options);
  if (help) {
    terminal.stdout.write(commandHelp[command]);
    return 0;
  }
  switch (command) {
    case 'check':
      return check(terminal, { json });
    case 'token':
      return token(terminal, { json });
    case 'emulator':
      return emulator(terminal, { json, port: parsePort(port) });
    case 'demo':
      return demo(terminal, { json });
  }
}

function parse(args: readonly string[], options: Options): Values {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    // Not repeated: it may be a secret in the wrong place.
    if (positionals.length > 0) throw new UsageError('Everything but options comes from the environment.');
    return values;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const [message = ''] = (error as Error).message.split(/(?<=\.)\s/);
    throw new UsageError(message.replace(/\.?$/, '.'));
  }
}

function parsePort(port = '0'): number {
  if (/^\d{1,5}$/.test(port) && Number(port) <= 65_535) return Number(port);
  throw new UsageError('--port takes a number from 0 to 65535.');
}
