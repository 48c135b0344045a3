import { parseArgs, type ParseArgsConfig } from 'node:util';

import { check } from './check';
import { demo } from './demo';
import { emulator } from './emulator';
import { loadEnvFile, NO_VARIABLES, setVariables } from './environment';
import { parseFault } from './faults';
import { commandHelp, type CommandName, commandNames, isCommandName, programHelp } from './help';
import { type ExitStatus, paragraph, type Terminal } from './terminal';
import { token } from './token';

interface Values {
  help?: boolean;
  version?: boolean;
  json?: boolean;
  'env-file'?: string;
  port?: string;
  'expires-in'?: string;
  fail?: string[];
}

type Options = NonNullable<ParseArgsConfig['options']>;

const help: Options = { help: { type: 'boolean', short: 'h' } };
const programOptions: Options = { ...help, version: { type: 'boolean', short: 'v' } };
const commandOptions: Options = { ...help, json: { type: 'boolean' }, 'env-file': { type: 'string' } };
const emulatorOptions: Options = {
  ...commandOptions,
  port: { type: 'string' },
  'expires-in': { type: 'string' },
  fail: { type: 'string', multiple: true },
};

/** Wrong usage: the caller is told where the right one is described. */
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
    stderr.write(paragraph(`axios-bipsync-auth: ${message}`));
    if (!(error instanceof UsageError)) {
      if (command === 'token' || command === 'demo') {
        const isEmpty = setVariables(terminal.env).length === 0;
        stderr.write(
          `${isEmpty ? NO_VARIABLES : 'Find the cause: `npx axios-bipsync-auth check`, with the same --env-file.'}\n`,
        );
      }
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
    throw new UsageError(`Unknown command. The commands are ${commandNames.join(', ')}.`);
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
  const values = parse(args, command === 'emulator' ? emulatorOptions : commandOptions);
  const { help, json = false, 'env-file': envFile } = values;
  if (help) {
    terminal.stdout.write(commandHelp[command]);
    return 0;
  }
  const loaded = envFile === undefined ? undefined : asUsage(() => loadEnvFile(envFile, terminal.env));
  switch (command) {
    case 'check':
      return check(terminal, { json, envFile: loaded });
    case 'token':
      return token(terminal, { json });
    case 'emulator':
      return emulator(terminal, {
        json,
        port: parsePort(values.port),
        expiresIn: parseSeconds(values['expires-in']),
        faults: asUsage(() => (values.fail ?? []).map(parseFault)),
      });
    case 'demo':
      return demo(terminal, { json });
  }
}

function parse(args: readonly string[], options: Options): Values {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    // Not repeated: it may be a secret in the wrong place.
    if (positionals.length > 0)
      throw new UsageError('Only options can follow a command. Credentials come from the environment.');
    return values;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const [message = ''] = (error as Error).message.split(/(?<=\.)\s/);
    throw new UsageError(message.replace(/\.?$/, '.'));
  }
}

/** What `read` throws is about an option's value. */
function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function parsePort(port = '0'): number {
  if (/^\d{1,5}$/.test(port) && Number(port) <= 65_535) return Number(port);
  throw new UsageError('--port takes a number from 0 to 65535.');
}

function parseSeconds(seconds = '3600'): number {
  if (/^\d{1,9}(\.\d+)?$/.test(seconds) && Number(seconds) > 0) return Number(seconds);
  throw new UsageError('--expires-in takes a number of seconds above 0.');
}
