import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, request as httpRequest, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The name under which the emulator is reached through a proxy; nobody looks it up. */
export const HOST = 'acme-api.bipsync.com';

interface Certificate {
  key: string;
  cert: string;
}

/** A certificate for {@link HOST} and loopback, signed by itself; `undefined` where openssl is not installed. */
export function selfSigned(): Certificate | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const { status } = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-keyout', key, '-out', cert, '-subj', `/CN=${HOST}`],
    ...['-addext', `subjectAltName=DNS:${HOST},DNS:localhost,IP:127.0.0.1`],
  ]);
  const certificate =
    status === 0 ? { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') } : undefined;
  rmSync(folder, { recursive: true });
  return certificate;
}

export interface Listening {
  port: number;
  close(): Promise<void>;
}

export async function listen(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** https before an http server: what a gateway does that ends TLS. */
export function startTlsFront(certificate: Certificate, to: string): Promise<Listening> {
  const server = createHttpsServer(certificate, (request, response) => {
    const { method, headers, url = '/' } = request;
    const onward = httpRequest(new URL(url, to), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  return listen(server as unknown as Server);
}

export interface Proxy extends Listening {
  url: string;
  /** What was asked of it: `CONNECT host:port`, or the method and URL of a request that came in clear. */
  asked: string[];
  /** Every byte a client sent, in or outside a tunnel. */
  seen(): string;
}

/** A proxy that tunnels to one port whatever host it is asked for, and answers requests in clear with 502. */
export async function startProxy(tunnelTo: number): Promise<Proxy> {
  const asked: string[] = [];
  const chunks: Buffer[] = [];
  const keep = (chunk: Buffer): unknown => chunks.push(chunk);
  const server = createHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    keep(Buffer.from(request.rawHeaders.join('\n')));
    request.on('data', keep).on('end', () => response.writeHead(502).end());
  });
  server.on('connect', (request, client: Socket, head: Buffer) => {
    asked.push(`CONNECT ${request.url}`);
    keep(Buffer.from(request.rawHeaders.join('\n')));
    client.on('data', keep).on('error', () => client.destroy());
    const target = connect(tunnelTo, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      target.write(head);
      target.pipe(client);
      client.pipe(target);
    });
    target.on('error', () => client.destroy());
    client.on('close', () => target.destroy());
  });
  const listening = await listen(server);
  return {
    ...listening,
    url: `http://127.0.0.1:${listening.port}`,
    asked,
    seen: () => Buffer.concat(chunks).toString('latin1'),
  };
}

export interface ProxyBehaviour {
  /** What CONNECT is answered with. */
  readonly status: number;
  /** How many tunnels are opened before that, and to which port. */
  readonly allowed?: number;
  readonly to?: number;
}

/** A forward proxy that opens some tunnels and refuses the others. */
export function startRefusingProxy({ status, allowed = 0, to = 0 }: ProxyBehaviour): Promise<Listening> {
  const server = createHttpServer();
  let left = allowed;
  server.on('connect', (_request, client: Socket) => {
    client.on('error', () => undefined);
    left -= 1;
    if (left < 0) {
      client.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const target = connect(to, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      target.pipe(client).pipe(target);
    });
    target.on('error', () => client.destroy());
  });
  return listen(server);
}
