import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import axios, { type AxiosInstance } from 'axios';

import { type BipsyncAuth, installBipsyncAuth } from '../../src';
import { skipPauses } from '../support/pauses';
import { rejection, SECRET, tokenAnswer } from '../support/scripted';

const HOST = 'acme-api.bipsync.invalid';
const [, minor = 0, patch = 0] = axios.VERSION.split('.').map(Number);
/** Older versions open no tunnel, and are refused before anything is sent. */
const tunnels = minor > 16 || (minor === 16 && patch >= 1);

skipPauses();

let proxy: Server;
let asked: string[];
let status: number;

beforeEach(async () => {
  asked = [];
  proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('{}');
  });
  proxy.on('connect', ({ url }, socket) => {
    asked.push(`CONNECT ${url}`);
    socket.on('error', () => undefined);
    socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});

function install(mayMint: boolean): { api: AxiosInstance; auth: BipsyncAuth; address: string } {
  const { port } = proxy.address() as AddressInfo;
  const api = axios.create({
    adapter: 'http',
    proxy: { protocol: 'http', host: '127.0.0.1', port, auth: { username: 'me', password: 'hush-proxy' } },
  });
  const config = { baseURL: `https://${HOST}`, clientId: 'the-client', clientSecret: SECRET, teamId: 'a1' };
  if (mayMint) {
    const minting = async (request: object) => ({
      ...{ status: 200, statusText: '', headers: {}, config: request, data: tokenAnswer('good').body },
    });
    api.defaults.adapter = Object.assign(minting, {
      [Symbol.for('axios-bipsync-auth.mock')]: true,
    }) as never;
  }
  return { api, auth: installBipsyncAuth(api, config), address: `127.0.0.1:${port}` };
}

const refusals: [number, RegExp][] = [
  [401, /authentication required.*user name and password in HTTPS_PROXY/],
  [403, /forbidden.*Ask the proxy's administrator to allow acme-api\.bipsync\.invalid/],
  [407, /authentication required.*user name and password in HTTPS_PROXY/],
  [502, /proxy error.*can reach acme-api\.bipsync\.invalid/],
];

(tunnels ? describe : describe.skip)('a proxy that opens no tunnel', () => {
  it.each(refusals)(
    'the error names the proxy if a proxy answered a token request with %d',
    async (code, words) => {
      status = code;
      const { auth, address } = install(false);
      const error = await rejection(auth.getToken());
      expect(error).toMatchObject({ code: 'ERR_BIPSYNC_PROXY', proxyStatus: code });
      expect(error.message).toContain(`The proxy ${address} answered ${code}`);
      expect(error.message).toMatch(words);
      expect(error.message).not.toContain('hush-proxy');
      expect(error).not.toHaveProperty('tokenEndpointStatus');
      expect(new Set(asked)).toEqual(new Set([`CONNECT ${HOST}:443`]));
    },
  );

  it.each(refusals)(
    'the cause names the proxy if a proxy answered an API request with %d',
    async (code, words) => {
      status = code;
      const { api, auth } = install(true);
      await auth.getToken();
      api.defaults.adapter = 'http';
      const error = await rejection(api.get('/v1/research'));
      expect(axios.isAxiosError(error)).toBe(true);
      expect(error.cause).toMatchObject({
        code: 'ERR_BIPSYNC_PROXY',
        proxyStatus: code,
        message: expect.stringMatching(words) as string,
      });
      // A 401 of the proxy says nothing of the token.
      expect(asked).toEqual([`CONNECT ${HOST}:443`]);
    },
  );
});
