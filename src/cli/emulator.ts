import { type AnsweredRequest, type BipsyncEmulator, startBipsyncEmulator } from '../testing/index';
import { isSet } from './environment';
import type { RequestedFault } from './faults';
import { type Environment, type ExitStatus, painter, paragraph, type Terminal, toJsonLine } from './terminal';

export interface EmulatorCommandOptions {
  json?: boolean;
  port?: number;
  /** Seconds. */
  expiresIn?: number;
  faults?: readonly RequestedFault[];
}

const endpoints = [
  ['POST', '/v1/oauth/token', ''],
  ['GET', '/v1/field', 'rest_api:fields:read'],
  ['GET', '/v1/contenttype', 'rest_api:read'],
  ['GET', '/v1/research', 'rest_api:read'],
  ['GET', '/v1/research/{id}', 'rest_api:read'],
  ['POST', '/v2/research/note', 'rest_api:write'],
  ['POST', '/v2/research/note/{id}/attachment', 'rest_api:write'],
  ['POST', '/v3/ingest/{source}/{value}', 'rest_api:write'],
  ['POST', '/v1/graphql', 'any GraphQL scope'],
  ['any', '/v1/echo', ''],
] as const;

/**
 * emulator runs a loopback Bipsync until it is interrupted. Credentials that the environment has are used, so that a `.env`
 * file outlasts the process, and are not printed: they may be a tenant's. The others are made up, and printed.
 */
export async function emulator(terminal: Terminal, options: EmulatorCommandOptions): Promise<ExitStatus> {
  const { env, stdout, stderr } = terminal;
  const { json = false } = options;
  const bipsync = await start(options, env, (request) => !json && stderr.write(requestLine(request)));
  const interrupted = terminal.interrupted();
  const made = {
    BIPSYNC_CLIENT_ID: bipsync.clientId,
    BIPSYNC_CLIENT_SECRET: bipsync.clientSecret,
    BIPSYNC_TEAM_ID: bipsync.teamId,
    BIPSYNC_SCOPES: 'rest_api:read rest_api:write research:read',
  };
  const variables = Object.fromEntries([
    ['BIPSYNC_BASE_URL', bipsync.url],
    ...Object.entries(made).filter(([name]) => !isSet(env[name])),
  ]) as Record<string, string>;
  if (json) stdout.write(toJsonLine(variables));
  else {
    const paint = painter(env, stderr);
    const exports = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'\n`);
    const list = endpoints.map(([method, path, scope]) =>
      `  ${method.padEnd(4)} ${path.padEnd(34)}  ${scope}`.trimEnd(),
    );
    stderr.write(
      `${paint('bold', `An emulated Bipsync runs at ${bipsync.url}.`)} Run in another terminal:\n\n`,
    );
    stdout.write(exports.join(''));
    stderr.write(`\nIt answers these requests, which need these scopes:\n\n${list.join('\n')}\n\n`);
    stderr.write('Then run `npx axios-bipsync-auth check` there. Ctrl-C stops the emulator.\n\n');
  }
  await interrupted;
  await bipsync.close();
  return 0;
}

async function start(
  { port = 0, expiresIn, faults = [] }: EmulatorCommandOptions,
  env: Environment,
  onRequest: (request: AnsweredRequest) => void,
): Promise<BipsyncEmulator> {
  const given = (name: string): string | undefined => (isSet(env[name]) ? env[name] : undefined);
  try {
    const bipsync = await startBipsyncEmulator({
      port,
      expiresIn,
      onRequest,
      clientId: given('BIPSYNC_CLIENT_ID'),
      clientSecret: given('BIPSYNC_CLIENT_SECRET'),
      teamId: given('BIPSYNC_TEAM_ID')?.replace(/^team_/, ''),
    });
    for (const { where, fault, times } of faults) {
      if (where === 'token') bipsync.failTokenRequests(fault, times);
      else bipsync.failApiRequests(fault, times);
    }
    return bipsync;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new Error(
      `Port ${port} is already in use. Choose another --port, or omit --port to use a free port.`,
      {
        cause: error,
      },
    );
  }
}

const remarks = { none: 'no token', refused: 'token not valid', valid: undefined };

/** What a request shows of itself holds no token and no secret. */
function requestLine({ method, path, authorization, status, error }: AnsweredRequest): string {
  const time = new Date().toTimeString().slice(0, 8);
  const words = [error, authorization && remarks[authorization]].filter((word) => word !== undefined);
  const remark = words.length > 0 ? ` (${words.join(', ')})` : '';
  return paragraph(`${time} ${method} ${path} ${status ?? 'no answer'}${remark}`);
}
