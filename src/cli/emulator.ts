import { type AnsweredRequest, type BipsyncEmulator, startBipsyncEmulator } from '../testing/index';
import { type BipsyncAuthConfig, bipsyncAuthConfigFromEnv } from '../index';
import { cleanSecret } from '../options/secret';
import { isSet, SECRET, SECRET_FILE } from './environment';
import type { RequestedFault } from './faults';
import { type Environment, type ExitStatus, painter, paragraph, type Terminal, toJsonLine } from './terminal';

interface EmulatorCommandOptions {
  json: boolean;
  port: number;
  /** Seconds. */
  expiresIn: number;
  faults: readonly RequestedFault[];
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
  const { json } = options;
  const bipsync = await start(options, env, (request) => !json && stderr.write(requestLine(request)));
  const interrupted = terminal.interrupted();
  const made = {
    BIPSYNC_CLIENT_ID: bipsync.clientId,
    [SECRET]: bipsync.clientSecret,
    BIPSYNC_TEAM_ID: bipsync.teamId,
    BIPSYNC_SCOPES: 'rest_api:read rest_api:fields:read rest_api:write research:read',
  };
  const variables = Object.fromEntries([
    ['BIPSYNC_BASE_URL', bipsync.url],
    ...Object.entries(made).filter(
      ([name]) => !isSet(env[name]) && !(name === SECRET && isSet(env[SECRET_FILE])),
    ),
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
    stderr.write(
      `${paragraph('Then run `npx axios-bipsync-auth check` in the other terminal. Ctrl-C stops the emulator.')}\n`,
    );
  }
  await interrupted;
  await bipsync.close();
  return 0;
}

async function start(
  { port, expiresIn, faults }: EmulatorCommandOptions,
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
      clientSecret: await givenSecret(env),
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

/** As an application reads it: from the variable, or from the file that the other variable names. */
async function givenSecret({
  [SECRET]: value,
  [SECRET_FILE]: file,
}: Environment): Promise<string | undefined> {
  // Neither is set: there is no such option then.
  const { clientSecret } = bipsyncAuthConfigFromEnv({
    [SECRET]: value,
    [SECRET_FILE]: file,
  }) as Partial<BipsyncAuthConfig>;
  const secret = typeof clientSecret === 'function' ? await clientSecret() : clientSecret;
  return secret === undefined ? undefined : cleanSecret(secret);
}

const remarks = { none: 'no token', refused: 'token not valid', valid: undefined };

/** What a request shows of itself holds no token and no secret. */
function requestLine(request: AnsweredRequest): string {
  const { method, path, authorization, status, error } = request;
  const time = new Date().toTimeString().slice(0, 8);
  const words = [error, authorization && remarks[authorization], missingScope(request)].filter(
    (word) => word !== undefined,
  );
  const remark = words.length > 0 ? ` (${words.join(', ')})` : '';
  return paragraph(`${time} ${method} ${path} ${status ?? 'no answer'}${remark}`);
}

/** A valid token is denied access only if it lacks the endpoint's scope. */
function missingScope({ method, path, authorization, error }: AnsweredRequest): string | undefined {
  if (authorization !== 'valid' || error !== 'access_denied') return undefined;
  const endpoint = endpoints.find(
    ([ofMethod, pattern]) =>
      ofMethod === method && new RegExp(`^${pattern.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  return endpoint && `needs ${endpoint[2]}`;
}
