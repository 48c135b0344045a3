import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { type BipsyncAuth, type BipsyncAuthError, isBipsyncAuthError } from '../index';
import { connect, type Connection, isSet, namesTenant, proxyFor, SECRET } from './environment';
import { ipHint, probeApi } from './probe';
import { describeToken, failed, formatStep, passed, type Step } from './steps';
import {
  type Environment,
  type ExitStatus,
  type Paint,
  painter,
  progressOn,
  type Terminal,
  toJsonLine,
} from './terminal';

/** check finds out what is wrong with the environment's credentials, and says what to do about it. */
export async function check(terminal: Terminal, { json = false }: { json?: boolean }): Promise<ExitStatus> {
  const { env, stdout } = terminal;
  const paint = painter(env, stdout);
  const progress = progressOn(terminal);
  const steps: Step[] = [];
  for await (const step of diagnose(env, (what) => progress.show(what))) {
    steps.push(step);
    progress.clear();
    if (!json) stdout.write(formatStep(step, paint));
  }
  const ok = steps.every((step) => step.ok);
  stdout.write(json ? toJsonLine({ ok, steps }, 2) : `\n  ${verdictOn(steps, paint)}\n`);
  return ok ? 0 : 1;
}

function verdictOn(steps: readonly Step[], paint: Paint): string {
  const namesOf = (some: readonly Step[]): string => some.map(({ name }) => name).join(', ');
  const bad = steps.filter(({ ok }) => !ok);
  if (bad.length > 0) return paint('red', `Not in order: ${namesOf(bad)}.`);
  const odd = steps.filter(({ hint }) => hint !== undefined);
  if (odd.length > 0) return paint('yellow', `The API answers. Mind the hints: ${namesOf(odd)}.`);
  return paint('green', 'All in order: requests with this configuration will be answered.');
}

/** In the order a person would look; ends where what follows would mean nothing. */
async function* diagnose(env: Environment, begin: (what: string) => void): AsyncGenerator<Step> {
  const { step: configuration, connection } = checkConfiguration(env);
  yield configuration;
  const secret = checkSecret(env[SECRET]);
  yield secret;
  if (!connection || !secret.ok) return;

  const { auth, api, home } = connection;
  const proxy = proxyFor(home, env);
  yield passed('proxy', proxy ?? 'none in the environment for this host');
  if (proxy === undefined) {
    begin(`looking up ${home.hostname}`);
    const dns = await checkDns(home, env);
    yield dns;
    if (!dns.ok) return;
    begin(`TLS with ${home.host}`);
    const tls = await checkTls(home);
    yield tls;
    if (!tls.ok) return;
  }

  begin('asking for a token');
  const startedAt = performance.now();
  let scopes: readonly string[];
  try {
    const token = await auth.getToken();
    yield passed('token', describeToken(startedAt, token.expiresAt));
    scopes = token.scopes;
  } catch (error) {
    if (!isBipsyncAuthError(error)) throw error;
    yield failed('token', describe(error), tokenHint(error, proxy));
    if (error.code !== 'ERR_BIPSYNC_SCOPE') return;
    begin('finding out which scope is refused');
    yield await findRefusedScopes(connection);
    return;
  }
  yield checkScopes(scopes);

  begin('asking the API');
  const { step, clockAheadMs } = await probeApi(api, scopes);
  yield step;
  if (clockAheadMs !== undefined) yield checkClock(clockAheadMs);
}

function checkConfiguration(env: Environment): { step: Step; connection?: Connection } {
  try {
    // A missing secret has a step of its own.
    const connection = connect(isSet(env[SECRET]) ? env : { ...env, [SECRET]: 'missing' });
    const { home, config } = connection;
    const detail = `${home.origin}, client id ${config.clientId}`;
    return { step: passed('configuration', detail, configurationHint(env, connection)), connection };
  } catch (error) {
    if (!isBipsyncAuthError(error)) throw error;
    const hint = namesTenant(env)
      ? 'Correct these BIPSYNC_… variables; `npx axios-bipsync-auth --help` lists them.'
      : 'No BIPSYNC_… variable is set. `npx axios-bipsync-auth --help` lists them, and says how to load a .env file.';
    return { step: failed('configuration', error.message, hint) };
  }
}

