import { isUnmatchedMockError } from '../axios/adapters';
import { describeProxyAnswer, nameOfProxy, proxyStatusOf, UNREADABLE_PROXY } from '../axios/proxies';
import { BipsyncAuthError, isBipsyncAuthError } from '../errors';
import { asRecord } from '../values';
import { REDIRECT_ADVICE } from './answers';

/** What is known about a token request that ended without an answer. */
interface Circumstances {
  readonly subject: string;
  readonly hostname: string;
  /** Host and port of the proxy on the way, if one is configured. */
  readonly proxy: string | undefined;
  /** Whether the request was sent on a connection that earlier requests had used. */
  readonly wasReused: boolean;
}

/** WasReset says that a reused connection had been closed by the other side. It never leaves the token request. */
export class WasReset extends Error {
  constructor(readonly error: BipsyncAuthError) {
    super('reset');
  }
}

/**
 * readFailure makes the error of a token request that ended without an answer. What axios threw holds the secret, so only
 * codes and class names of it are passed on.
 */
export function readFailure(thrown: unknown, circumstances: Circumstances): Error {
  if (isBipsyncAuthError(thrown)) return thrown;
  const { subject, hostname, proxy, wasReused } = circumstances;
  if (isUnmatchedMockError(thrown)) return unmatchedMock(subject);
  const causes = causesOf(thrown);
  const messages = causes.map(({ message }) => String(message).replaceAll(hostname, ''));

  const proxyStatus = proxyStatusOf(messages);
  if (proxyStatus !== undefined) return proxyRefusal(proxyStatus, proxy, hostname);
  // Every runtime's fetch has words of its own for a redirect that must not be followed.
  if (messages.some((message) => /redirect/i.test(message))) {
    return new BipsyncAuthError(
      'ERR_BIPSYNC_TOKEN_REQUEST',
      `${subject} answered with a redirect. ${REDIRECT_ADVICE}`,
    );
  }
  const code = lastCodeOf(causes);
  if (isFaultOfTheProgram(causes)) {
    const advice =
      proxy === UNREADABLE_PROXY
        ? "HTTPS_PROXY or the instance's proxy option is not a valid URL. Write it like http://proxy.example.com:3128."
        : "The cause is in this program, not in the network or Bipsync. Check the instance's adapter and the runtime first.";
    return new BipsyncAuthError(
      'ERR_BIPSYNC_CONFIG',
      `The token request failed in this process: ${describeFault(causes)}. ${advice}`,
    );
  }
  const way = proxy === undefined || isCertificateCode(code) ? '' : ` through ${nameOfProxy(proxy)}`;
  const failure = new BipsyncAuthError(
    'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
    `${subject} could not be reached${way}${code === undefined ? '' : ` (${code})`}. ${adviceOn(code, proxy, hostname)}`,
  );
  return wasReused && (code === 'ECONNRESET' || code === 'EPIPE') ? new WasReset(failure) : failure;
}

/** unreadableBody is the error of a token response that was cut off, for example, or compressed in another way than it says. */
export function unreadableBody(subject: string, thrown: unknown): BipsyncAuthError {
  const code = lastCodeOf(causesOf(thrown));
  return new BipsyncAuthError(
    'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
    `${subject} answered 200, but its body could not be read${code === undefined ? '' : ` (${code})`}. Check whether a proxy or ` +
      'gateway changes the answer or cuts it off.',
    { tokenEndpointStatus: 200 },
  );
}

/** unmatchedMock is the error of a test in which nothing answers the token request. */
export function unmatchedMock(subject: string): BipsyncAuthError {
  return new BipsyncAuthError(
    'ERR_BIPSYNC_TOKEN_REQUEST',
    `${subject} was not asked: the axios-mock-adapter on the instance has no handler for the token request. Call ` +
      "mockBipsyncToken(mock) from 'axios-bipsync-auth/testing'.",
    { tokenEndpointStatus: 404 },
  );
}

