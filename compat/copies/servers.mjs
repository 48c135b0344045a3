// Servers on loopback: Bipsync's API and token endpoint, another host, and a forward proxy. Each keeps what it was sent.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The names of the https server: none of them is known to a name server. */
export const HOST = 'acme-api.bipsync.invalid';

export function answer(response, status, body = {}, headers = {}) {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

async function listen(server) {
  const sockets = new Set();
  server.on('connection', (socket) => sockets.add(socket.on('close', () => sockets.delete(socket))));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port, url: `http://127.0.0.1:${port}`, close };
}

async function read(message) {
  const chunks = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** A Bipsync that issues tokens, and answers API requests with the status that `statuses` holds next, else with 200. */
export async function startBipsync() {
  const self = {
    tokenRequests: [],
    apiRequests: [],
    issued: [],
    statuses: [],
    location: undefined,
    delayMs: 0,
  };
  const onRequest = async (message, response) => {
    const { method, url, headers, rawHeaders } = message;
    const body = await read(message);
    const seen = { method, url, headers, body, all: [url, ...rawHeaders, body].join('\n') };
    if (url.startsWith('/v1/oauth/token')) {
      self.tokenRequests.push(seen);
      await new Promise((resolve) => setTimeout(resolve, self.delayMs));
      const token = `LIVE-TOKEN-${self.issued.length + 1}-${String(Math.random()).slice(2)}`;
      self.issued.push(token);
      return answer(response, 200, { token_type: 'bearer', access_token: token, expires_in: 3600 });
    }
    self.apiRequests.push(seen);
    if (url === '/redirected') return answer(response, 302, {}, { Location: self.location });
    answer(response, self.statuses.shift() ?? 200, { ok: true });
  };
  Object.assign(self, await listen(createServer(onRequest)), { onRequest });
  self.forget = () => {
    for (const list of [self.tokenRequests, self.apiRequests, self.issued, self.statuses]) list.length = 0;
  };
  return self;
}

/** The same Bipsync behind TLS, with the certificate to trust. */
export async function startTlsFront({ onRequest }) {
  const folder = mkdtempSync(join(tmpdir(), 'compat-copies-'));
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name));
  const names = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`];
  const files = ['-nodes', '-days', '2', '-keyout', key, '-out', cert];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const { status, stderr } = spawnSync('openssl', ['req', '-x509', ...curve, ...files, ...names]);
  if (status !== 0) throw new Error(`openssl is needed: ${stderr}`);
  const certificate = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return { ...(await listen(createTlsServer(certificate, onRequest))), ca: certificate.cert };
}

/** A forward proxy: it opens tunnels to `tunnelTo`, and keeps every byte that it can read. */
export async function startProxy(tunnelTo) {
  const self = { asked: [], read: '' };
  const server = createServer(async (message, response) => {
    const { method, url, headers, rawHeaders } = message;
    self.asked.push(`${method} ${url}`);
    const body = await read(message);
    self.read += [url, ...rawHeaders, body].join('\n');
    if (url.startsWith('/')) return answer(response, 400);
    const onward = request(url.replace('https:', 'http:'), { method, headers });
    onward.on('error', () => answer(response, 502));
    onward.on('response', (got) => got.pipe(response.writeHead(got.statusCode, got.headers)));
    onward.end(body);
  });
  server.on('connect', ({ url }, client) => {
    self.asked.push(`CONNECT ${url}`);
    const port = url.endsWith(':443') ? tunnelTo : Number(url.split(':').at(-1));
    const target = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      client.on('data', (chunk) => (self.read += chunk.toString('latin1')));
      client.pipe(target).pipe(client);
    });
    target.on('error', () => client.destroy());
    client.on('error', () => target.destroy());
  });
  Object.assign(self, await listen(server));
  self.forget = () => {
    self.asked.length = 0;
    self.read = '';
  };
  return self;
}