/** What the plugin takes as it is, since it may be meant. */
function configurationHint(env: Environment, { home }: Connection): string | undefined {
  const hints = ['BIPSYNC_BASE_URL', 'BIPSYNC_CLIENT_ID'].flatMap((name) => {
    const oddity = oddityOf(env[name] ?? '');
    return oddity === undefined ? [] : [`${name} ${oddity}`];
  });
  const path = home.pathname.replace(/\/+$/, '');
  if (path !== '') {
    hints.push(
      'BIPSYNC_BASE_URL has a path, to which the paths of requests are appended: ' +
        `get('/v1/research') goes to ${path}/v1/research.`,
    );
  }
  return hints.join(' ') || undefined;
}

function checkSecret(secret: string | undefined): Step {
  if (!isSet(secret)) {
    const hint = 'Set it; `npx axios-bipsync-auth --help` says how to load a .env file.';
    return failed('secret', `${SECRET} is not set`, hint);
  }
  const oddity = oddityOf(secret);
  return passed('secret', `${SECRET} is set`, oddity && `It ${oddity}`);
}

/** What often comes along when a value is copied. */
function oddityOf(value: string): string | undefined {
  if (value !== value.trim()) return 'begins or ends with white space.';
  if (/^(["']).*\1$/.test(value)) return 'is in quotes, which Docker and others take for a part of it.';
  return undefined;
}

/** IPv6 addresses have their brackets, as in a URL. */
const isAddress = (hostname: string): boolean => hostname.startsWith('[') || isIP(hostname) !== 0;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown error';

async function checkDns({ hostname }: URL, env: Environment): Promise<Step> {
  if (isAddress(hostname)) return passed('dns', 'not needed for an address');
  try {
    const addresses = await lookup(hostname, { all: true });
    return passed('dns', `${hostname} is ${addresses.map(({ address }) => address).join(', ')}`);
  } catch (error) {
    const code = codeOf(error);
    const name = env['BIPSYNC_CLIENT']?.trim()
      ? 'BIPSYNC_CLIENT, the subdomain of your tenant'
      : 'BIPSYNC_BASE_URL';
    const hint =
      code === 'ENOTFOUND'
        ? `There is no such host: check ${name}. If only a proxy reaches it, set HTTPS_PROXY.`
        : 'The name server does not answer: check the network, VPN and DNS settings of this machine.';
    return failed('dns', `${hostname} was not found (${code})`, hint);
  }
}

async function checkTls({ protocol, hostname, port, host }: URL): Promise<Step> {
  if (protocol === 'http:') return passed('tls', 'not needed for http on the loopback interface');
  const socket = connectTls({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 443),
    // TLS has names of servers only, no addresses.
    ...(!isAddress(hostname) && { servername: hostname }),
  });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(10_000) });
    const { valid_to: validTo } = socket.getPeerCertificate();
    return passed('tls', `${socket.getProtocol() ?? 'TLS'}, certificate valid until ${validTo}`);
  } catch (error) {
    const code = codeOf(error);
    return failed('tls', `${host}: ${code === 'ABORT_ERR' ? 'no answer within 10 s' : code}`, tlsHint(code));
  } finally {
    socket.destroy();
  }
}

function tlsHint(code: string): string {
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return "Check this machine's date and time; if they are right, the server's certificate is out of date.";
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'The certificate is for another host: check BIPSYNC_CLIENT or BIPSYNC_BASE_URL.';
  }
  if (/CERT|SIGNATURE|ISSUER/.test(code)) {
    return 'Nobody this machine trusts vouches for the server. Behind a proxy that inspects TLS, let NODE_EXTRA_CA_CERTS name the file with its certificate.';
  }
  return 'The connection fails. Check the host, the firewall, and whether a proxy is needed (HTTPS_PROXY).';
}