/** proxyRefusal is the error of a proxy that opened no tunnel. */
export function proxyRefusal(status: number, proxy: string | undefined, hostname: string): BipsyncAuthError {
  return new BipsyncAuthError('ERR_BIPSYNC_PROXY', describeProxyAnswer(proxy, status, hostname), {
    proxyStatus: status,
  });
}

function adviceOn(code: string | undefined, proxy: string | undefined, hostname: string): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'The received certificate is for another host. Check client, baseURL and tokenUrl.';
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return (
      "The received certificate is not valid at this time. Check this machine's clock. If the clock is right, the server or " +
      'proxy needs a new certificate.'
    );
  }
  if (isCertificateCode(code)) {
    return (
      'The received certificate is not trusted. If a proxy or firewall decrypts TLS traffic, set NODE_EXTRA_CA_CERTS to the ' +
      'path of its CA certificate, or give the axios instance an httpsAgent whose `ca` is that certificate. Do not switch the check off.'
    );
  }
  if (code === 'ERR_NOCK_NO_MATCH') {
    return 'nock has no handler for the token request. Add one for POST /v1/oauth/token.';
  }
  if (proxy === undefined) {
    return 'Check the URL first, then the network, DNS and proxy settings of this machine.';
  }
  const scheme = code === 'EPROTO' ? 'The URL of the proxy should begin with http://. ' : '';
  return `${scheme}Check that this proxy is correct and running, or add ${hostname} to NO_PROXY to connect directly.`;
}

/** isCertificateCode tells the error codes with which OpenSSL and Node reject a certificate. */
function isCertificateCode(code: string | undefined): boolean {
  return code !== undefined && /CERT|SIGNATURE|ERR_TLS/.test(code);
}

/**
 * What the network did carries a code, or comes as axios's own error. An error of one of the language's own classes without
 * a cause that has a code comes from the program: something that it needs is missing or wrong.
 */
function isFaultOfTheProgram([error, ...causes]: readonly Thrown[]): boolean {
  const { name, code } = error ?? {};
  if (code === 'ERR_NOT_SUPPORT' || /^Unknown adapter/.test(String(error?.['message']))) return true;
  const isOfTheLanguage = /^(?:Eval|Range|Reference|Syntax|Type|URI)Error$/.test(String(name));
  return isOfTheLanguage && !causes.some(systemCode) && !fetchFailure.test(String(error?.['message']));
}

/** What runtimes, and mocks of them, say in the `TypeError` of a fetch that got no answer. */
const fetchFailure = /^(?:fetch failed|failed to fetch|load failed|network ?error|network request failed)\b/i;

/** An adapter that is missing is named; other messages could repeat the secret. */
function describeFault([error]: readonly Thrown[]): string {
  const message = String(error?.['message']);
  const isMissingAdapter = /^(?:Unknown adapter|There is no suitable adapter)/.test(message);
  const isMissingMember = /^[\w$. ()[\]]{1,80} is not (?:a function|defined|a constructor)$/.test(message);
  const words = isMissingAdapter || isMissingMember ? `: ${message.replace(/\s+/g, ' ')}` : '';
  return `${String(error?.['name'])}${words}`;
}

type Thrown = Readonly<Record<PropertyKey, unknown>>;

function causesOf(error: unknown): readonly Thrown[] {
  const causes: Thrown[] = [];
  for (let at = error; causes.length < 5 && Object(at) === at; at = asRecord(at)['cause'])
    causes.push(asRecord(at));
  return causes;
}

/** The deepest cause says the most. */
function lastCodeOf(causes: readonly Thrown[]): string | undefined {
  return causes
    .map(systemCode)
    .filter((found) => found !== undefined)
    .at(-1);
}

function systemCode({ code }: Thrown): string | undefined {
  return typeof code === 'string' && /^[A-Z][A-Z\d_]{1,60}$/.test(code) ? code : undefined;
}
