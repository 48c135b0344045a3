import { connect } from './environment';
import { describeLifetime } from './steps';
import { type ExitStatus, type Terminal, toJsonLine } from './terminal';

/** token writes one access token, and nothing else, to stdout. */
export async function token(terminal: Terminal, { json = false }: { json?: boolean }): Promise<ExitStatus> {
  const { env, stdout, stderr } = terminal;
  const { auth } = connect(env);
  const { accessToken, expiresAt, scopes } = await auth.getToken();
  if (stdout.isTTY) {
    stderr.write(
      `Careful: for ${describeLifetime(expiresAt)} this token opens what its scopes reach in the whole team, private notes included.\n` +
        'Do not let it get into a log, a ticket or a chat.\n',
    );
  }
  stdout.write(json ? toJsonLine({ accessToken, expiresAt, scopes }) : `${accessToken}\n`);
  return 0;
}