/** What the endpoint said, without the advice, which the hint gives in terms of the environment. */
function describe({
  tokenEndpointStatus: status,
  oauthError,
  oauthErrorDescription,
  message,
}: BipsyncAuthError): string {
  if (status === undefined || status === 200) return message;
  const said = [oauthError, oauthErrorDescription].filter(Boolean).join(': ');
  return `the token endpoint answered ${status}${said && ` (${said})`}`;
}

function tokenHint(
  { code, tokenEndpointStatus: status }: BipsyncAuthError,
  proxy: string | undefined,
): string | undefined {
  switch (code) {
    case 'ERR_BIPSYNC_CREDENTIALS':
      return (
        'Check BIPSYNC_CLIENT_ID and the secret: they may be of another tenant, rotated since, or copied with white ' +
        'space or quotes.'
      );
    // The next step tells more of the one, the message itself of the other.
    case 'ERR_BIPSYNC_SCOPE':
    case 'ERR_BIPSYNC_CONFIG':
      return undefined;
    case 'ERR_BIPSYNC_IP_NOT_ALLOWED':
      return ipHint;
    case 'ERR_BIPSYNC_TOKEN_UNAVAILABLE':
      if (status !== undefined)
        return 'The endpoint is overloaded or out of order. Try again in a few minutes.';
      return proxy === undefined
        ? 'Check that BIPSYNC_CLIENT or BIPSYNC_BASE_URL is right, and that no firewall is in the way.'
        : `Check the proxy ${proxy}, and whether NO_PROXY should name the host.`;
    default:
      return (
        'This does not look like a Bipsync token endpoint: check BIPSYNC_CLIENT or BIPSYNC_BASE_URL, and that no ' +
        'gateway or proxy answers in its place.'
      );
  }
}

const isTeam = (scope: string): boolean => scope.startsWith('team_');

function checkScopes(scopes: readonly string[]): Step {
  const hint = scopes.every(isTeam)
    ? 'A token for the team alone opens little: name the scopes of your client in BIPSYNC_SCOPES.'
    : undefined;
  return passed('scopes', scopes.join(' '), hint);
}

/** Asks for the team alone, then for each scope with it: servers do not say reliably which one they refuse. */
async function findRefusedScopes({ auth, config }: Connection): Promise<Step> {
  const configured = typeof config.scopes === 'string' ? config.scopes.split(' ') : [];
  const scopes = configured.filter((scope) => scope !== '' && !isTeam(scope));
  const teams = configured.filter(isTeam);
  try {
    if (!(await isGranted(auth, []))) {
      return failed(
        'scopes',
        'the team is refused',
        commaHint(teams) ??
          'Check BIPSYNC_TEAM_ID: the client must have been made for this team, in this tenant.',
      );
    }
    const refused: string[] = [];
    for (const scope of scopes) if (!(await isGranted(auth, [scope]))) refused.push(scope);
    return failed(
      'scopes',
      refused.length > 0 ? `not granted: ${refused.join(' ')}` : 'granted one by one, but refused together',
      commaHint(refused) ?? 'Take these out of BIPSYNC_SCOPES, or have the client granted them in Bipsync.',
    );
  } catch (error) {
    if (!isBipsyncAuthError(error)) throw error;
    return failed(
      'scopes',
      `asked for: ${scopes.join(' ')}`,
      commaHint(scopes) ?? 'Compare them with what the client was granted.',
    );
  }
}

/** A scope may hold a comma, so it takes a refusal to tell. */
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

/** The header counts whole seconds, so one more or less means nothing. */
function checkClock(aheadMs: number): Step {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  if (seconds <= 1) return passed('clock', "agrees with the server's");
  const detail = `${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the server's`;
  if (seconds <= MAX_SKEW_S) return passed('clock', detail);
  return passed('clock', detail, 'Synchronise it (NTP): certificates and expiry times are judged by it.');
}
