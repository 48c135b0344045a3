import { type BipsyncAuth, type BipsyncAuthError, isBipsyncAuthError } from '../index';
import { checkSecret, describeClientId, oddVariables } from './credentials';
import {
  connect,
  type Connection,
  type EnvFile,
  NO_VARIABLES,
  plainVariables,
  proxyFor,
  SECRET,
  SECRET_FILE,
  setVariables,
} from './environment';
import { checkDns, checkTls, isTlsUnchecked, TLS_UNCHECKED } from './network';
import { addressHint, probeApi } from './probe';
import {
  ASSUMED,
  assumed,
  describeDuration,
  describeToken,
  failed,
  formatStep,
  passed,
  type Step,
} from './steps';
import {
  type Environment,
  type ExitStatus,
  type Paint,
  painter,
  paragraph,
  progressOn,
  type Terminal,
  toJsonLine,
} from './terminal';

/** check finds out what is wrong with the environment's credentials, and prints the next step. */
export async function check(
  terminal: Terminal,
  { json, envFile = noFile }: { json: boolean; envFile: EnvFile | undefined },
): Promise<ExitStatus> {
  const { env, stdout } = terminal;
  const paint = painter(env, stdout);
  const progress = progressOn(terminal);
  const steps: Step[] = [];
  for await (const step of diagnose(env, envFile, (what) => progress.show(what))) {
    steps.push(step);
    progress.clear();
    if (!json) stdout.write(formatStep(step, paint));
  }
  const ok = steps.every((step) => step.ok);
  stdout.write(json ? toJsonLine({ ok, steps }, 2) : conclusion(steps, paint));
  return ok ? 0 : 1;
}

function conclusion(steps: readonly Step[], paint: Paint): string {
  const namesOf = (some: readonly Step[]): string => some.map(({ name }) => name).join(', ');
  const bad = steps.filter(({ ok }) => !ok);
  const odd = steps.filter(({ hint }) => hint !== undefined);
  const [style, verdict] =
    bad.length > 0
      ? (['red', `Failed: ${namesOf(bad)}.`] as const)
      : odd.length > 0
        ? (['yellow', `Nothing failed. Read the hints: ${namesOf(odd)}.`] as const)
        : (['green', 'All checks passed, with one API request. Other paths may need other scopes.'] as const);
  const hasAssumptions = steps.some(({ detail, hint }) => `${detail} ${hint}`.includes(ASSUMED));
  const legend = `A text after "${ASSUMED}" is not in Bipsync's docs. Everything else was checked just now.`;
  return `\n  ${paint(style, verdict)}\n${hasAssumptions ? paragraph(legend, 2) : ''}`;
}

/** In the order a person would look. It ends if the next steps would mean nothing. */
async function* diagnose(
  env: Environment,
  envFile: EnvFile,
  begin: (what: string) => void,
): AsyncGenerator<Step> {
  const configuration = checkConfiguration(env, envFile);
  yield configuration;
  const secret = checkSecret(env, misreadHint(envFile, [SECRET]));
  yield secret;
  if (!configuration.ok || !secret.ok) return;

  const connection = connect(env);
  const { auth, api, home } = connection;
  const proxy = proxyFor(home);
  yield passed('proxy', proxy ?? 'none in the environment for this host');
  if (proxy === undefined) {
    begin(`looking up ${home.hostname}`);
    const dns = await checkDns(home, env);
    yield dns;
    if (!dns.ok) return;
    begin(`TLS with ${home.host}`);
    const tls = await checkTls(home, env);
    yield tls;
    if (!tls.ok) return;
  }

  begin('asking for a token');
  const startedAt = performance.now();
  let granted: readonly string[];
  try {
    const token = await auth.getToken();
    yield passed('token', describeToken(startedAt, token.expiresAt));
    granted = token.scopes;
  } catch (error) {
    if (!isBipsyncAuthError(error)) throw error;
    // The library says who answered what, and the next step. The hint adds what it does not know.
    yield failed('token', error.message, tokenHint(error, proxy));
    if (error.code !== 'ERR_BIPSYNC_SCOPE') return;
    begin('finding out which scope is refused');
    yield await findRefusedScopes(connection);
    return;
  }
  yield checkScopes(granted, connection.missingScopes());

  begin('asking the API');
  const probe = await probeApi(api, granted);
  yield probe.step;
  if (probe.clockAheadMs !== undefined) yield checkClock(probe.clockAheadMs);
}

