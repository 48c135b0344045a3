import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { HttpsProxyAgent } from 'https-proxy-agent';

import { expired, inspected, selfSigned } from '../../faults/self-signed';
import { listen } from '../../living-with/tunnels';
import { CLOSED_PORT, NO_SUCH_HOST } from '../../support/nobody';
import type { Row, Situation } from '../row';
import { NOWHERE, startProxy, tcp, tlsFront, type World } from '../world';

// DNS, TCP, TLS, and proxies of each kind.

const unavailable = 'ERR_BIPSYNC_TOKEN_UNAVAILABLE';

/** Both the library and the command, at one base URL. */
function at(world: World, baseURL: string, http: object = {}): Situation {
  return {
    attempt: () => world.install({ baseURL }, http).api.get('/v1/research'),
    env: { ...world.env, BIPSYNC_BASE_URL: baseURL },
  };
}

/** Behind a proxy that the environment names. */
function behind(world: World, proxy: string, http: object = {}): Situation {
  world.set('HTTPS_PROXY', proxy.includes('//') ? proxy : `http://someone:pass-word@${proxy}`);
  return at(world, NOWHERE, http);
}

/** A proxy that refuses CONNECT. */
function refusal(status: number, meaning: string, step: RegExp): Row {
  return {
    title: `A proxy that answers ${status} to CONNECT is named, with what it said.`,
    fault: async (world) => behind(world, await startProxy(world, { status })),
    library: { code: 'ERR_BIPSYNC_PROXY', party: 'the proxy', step },
    check: {
      at: 'token',
      names: new RegExp(
        `^The proxy 127\\.0\\.0\\.1:\\d+ answered ${status} ${meaning}to the request for a tunnel`,
      ),
      step,
    },
  };
}

/** Where Node reads the certificates of authorities that it also trusts. */
function caFile(world: World, cert: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'bipsync-auth-'));
  world.atEnd(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'ca.pem');
  writeFileSync(file, cert);
  return file;
}

/** A front whose certificate is its own authority, which everybody knows. */
async function withItsAuthority(
  world: World,
  certificate: ReturnType<typeof selfSigned>,
): Promise<Situation> {
  const { url } = await tlsFront(world, certificate);
  return {
    ...at(world, url, { httpsAgent: new Agent({ ca: certificate.cert }) }),
    env: { ...world.env, BIPSYNC_BASE_URL: url, NODE_EXTRA_CA_CERTS: caFile(world, certificate.cert) },
    apart: true,
  };
}

