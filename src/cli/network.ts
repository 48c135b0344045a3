import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

import { codeOf, isSet } from './environment';
import { failed, passed, type Step } from './steps';
import type { Environment } from './terminal';

/** IPv6 addresses have their brackets, as in a URL. */
const isAddress = (hostname: string): boolean => hostname.startsWith('[') || isIP(hostname) !== 0;

export async function checkDns({ hostname }: URL, env: Environment): Promise<Step> {
  if (isAddress(hostname)) return passed('dns', 'not needed: the host is an IP address');
  try {
    const addresses = await lookup(hostname, { all: true });
    return passed('dns', `${hostname} is ${addresses.map(({ address }) => address).join(', ')}`);
  } catch (error) {
    const code = codeOf(error);
    const name = isSet(env['BIPSYNC_CLIENT'])
      ? 'BIPSYNC_CLIENT, the subdomain of your tenant'
      : 'BIPSYNC_BASE_URL';
    const hint =
      code === 'ENOTFOUND'
        ? `This host does not exist. Check ${name}. If this machine needs a proxy, set HTTPS_PROXY.`
        : 'The name server does not answer. Check the network, VPN and DNS settings of this machine.';
    return failed('dns', `${hostname} was not found (${code})`, hint);
  }
}

export const TLS_UNCHECKED = 'NODE_TLS_REJECT_UNAUTHORIZED=0 is set, so Node accepts every certificate';

/** isTlsUnchecked tells whether Node is told to accept every certificate. */
export const isTlsUnchecked = (env: Environment): boolean => env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0';

export async function checkTls(home: URL, env: Environment): Promise<Step> {
  const { protocol, hostname, port, host } = home;
  if (protocol === 'http:') return passed('tls', 'not needed for http on the loopback interface');
  const socket = connectTls({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 443),
    // TLS knows names of servers, and no addresses.
    ...(!isAddress(hostname) && { servername: hostname }),
    // Nothing is sent, and a certificate that is not trusted is there to be read.
    rejectUnauthorized: false,
  });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(10_000) });
    return readCertificate(socket, host, env);
  } catch (error) {
    const code = codeOf(error);
    return failed(
      'tls',
      `${host}: ${code === 'ABORT_ERR' ? 'no answer within 10 seconds' : `no TLS connection (${code})`}`,
      isNoTls(code)
        ? 'The server on this port does not speak TLS. Check the port, and http or https, in BIPSYNC_BASE_URL.'
        : 'Check the host, the firewall, and whether this machine needs a proxy (HTTPS_PROXY).',
    );
  } finally {
    socket.destroy();
  }
}

/** OpenSSL's codes for an answer that does not begin as TLS does. */
const isNoTls = (code: string): boolean =>
  /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/.test(code);

function readCertificate(socket: TLSSocket, host: string, env: Environment): Step {
  const { valid_from: from, valid_to: to } = socket.getPeerCertificate();
  if (socket.authorized) {
    return passed('tls', `${socket.getProtocol() ?? 'TLS'}, certificate valid until ${to}`);
  }
  // A string, whatever its type says.
  const code = String(socket.authorizationError);
  const detail = `${host}: the certificate is not trusted (${code})`;
  if (isTlsUnchecked(env)) return passed('tls', `${detail}, but ${TLS_UNCHECKED}`);
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return failed(
      'tls',
      `${detail}: valid from ${from} to ${to}, but this machine's clock says ${new Date().toUTCString()}`,
      "Correct this machine's clock (NTP). If the clock is right, the server needs a new certificate.",
    );
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return failed(
      'tls',
      detail,
      'The certificate is for another host. Check BIPSYNC_CLIENT or BIPSYNC_BASE_URL.',
    );
  }
  return failed('tls', `${detail}; ${issuerOf(socket.getPeerCertificate(true))}`, missingCaHint(env));
}

/** A certificate as Node has it, of which servers may send a part only. */
interface Chain {
  issuer: { CN?: string | string[]; O?: string | string[] };
  issuerCertificate?: Chain;
}

/** Of the last certificate that the server sent: the authority that is missing, or one that it leads to. */
function issuerOf(certificate: Chain): string {
  let last = certificate;
  // A certificate signed by itself leads to itself.
  for (let depth = 0; last.issuerCertificate && depth < 10; depth += 1) last = last.issuerCertificate;
  const { CN, O } = last.issuer;
  const name = [CN, O].flat().filter(Boolean).join(', ').slice(0, 200);
  return name === '' ? 'it does not name its issuer' : `its issuer is "${name}"`;
}

function missingCaHint(env: Environment): string {
  const file = 'NODE_EXTRA_CA_CERTS';
  const advice = isSet(env[file])
    ? `${file} is set, but this CA is not in its file. Node reads the file when the process starts, so set the variable in the shell.`
    : `Get the CA's certificate as a PEM file, and set ${file} to the file's path in the shell.`;
  return (
    'This machine does not know the certificate authority (CA) that signed the certificate of the server. Often a proxy or firewall of your company ' +
    `decrypts TLS traffic with its own CA. ${advice} Do not switch the check off.`
  );
}