/** The secret has a step of its own, so another one stands in for it here. */
function checkConfiguration(env: Environment, envFile: EnvFile): Step {
  const { fromShell, beaten } = envFile;
  const misread = misreadHint(envFile, plainVariables);
  const oddities = (shell: readonly string[]): string | undefined =>
    [misread, ...oddVariables(env), ...shellHints(shell)].filter(Boolean).join(' ') || undefined;
  try {
    const { home, config } = connect({ ...env, [SECRET]: 'stand-in', [SECRET_FILE]: undefined });
    const hints = [oddities(beaten), pathHint(home), isTlsUnchecked(env) ? tlsHint : undefined];
    const detail = `${home.origin}, ${describeClientId(config.clientId)}`;
    return passed('configuration', detail, hints.filter(Boolean).join(' ') || undefined);
  } catch (error) {
    if (!isBipsyncAuthError(error)) throw error;
    const hint =
      setVariables(env).length > 0
        ? 'Correct these BIPSYNC_… variables. `npx axios-bipsync-auth --help` explains them.'
        : `${NO_VARIABLES} \`npx axios-bipsync-auth --help\` lists the variables.`;
    return failed('configuration', error.message, oddities(fromShell) ?? hint);
  }
}

const shellHints = (names: readonly string[]): string[] =>
  names.length === 0
    ? []
    : [
        `${names.join(', ')} ${names.length === 1 ? 'comes' : 'come'} from the shell, not from the file. To use only the file, ` +
          '`unset` what comes from the shell.',
      ];

const noFile: EnvFile = { file: '', fromShell: [], beaten: [], misread: [] };

/** For those of the variables `among` that Node did not read as they are written. */
function misreadHint({ file, misread }: EnvFile, among: readonly string[]): string | undefined {
  const names = misread.filter((name) => among.includes(name));
  if (names.length === 0) return undefined;
  return (
    `Node did not read ${names.join(', ')} as written in ${file}. The rules: # outside quotes begins a comment, a second ` +
    'quote ends the value, and \\n in double quotes is a line break. Put the value in single quotes.' +
    (names.includes(SECRET) ? ` If the secret contains a single quote, use ${SECRET_FILE}.` : '')
  );
}

const tlsHint =
  `${TLS_UNCHECKED}. Anyone between this machine and the server can read the secret. Remove this variable, and set ` +
  'NODE_EXTRA_CA_CERTS to the path of the missing CA certificate.';

/** A path is accepted, since it may be meant. */
function pathHint({ pathname }: URL): string | undefined {
  const path = pathname.replace(/\/+$/, '');
  if (path === '') return undefined;
  return (
    'BIPSYNC_BASE_URL has a path, and the path of each request is appended to this path: ' +
    `get('/v1/research') goes to ${path}/v1/research.`
  );
}

/** How long the library pauses after a first failure, if the server does not say how long. */
const OWN_PAUSE_MS = 1000;

function tokenHint(error: BipsyncAuthError, proxy: string | undefined): string | undefined {
  const { code, tokenEndpointStatus, retryAfterMs } = error;
  switch (code) {
    case 'ERR_BIPSYNC_CREDENTIALS':
      return (
        `clientId is BIPSYNC_CLIENT_ID. clientSecret is ${SECRET}, or the content of the file in ${SECRET_FILE}. Check also ` +
        'that the two are not swapped. ' +
        assumed('the token endpoint uses the errors of OAuth 2.0 (RFC 6749 §5.2).')
      );
    case 'ERR_BIPSYNC_IP_NOT_ALLOWED':
      return `${addressHint} ${assumed('a 403 from the token endpoint means the same as a 403 from the API.')}`;
    case 'ERR_BIPSYNC_TOKEN_UNAVAILABLE':
      if (tokenEndpointStatus === undefined) return networkHint(proxy);
      if (retryAfterMs === undefined || retryAfterMs <= OWN_PAUSE_MS) return undefined;
      return `The token endpoint asks you to wait. Try again in ${describeDuration(retryAfterMs)}.`;
    case 'ERR_BIPSYNC_TOKEN_REQUEST':
    case 'ERR_BIPSYNC_TOKEN_RESPONSE':
      return (
        'This does not look like a Bipsync token endpoint. Check BIPSYNC_CLIENT or BIPSYNC_BASE_URL, and whether a gateway ' +
        'answers instead.'
      );
    default:
      return undefined;
  }
}

