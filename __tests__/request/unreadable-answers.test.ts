import { Agent } from 'node:http';

import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';

import { installBipsyncAuth } from '../../src';
import { answerJson, type RawServer, startRawServer } from '../support/raw-server';
import { rejection, SECRET } from '../support/scripted';

let server: RawServer;
let answer: 'good' | 'cut' | 'stalled' | 'too long' = 'good';
/** The number of the oldest token that is still good. */
let firstGood = 0;
let dropNext = 0;
let denied = false;

beforeEach(async () => {
  answer = 'good';
  firstGood = 0;
  dropNext = 0;
  denied = false;
  server = await startRawServer(({ authorization }, response) => {
    const token = server.issued.findIndex((issued) => authorization === `Bearer ${issued}`);
    if (denied || token >= firstGood) {
      answerJson(response, denied ? 401 : 200);
      return;
    }
    const body = 'x'.repeat(2000);
    if (answer === 'too long') response.writeHead(401).end(body);
    else response.writeHead(401, { 'Content-Length': '5000' }).write(body);
    if (answer === 'cut') setTimeout(() => response.destroy(), 10);
  });
});
afterEach(() => server.close());

function install(http: AxiosRequestConfig = {}): AxiosInstance {
  const api = axios.create({ adapter: 'http', ...(http as object) });
  installBipsyncAuth(api, {
    ...{ baseURL: server.url, clientId: 'the-client', clientSecret: SECRET, teamId: 'a1' },
  });
  return api;
}

describe('15. a 401 whose body cannot be read is still a 401', () => {
  it.each([
    ['cut', {}],
    ['stalled', { timeout: 500 }],
    ['too long', { maxContentLength: 1000 }],
  ] as const)('a 401 whose body is %s leads to a new token and a second attempt', async (how, options) => {
    const api = install();
    await api.get('/v1/research');
    firstGood = 1;
    answer = how;
    expect((await api.get('/v1/research', options)).status).toBe(200);
    expect(server.tokenRequests).toHaveLength(2);
    expect(server.arrived.at(-1)?.authorization).toBe(`Bearer ${server.issued[1]}`);
  });

  it('a 401 that is too long and refused twice surfaces as the error of the length, with a cause', async () => {
    const api = install({ maxContentLength: 1000 });
    await api.get('/v1/research');
    firstGood = 2;
    answer = 'too long';
    const error = await rejection(api.get('/v1/research'));
    expect(server.issued).toHaveLength(2);
    expect(error.message).toContain('maxContentLength');
    expect(error.cause).toMatchObject({ code: 'ERR_BIPSYNC_ACCESS_DENIED' });
  });
});

describe('9. keep-alive sockets that the server has closed', () => {
  it.each([1, 5, 9])(
    '%d closed connections in the pool do not use up the attempts of a token request',
    async (count) => {
      const dying = new Set<unknown>();
      const closing = await startRawServer(
        (_request, response, raw) => {
          dying.add(raw.socket);
          setTimeout(() => answerJson(response, 200), 30);
        },
        (_request, response, raw) => {
          if (dying.has(raw.socket)) {
            dropNext += 1;
            raw.socket.resetAndDestroy();
            return;
          }
          answerJson(response, 200, { token_type: 'bearer', access_token: 'fresh', expires_in: 3600 });
        },
      );
      const httpAgent = new Agent({ keepAlive: true });
      const api = axios.create({ adapter: 'http', httpAgent });
      const auth = installBipsyncAuth(api, {
        ...{ baseURL: closing.url, clientId: 'the-client', clientSecret: SECRET, teamId: 'a1' },
      });
      const quiet = { bipsyncAuth: false } as const;
      await Promise.all(Array.from({ length: count }, () => api.get('/warm', quiet)));
      expect((await auth.getToken()).accessToken).toBe('fresh');
      expect(dropNext).toBe(count);
      httpAgent.destroy();
      await closing.close();
    },
  );
});

describe('12. a request whose config was rebuilt by an interceptor', () => {
  const rebuilding = (headers: Record<string, string> = {}): AxiosInstance => {
    const api = axios.create();
    // Registered first, it runs last.
    api.interceptors.request.use(
      ({ url, method, baseURL, validateStatus, headers: own }) =>
        ({ url, method, baseURL, validateStatus, headers: own.concat(headers), adapter: 'http' }) as never,
    );
    installBipsyncAuth(api, {
      ...{ baseURL: server.url, clientId: 'the-client', clientSecret: SECRET, teamId: 'a1' },
    });
    return api;
  };

  it('the 401 of a rebuilt config has a cause that says that the plugin never saw it', async () => {
    denied = true;
    const error = await rejection(rebuilding().get('/v1/research'));
    expect(error['status']).toBe(401);
    expect(error.cause).toMatchObject({
      code: 'ERR_BIPSYNC_CONFIG',
      message: expect.stringMatching(
        /never saw its config.*copy all fields of the old one, including the adapter/,
      ) as string,
    });
    expect(server.tokenRequests).toHaveLength(0);
  });

  it('the 401 of a rebuilt config with its own Authorization has no cause', async () => {
    denied = true;
    const error = await rejection(rebuilding({ Authorization: 'Basic own' }).get('/v1/research'));
    expect('cause' in error).toBe(false);
    expect(server.arrived.map(({ authorization }) => authorization)).toEqual(['Basic own']);
  });
});
