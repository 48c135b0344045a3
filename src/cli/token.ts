import { connect } from './environment';
import { describeDuration } from './steps';
import { type ExitStatus, paragraph, type Terminal, toJsonLine } from './terminal';

/** token writes one access token, and nothing else, to stdout. */
export async function token(terminal: Terminal, { json }: { json: boolean }): Promise<ExitStatus> {
  const { env, stdout, stderr } = terminal;
  const { auth } = connect(env);
  const { accessToken, expiresAt, scopes } = await auth.getToken();
  if (stdout.isTTY) {
    stderr.write(
      paragraph(
        `Careful: for ${describeDuration(expiresAt - Date.now())} this token gives access to everything in the team that ` +
          'its scopes allow, including private notes. Keep it out of logs, tickets and chats.',
      ),
    );
  }
  stdout.write(json ? toJsonLine({ accessToken, expiresAt, scopes }) : `${accessToken}\n`);
  return 0;
}