function networkHint(proxy: string | undefined): string {
  return proxy === undefined
    ? 'Check BIPSYNC_CLIENT or BIPSYNC_BASE_URL, and whether a firewall blocks the connection.'
    : `Check that ${proxy} is a proxy for https. If it is not, it may close the connection without an answer, and then the ` +
        'token request only times out. If the host needs no proxy, add the host to NO_PROXY.';
}

const isTeam = (scope: string): boolean => scope.startsWith('team_');

function checkScopes(granted: readonly string[], missing: readonly string[]): Step {
  if (missing.length > 0) {
    return failed(
      'scopes',
      `granted: ${granted.join(' ')}; asked for and not granted: ${missing.join(' ')}`,
      'Requests that need the missing scopes will get a 401. Ask your Bipsync administrator to grant these scopes to the ' +
        'client, or remove them from the BIPSYNC_… variables.',
    );
  }
  const hint = granted.every(isTeam)
    ? 'A token with only the team gives access to very little. Set BIPSYNC_SCOPES to the scopes of your client.'
    : undefined;
  const source = assumed('a token response without scopes grants all scopes that were asked for.');
  return passed('scopes', `${granted.join(' ')}. ${source}`, hint);
}

/** Asks for the team alone, then for each scope with it: servers do not name the refused one reliably. */
async function findRefusedScopes({ auth, config }: Connection): Promise<Step> {
  const configured = typeof config.scopes === 'string' ? config.scopes.split(' ') : [];
  const scopes = configured.filter((scope) => scope !== '' && !isTeam(scope));
  const teams = configured.filter(isTeam);
  try {
    if (!(await isGranted(auth, []))) {
      return failed(
        'scopes',
        'the team is refused',
        commaHint(teams) ?? 'Check BIPSYNC_TEAM_ID. The client must belong to this team and this tenant.',
      );
    }
    const refused: string[] = [];
    for (const scope of scopes) if (!(await isGranted(auth, [scope]))) refused.push(scope);
    if (refused.length === 0) {
      return failed(
        'scopes',
        'each scope alone is granted, but all of them in one request are not',
        'Ask your Bipsync administrator which of these scopes can be combined.',
      );
    }
    return failed(
      'scopes',
      `not granted: ${refused.join(' ')}`,
      commaHint(refused) ??
        'Remove these scopes from BIPSYNC_SCOPES, or ask your Bipsync administrator to grant them to the client.',
    );
  } catch (error) {
    if (!isBipsyncAuthError(error)) throw error;
    return failed(
      'scopes',
      `asked for: ${scopes.join(' ')}`,
      commaHint(scopes) ?? 'Check which of these scopes were granted to the client.',
    );
  }
}

/** A comma is allowed in a scope, so only a refused one is worth a word. */
function commaHint(refused: readonly string[]): string | undefined {
  const hasComma = refused.some((scope) => scope.includes(','));
  return hasComma ? 'Separate the scopes in BIPSYNC_SCOPES by spaces, not by commas.' : undefined;
}

async function isGranted(auth: BipsyncAuth, scopes: string[]): Promise<boolean> {
  try {
    await auth.getToken({ scopes });
    return true;
  } catch (error) {
    if (isBipsyncAuthError(error) && error.code === 'ERR_BIPSYNC_SCOPE') return false;
    throw error;
  }
}

const MAX_SKEW_S = 60;

/** The header counts whole seconds, so a difference of one means nothing. */
function checkClock(aheadMs: number): Step {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  if (seconds <= 1) return passed('clock', "agrees with the server's");
  const detail = `${describeDuration(seconds * 1000)} ${aheadMs > 0 ? 'ahead of' : 'behind'} the server's`;
  if (seconds <= MAX_SKEW_S) return passed('clock', detail);
  return passed(
    'clock',
    detail,
    "Synchronise this machine's clock (NTP). Certificates and expiry times are checked against it.",
  );
}
