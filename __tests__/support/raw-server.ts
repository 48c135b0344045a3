import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that arrived, read to its end. */
export interface Arrived {
  method: string;
  url: string;
  authorization: string | undefined;
  /** Request line, headers and body in one string. */
  all: string;
}

export interface RawServer {
  url: string;
  port: number;
  /** The requests to the API, and those for tokens. */
  arrived: Arrived[];
  tokenRequests: Arrived[];
  /** Every token that was issued. */
  issued: string[];
  close(): Promise<void>;
}

export type Respond = (request: Arrived, response: ServerResponse, raw: IncomingMessage) => void;

/**
 * A server on loopback for answers that no emulator of Bipsync gives. It issues tokens, unless `token` answers, and leaves
 * everything else to `api`.
 */
export async function startRawServer(api: Respond, token?: Respond): Promise<RawServer> {
  const arrived: Arrived[] = [];
  const tokenRequests: Arrived[] = [];
  const issued: string[] = [];
  const server = createServer((request, response) => {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    void read(request).then((one) => {
      if (!one.url.startsWith('/v1/oauth/token')) {
        arrived.push(one);
        api(one, response, request);
        return;
      }
      tokenRequests.push(one);
      if (token) {
        token(one, response, request);
        return;
      }
      const accessToken = `LIVE-TOKEN-${issued.length + 1}-${String(Math.random()).slice(2)}`;
      issued.push(accessToken);
      answerJson(response, 200, { token_type: 'bearer', access_token: accessToken, expires_in: 3600 });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    arrived,
    tokenRequests,
    issued,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown = {},
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

async function read(request: IncomingMessage): Promise<Arrived> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    // The client has left.
  }
  const { method = '', url = '', rawHeaders, headers } = request;
  const all = [method, url, ...rawHeaders, Buffer.concat(chunks).toString()].join('\n');
  return { method, url, authorization: headers.authorization, all };
}