export const networkRows: Row[] = [
  {
    title: 'A host that does not exist is reported with ENOTFOUND, and check names the variable.',
    fault: (world) => at(world, `https://${NO_SUCH_HOST}`),
    library: {
      code: unavailable,
      party: 'the network',
      step: /could not be reached \(ENOTFOUND\)\. Check the URL first/,
    },
    check: {
      at: 'dns',
      names: /\.bipsync\.invalid was not found \(ENOTFOUND\)/,
      step: /BIPSYNC_BASE_URL|DNS settings/,
    },
  },
  {
    title: 'A name server that does not answer is reported with EAI_AGAIN.',
    // No name server can be made to fail for this process alone, so the look-up is replaced.
    fault: (world) => ({
      attempt: () =>
        world
          .install(
            { baseURL: NOWHERE, tokenTimeoutMs: 3000 },
            {
              lookup: (_host, _options, done) =>
                done(Object.assign(new Error('getaddrinfo'), { code: 'EAI_AGAIN' }), ''),
            },
          )
          .api.get('/v1/research'),
    }),
    library: { code: unavailable, party: 'the network', step: /\(EAI_AGAIN\)\..*DNS/ },
  },
  {
    title: 'A port on which nobody listens is reported with ECONNREFUSED.',
    fault: async (world) => at(world, `http://127.0.0.1:${CLOSED_PORT}`),
    library: {
      code: unavailable,
      party: 'the network',
      step: /\(ECONNREFUSED\)\. Check the URL first/,
    },
    check: { at: 'token', names: /ECONNREFUSED/, step: /BIPSYNC_BASE_URL, and whether a firewall/ },
  },
  {
    title: 'An https port on which nobody listens is found by check before a token is asked for.',
    fault: async (world) => at(world, `https://127.0.0.1:${CLOSED_PORT}`),
    library: { code: unavailable, party: 'the network', step: /\(ECONNREFUSED\).*the network, DNS/ },
    check: { at: 'tls', names: /127\.0\.0\.1:\d+: no TLS connection \(ECONNREFUSED\)/, step: /firewall/ },
  },
  {
    title: 'A server that resets the connection is reported with ECONNRESET.',
    fault: async (world) => {
      const port = await tcp(world, (socket) => socket.once('data', () => socket.resetAndDestroy()));
      return at(world, `http://127.0.0.1:${port}`);
    },
    library: { code: unavailable, party: 'the network', step: /\(ECONNRESET\)/ },
    check: { at: 'token', names: /ECONNRESET/, step: /firewall/ },
  },
  {
    title: 'A server that accepts and never answers is reported as a time-out.',
    fault: async (world) => {
      const port = await tcp(world, (socket) => socket.resume());
      return {
        attempt: () =>
          world.install({ baseURL: `http://127.0.0.1:${port}`, tokenTimeoutMs: 200 }).api.get('/v1/research'),
      };
    },
    library: {
      code: unavailable,
      party: 'something slow',
      step: /within 200 ms.*too slow: the network, the token endpoint http/,
    },
  },
  {
    title: 'A server that does not speak HTTP is reported with the code of the parser.',
    fault: async (world) => {
      const port = await tcp(world, (socket) =>
        socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.6\r\n')),
      );
      return at(world, `http://127.0.0.1:${port}`);
    },
    library: {
      code: unavailable,
      party: 'the network',
      step: /\(HPE_\w+\)\. Check the URL first/,
    },
    check: { at: 'token', names: /HPE_/, step: /BIPSYNC_BASE_URL/ },
  },
  {
    title: 'A server that does not speak TLS on an https port is reported with the code of OpenSSL.',
    fault: async (world) => {
      const port = await tcp(world, (socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      return at(world, `https://localhost:${port}`);
    },
    library: {
      code: unavailable,
      party: 'the network',
      step: /\((?:EPROTO|ERR_SSL_\w+)\)\. Check the URL first/,
    },
    check: { at: 'tls', names: /no TLS connection/, step: /does not speak TLS\. Check the port/ },
  },
  {
    title: 'A certificate that the server signed itself asks for its authority.',
    fault: async (world) => at(world, (await tlsFront(world, selfSigned())).url),
    library: {
      code: unavailable,
      party: 'the certificate',
      step: /\(DEPTH_ZERO_SELF_SIGNED_CERT\)\..*NODE_EXTRA_CA_CERTS.*Do not switch the check off/,
    },
    check: {
      at: 'tls',
      names: /DEPTH_ZERO_SELF_SIGNED_CERT.*issuer is "localhost"/,
      step: /NODE_EXTRA_CA_CERTS/,
    },
  },
  {
    title: 'A firewall that inspects TLS asks for the certificate of its authority.',
    fault: async (world) => at(world, (await tlsFront(world, inspected('Acme Inspection CA'))).url),
    library: {
      code: unavailable,
      party: 'the certificate',
      step: /\(SELF_SIGNED_CERT_IN_CHAIN\)\..*decrypts TLS traffic.*NODE_EXTRA_CA_CERTS/,
    },
    check: {
      at: 'tls',
      names: /SELF_SIGNED_CERT_IN_CHAIN.*issuer is "Acme Inspection CA"/,
      step: /NODE_EXTRA_CA_CERTS/,
    },
  },
  {
    title: 'A chain that lacks its authority asks for that certificate.',
    fault: async (world) => {
      const { cert, key } = inspected('Acme Inspection CA');
      const leaf = `${cert.split('-----END CERTIFICATE-----\n')[0]}-----END CERTIFICATE-----\n`;
      return at(world, (await tlsFront(world, { cert: leaf, key })).url);
    },
    library: {
      code: unavailable,
      party: 'the certificate',
      step: /\(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)\..*NODE_EXTRA_CA_CERTS/,
    },
    check: { at: 'tls', names: /UNABLE_TO_VERIFY_LEAF_SIGNATURE/, step: /NODE_EXTRA_CA_CERTS/ },
  },
  {
    title: 'A certificate for another host asks for the right host, and not for an authority.',
    fault: (world) => withItsAuthority(world, selfSigned('elsewhere.example.com')),
    library: {
      code: unavailable,
      party: 'the certificate',
      step: /\(ERR_TLS_CERT_ALTNAME_INVALID\)\..*for another host.*Check client, baseURL and tokenUrl(?!.*NODE_EXTRA)/,
    },
    check: {
      at: 'tls',
      names: /ERR_TLS_CERT_ALTNAME_INVALID/,
      step: /for another host\. Check BIPSYNC_CLIENT/,
    },
  },
  {
    title: 'An expired certificate asks for the clock to be checked first.',
    fault: (world) => withItsAuthority(world, expired()),
    library: {
      code: unavailable,
      party: 'the certificate',
      step: /\(CERT_HAS_EXPIRED\)\..*Check this machine's clock(?!.*NODE_EXTRA)/,
    },
    check: { at: 'tls', names: /CERT_HAS_EXPIRED.*this machine's clock says/, step: /NTP/ },
  },
  {
    title: 'A check of certificates that is switched off works, and check warns of it.',
    fault: async (world) => {
      const { url } = await tlsFront(world, selfSigned());
      return {
        ...at(world, url, { httpsAgent: new Agent({ rejectUnauthorized: false }) }),
        env: { ...world.env, BIPSYNC_BASE_URL: url, NODE_TLS_REJECT_UNAUTHORIZED: '0' },
        apart: true,
      };
    },
    library: { code: 'works', party: 'nobody', step: /works/ },
    check: {
      at: 'configuration',
      warns: true,
      names: /NODE_TLS_REJECT_UNAUTHORIZED=0 is set.*can read the secret/,
      step: /Remove this variable, and set NODE_EXTRA_CA_CERTS/,
    },
  },

  {
    title: 'With fetch, a port on which nobody listens is reported with ECONNREFUSED too.',
    fault: async (world) => ({
      attempt: async () => {
        const baseURL = `http://127.0.0.1:${CLOSED_PORT}`;
        await world.install({ baseURL }, { adapter: 'fetch' }).api.get('/v1/research');
      },
    }),
    library: { code: unavailable, party: 'the network', step: /\(ECONNREFUSED\)\..*proxy settings of/ },
  },
  {
    title: 'With fetch, a certificate that the server signed itself asks for its authority too.',
    fault: async (world) => {
      const { url } = await tlsFront(world, selfSigned());
      return { attempt: () => world.install({ baseURL: url }, { adapter: 'fetch' }).auth.getToken() };
    },
    library: {
      code: unavailable,
      party: 'the certificate',
      step: /\(DEPTH_ZERO_SELF_SIGNED_CERT\)\..*not trusted/,
    },
  },

  refusal(401, '\\(authentication required\\) ', /Check the user name and password in HTTPS_PROXY/),
  refusal(
    407,
    '\\(authentication required\\) ',
    /Check the user name and password in HTTPS_PROXY, or in the proxy option/,
  ),
  refusal(
    403,
    '\\(forbidden\\) ',
    /Ask the proxy's administrator to allow acme-api\.bipsync\.invalid.*or add acme-api\.bipsync\.invalid to NO_PROXY/,
  ),
  refusal(404, '', /Ask the proxy's administrator to allow acme-api\.bipsync\.invalid/),
  refusal(
    502,
    '\\(proxy error\\) ',
    /Ask the proxy's administrator whether the proxy can reach acme-api\.bipsync\.invalid/,
  ),
  refusal(503, '\\(proxy error\\) ', /Ask the proxy's administrator whether the proxy can reach/),
  {
    title: 'A proxy in the proxy option that answers 407 is named without its password.',
    fault: async (world) => {
      const [host, port] = (await startProxy(world, { status: 407 })).split(':');
      const proxy = { host, port: Number(port), auth: { username: 'someone', password: 'pass-word' } };
      return { attempt: () => world.install({ baseURL: NOWHERE }, { proxy } as object).auth.getToken() };
    },
    library: {
      code: 'ERR_BIPSYNC_PROXY',
      party: 'the proxy',
      step: /^(?!.*pass-word).*or in the proxy option or the agent/,
    },
  },
  {
    title: 'A proxy agent whose proxy answers 403 names the proxy.',
    fault: async (world) => {
      const httpsAgent = new HttpsProxyAgent(`http://${await startProxy(world, { status: 403 })}`);
      return {
        attempt: () => world.install({ baseURL: NOWHERE }, { httpsAgent, proxy: false }).auth.getToken(),
      };
    },
    library: {
      code: 'ERR_BIPSYNC_PROXY',
      party: 'the proxy',
      step: /answered 403 \(forbidden\).*Ask the proxy's administrator/,
    },
  },
  {
    title: 'A proxy that nobody runs is named, with NO_PROXY.',
    fault: async (world) => behind(world, `127.0.0.1:${CLOSED_PORT}`),
    library: {
      code: unavailable,
      party: 'the way through the proxy',
      step: /through the proxy 127\.0\.0\.1:\d+ \(ECONNREFUSED\)\. Check that this proxy is correct and running, or add acme-api\.bipsync\.invalid to NO_PROXY/,
    },
    check: { at: 'token', names: /the proxy 127\.0\.0\.1:\d+/, step: /NO_PROXY/ },
  },
  {
    title:
      'A proxy variable without http:// at its beginning is taken for TLS, and the message says what to add.',
    fault: async (world) => {
      world.set('HTTPS_PROXY', await startProxy(world, { status: 502 }));
      return at(world, NOWHERE);
    },
    library: {
      code: unavailable,
      party: 'the way through the proxy',
      step: /\(EPROTO\)\. The URL of the proxy should begin with http:\/\/\. Check that this proxy/,
    },
    check: { at: 'token', names: /the proxy 127\.0\.0\.1:\d+/, step: /should begin with http:\/\// },
  },
  {
    title: 'A proxy whose name does not exist is named.',
    fault: (world) => behind(world, `${NO_SUCH_HOST}:3128`),
    library: {
      code: unavailable,
      party: 'the way through the proxy',
      step: /through the proxy \S+\.bipsync\.invalid:3128 \(ENOTFOUND\)/,
    },
    check: { at: 'token', names: /\.bipsync\.invalid:3128/, step: /NO_PROXY/ },
  },
  {
    title:
      'A proxy variable that leads to a web server ends in a time-out, which says that a proxy may be slow.',
    // The server closes the connection without an answer, which axios's own tunnel does not notice.
    fault: async (world) => {
      const { port } = await world.open(
        listen(createHttpServer((_request, response) => response.end('hello'))),
      );
      world.set('HTTPS_PROXY', `http://127.0.0.1:${port}`);
      return {
        attempt: () => world.install({ baseURL: NOWHERE, tokenTimeoutMs: 300 }).auth.getToken(),
      };
    },
    library: {
      code: unavailable,
      party: 'something slow',
      step: /within 300 ms \(tokenTimeoutMs\).*too slow: the network, a proxy, the token endpoint https:\/\/acme-api\S+\. Or increase/,
    },
  },
  {
    title: 'A proxy that never answers CONNECT is reported as a time-out.',
    fault: async (world) => {
      const port = await tcp(world, (socket) => socket.resume());
      world.set('HTTPS_PROXY', `http://127.0.0.1:${port}`);
      return {
        attempt: () => world.install({ baseURL: NOWHERE, tokenTimeoutMs: 200 }).auth.getToken(),
      };
    },
    library: { code: unavailable, party: 'something slow', step: /within 200 ms \(tokenTimeoutMs\)/ },
  },
  {
    title: 'A proxy variable that is no URL is rejected, and not repeated.',
    fault: (world) => behind(world, 'http://someone:pass-word@:::'),
    library: {
      code: 'ERR_BIPSYNC_CONFIG',
      party: 'the surroundings',
      step: /^(?!.*pass-word).*HTTPS_PROXY/,
    },
    check: { at: 'token', names: /HTTPS_PROXY/, step: /HTTPS_PROXY/ },
  },
  {
    title: 'A proxy that inspects TLS asks for the certificate of its authority.',
    fault: async (world) => {
      const { port: to } = await tlsFront(world, inspected('Acme Inspection CA'));
      return behind(world, await startProxy(world, { status: 500, allowed: 100, to }));
    },
    library: {
      code: unavailable,
      party: 'the certificate',
      step: /\(SELF_SIGNED_CERT_IN_CHAIN\).*NODE_EXTRA_CA_CERTS.*, or give the axios instance an httpsAgent/,
    },
    check: { at: 'token', names: /SELF_SIGNED_CERT_IN_CHAIN/, step: /NODE_EXTRA_CA_CERTS/ },
  },
  ...[403, 407].map((status): Row => ({
    title: `A proxy that answers ${status} to the tunnel for an API request is named as the cause.`,
    fault: async (world) => {
      const certificate = selfSigned('acme-api.bipsync.invalid');
      const { port: to } = await tlsFront(world, certificate);
      const proxy = await startProxy(world, { status, allowed: 1, to });
      const situation = behind(world, proxy, { httpsAgent: new Agent({ ca: certificate.cert }) });
      const other = await startProxy(world, { status, allowed: 1, to });
      return {
        ...situation,
        env: {
          ...situation.env,
          HTTPS_PROXY: `http://${other}`,
          NODE_EXTRA_CA_CERTS: caFile(world, certificate.cert),
        },
        apart: true,
      };
    },
    library: {
      code: 'ERR_BIPSYNC_PROXY',
      party: 'the proxy',
      step: new RegExp(`answered ${status}.*The request did not reach acme-api\\.bipsync\\.invalid`),
    },
    check: { at: 'api', names: /^The proxy/, step: status === 403 ? /NO_PROXY/ : /user name and password/ },
  })),
];
