import { type BipsyncEmulator, startBipsyncEmulator } from '../testing/index';
import { isSet } from './environment';
import { type Environment, type ExitStatus, painter, type Terminal, toJsonLine } from './terminal';

/**
 * emulator runs a loopback Bipsync until it is interrupted. Its credentials are those of the environment, so that a `.env`
 * file outlasts it; what is not there is made up, and printed. What is there is not: it may be a tenant's own secret.
 */
export async function emulator(
  terminal: Terminal,
  { json = false, port = 0 }: { json?: boolean; port?: number },
): Promise<ExitStatus> {
  const { env, stdout, stderr } = terminal;
  const bipsync = await startOn(port, env);
  const interrupted = terminal.interrupted();
  const own = {
    BIPSYNC_CLIENT_ID: bipsync.clientId,
    BIPSYNC_CLIENT_SECRET: bipsync.clientSecret,
    BIPSYNC_TEAM_ID: bipsync.teamId,
    BIPSYNC_SCOPES: 'rest_api:read research:read',
  };
  const variables = Object.fromEntries([
    ['BIPSYNC_BASE_URL', bipsync.url],
    ...Object.entries(own).filter(([name]) => !isSet(env[name])),
  ]) as Record<string, string>;
  if (json) stdout.write(toJsonLine(variables));
  else {
    const exports = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'\n`);
    const paint = painter(env, stderr);
    stderr.write(
      `${paint('bold', `A Bipsync of your own runs at ${bipsync.url}.`)} In another terminal:\n\n`,
    );
    stdout.write(exports.join(''));
    stderr.write(`\nThen try \`npx axios-bipsync-auth check\`. Ctrl-C ends it.\n`);
  }
  await interrupted;
  await bipsync.close();
  return 0;
}

async function startOn(port: number, env: Environment): Promise<BipsyncEmulator> {
  const given = (name: string): string | undefined => (isSet(env[name]) ? env[name] : undefined);
  try {
    return await startBipsyncEmulator({
      port,
      clientId: given('BIPSYNC_CLIENT_ID'),
      clientSecret: given('BIPSYNC_CLIENT_SECRET'),
      teamId: given('BIPSYNC_TEAM_ID')?.replace(/^team_/, ''),
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new Error(`Port ${port} is taken: give another --port, or none for a free one.`, { cause: error });
  }
}
