import { type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';

import { inspected, selfSigned } from '../faults/self-signed';
import { listen, type Listening, startRefusingProxy, startTlsFront } from '../living-with/tunnels';
import { CLOSED_PORT, NO_SUCH_HOST } from '../support/nobody';
import { skipPauses } from '../support/pauses';
import { startEmulator } from '../support/emulated';
import { spawnedCommand } from './spawned';
import {
  type Diagnosis,
  diagnose,
  environmentOf,
  readDiagnosis,
  stepNamed,
  temporaryFolder,
} from './support';

const command = spawnedCommand();
const folder = temporaryFolder();
const open: Listening[] = [];
skipPauses();

afterEach(async () => {
  await Promise.all(open.splice(0).map((listening) => listening.close()));
});

async function opened<T extends Listening>(listening: Promise<T>): Promise<T> {
  open.push(await listening);
  return listening;
}

/** In a process of its own, whose environment axios and Node read themselves. */
async function diagnoseApart(env: Record<string, string>, args: string[] = []): Promise<Diagnosis> {
  const { status, out } = await command.run(['check', '--json', ...args], env);
  return { status: Number(status), ...readDiagnosis(out) };
}

const credentials = {
  BIPSYNC_BASE_URL: 'https://acme-api.bipsync.invalid',
  BIPSYNC_CLIENT_ID: 'my-client',
  BIPSYNC_CLIENT_SECRET: 'q7Hk2Lr9Zx4Vb8Nm3Wc6Tp1Yd5Sf0Ga8',
  BIPSYNC_TEAM_ID: '42',
  BIPSYNC_SCOPES: 'rest_api:read',
};

describe('check of DNS', () => {
  it('stops at a host that does not exist, and names the variable to look at', async () => {
    const { status, steps, failure } = await diagnose({
      ...credentials,
      BIPSYNC_BASE_URL: `https://${NO_SUCH_HOST}`,
    });
    expect(status).toBe(1);
    expect(steps.at(-1)).toBe(failure);
    expect(failure?.name).toBe('dns');
    expect(failure?.detail).toBe(`${NO_SUCH_HOST} was not found (ENOTFOUND)`);
  });
});

describe('check of TLS', () => {
  it('stops if no server listens: at TLS for https, at the token request for http', async () => {
    const secure = await diagnose({ ...credentials, BIPSYNC_BASE_URL: `https://127.0.0.1:${CLOSED_PORT}` });
    expect(secure.failure).toMatchObject({ name: 'tls' });
    expect(secure.failure?.detail).toContain('ECONNREFUSED');
    expect(secure.failure?.hint).toContain('firewall');
    const plain = await diagnose({ ...credentials, BIPSYNC_BASE_URL: `http://127.0.0.1:${CLOSED_PORT}` });
    expect(plain.failure).toMatchObject({ name: 'token' });
    expect(plain.failure?.detail).toContain('ECONNREFUSED');
  });

  it('stops if the server does not speak TLS', async () => {
    const server = createServer((socket) => {
      socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    const { port } = await opened(listen(server as unknown as Server));
    const { failure } = await diagnose({ ...credentials, BIPSYNC_BASE_URL: `https://127.0.0.1:${port}` });
    expect(failure).toMatchObject({
      name: 'tls',
      hint: 'The server on this port does not speak TLS. Check the port, and http or https, in BIPSYNC_BASE_URL.',
    });
  });

  it.each([
    ['of a server that signed its own', selfSigned('Nobody'), 'DEPTH_ZERO_SELF_SIGNED_CERT', 'Nobody'],
    [
      'of a proxy that inspects TLS',
      inspected('Acme Inspection CA'),
      'SELF_SIGNED_CERT_IN_CHAIN',
      'Acme Inspection CA',
    ],
  ])('names the missing authority of the certificate %s', async (_whose, certificate, code, issuer) => {
    const { port } = await opened(listen(createHttpsServer(certificate) as unknown as Server));
    const env = { ...credentials, BIPSYNC_BASE_URL: `https://localhost:${port}` };
    const { status, failure, steps } = await diagnose(env);
    expect(status).toBe(1);
    expect(failure).toMatchObject({
      name: 'tls',
      detail: `localhost:${port}: the certificate is not trusted (${code}); its issuer is "${issuer}"`,
    });
    expect(failure?.hint).toMatch(/certificate authority \(CA\).*set NODE_EXTRA_CA_CERTS to the file's path/);
    expect(steps.at(-1)).toBe(failure);

    const other = await diagnose({ ...env, NODE_EXTRA_CA_CERTS: '/some/other.pem' });
    expect(other.failure?.hint).toContain('NODE_EXTRA_CA_CERTS is set, but this CA is not in its file');
  });

  it('goes on past a certificate that NODE_TLS_REJECT_UNAUTHORIZED=0 accepts, and warns', async () => {
    const emulator = await startEmulator();
    const { port } = await opened(startTlsFront(selfSigned(), emulator.url));
    const env = { ...environmentOf(emulator), BIPSYNC_BASE_URL: `https://localhost:${port}` };
    const diagnosis = await diagnoseApart({ ...env, NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    expect(diagnosis).toMatchObject({ status: 0, ok: true });
    expect(stepNamed(diagnosis, 'tls')?.detail).toMatch(/not trusted .* accepts every certificate/);
    expect(stepNamed(diagnosis, 'configuration')?.hint).toContain('can read the secret');
    expect((await diagnoseApart(env)).failure).toMatchObject({ name: 'tls' });
  });
});

describe('check behind a proxy', () => {
  async function startProxy(
    status: number,
    tunnels: { allowed?: number; to?: number } = {},
  ): Promise<string> {
    const { port } = await opened(startRefusingProxy({ status, ...tunnels }));
    return `127.0.0.1:${port}`;
  }

  it.each([401, 403, 407, 502, 503])(
    'a CONNECT that the proxy refuses with %d is reported as the proxy’s refusal, not as an IP rule of Bipsync',
    async (answered) => {
      const proxy = await startProxy(answered);
      const HTTPS_PROXY = `http://someone:pass-word@${proxy}`;
      const { status, steps, failure } = await diagnoseApart({ ...credentials, HTTPS_PROXY });
      expect(status).toBe(1);
      // DNS and TLS are the proxy's.
      expect(steps.map(({ name }) => name)).toEqual(['configuration', 'secret', 'proxy', 'token']);
      expect(stepNamed({ steps }, 'proxy')?.detail).toBe(proxy);
      expect(failure).toMatchObject({ name: 'token' });
      const words = `${failure?.detail} ${failure?.hint ?? ''}`;
      expect(words).toMatch(/proxy/i);
      expect(words).toContain(proxy);
      expect(words).toContain(String(answered));
      expect(words).not.toMatch(/IP address|token endpoint answered/);
      expect(JSON.stringify(steps)).not.toMatch(/someone|pass-word/);
    },
  );

  it.each([403, 407])(
    'a CONNECT that the proxy refuses with %d for the API alone is reported as the proxy’s refusal',
    async (answered) => {
      const emulator = await startEmulator();
      const { port } = await opened(startTlsFront(selfSigned(), emulator.url));
      const proxy = await startProxy(answered, { allowed: 1, to: port });
      const { failure } = await diagnoseApart({
        ...environmentOf(emulator),
        BIPSYNC_BASE_URL: 'https://acme-api.bipsync.invalid',
        NODE_TLS_REJECT_UNAUTHORIZED: '0',
        HTTPS_PROXY: `http://${proxy}`,
      });
      expect(failure).toMatchObject({ name: 'api' });
      const words = `${failure?.detail} ${failure?.hint ?? ''}`;
      expect(words).toContain(proxy);
      expect(words).not.toMatch(/IP address/);
    },
  );

  it('check asks for the certificate authority of a proxy that replaces the server’s certificate', async () => {
    const emulator = await startEmulator();
    const { port } = await opened(startTlsFront(inspected('Acme Inspection CA'), emulator.url));
    const proxy = await startProxy(500, { allowed: 100, to: port });
    const { failure } = await diagnoseApart({ ...credentials, HTTPS_PROXY: `http://${proxy}` });
    expect(failure).toMatchObject({ name: 'token' });
    expect(`${failure?.detail} ${failure?.hint}`).toMatch(/SELF_SIGNED_CERT_IN_CHAIN.*NODE_EXTRA_CA_CERTS/);
  });

  it('names a proxy that cannot be reached, and NO_PROXY', async () => {
    const HTTPS_PROXY = 'http://127.0.0.1:1';
    const { failure } = await diagnoseApart({ ...credentials, HTTPS_PROXY });
    expect(failure).toMatchObject({ name: 'token' });
    expect(failure?.detail).toContain('ECONNREFUSED');
    expect(failure?.detail).toContain('the proxy 127.0.0.1:1');
    expect(failure?.hint).toContain('NO_PROXY');
  });

  it('a proxy in the file of --env-file is the one that requests take', async () => {
    const proxy = await startProxy(407);
    const file = folder.write('.env', `HTTPS_PROXY=http://${proxy}\n`);
    const { failure } = await diagnoseApart(credentials, ['--env-file', file]);
    expect(`${failure?.detail} ${failure?.hint ?? ''}`).toContain(proxy);
  });

  it.each([
    ['127.0.0.1', false],
    ['example.org, 127.0.0.1:1', false],
    ['*', false],
    ['127.0.0.1:2', true],
    ['0.0.1', true],
  ])('with NO_PROXY=%s a proxy is used: %p', async (NO_PROXY, isUsed) => {
    const env = {
      ...credentials,
      BIPSYNC_BASE_URL: 'https://127.0.0.1:1',
      HTTPS_PROXY: 'http://127.0.0.1:2',
      NO_PROXY,
    };
    const diagnosis = await diagnoseApart(env);
    expect(stepNamed(diagnosis, 'proxy')?.detail).toMatch(isUsed ? /^127/ : /^none/);
    expect(diagnosis.failure?.name).toBe(isUsed ? 'token' : 'tls');
  });

  it("check does not report the proxy of npm's configuration, which npx sets and axios does not read", async () => {
    const diagnosis = await diagnoseApart({
      ...credentials,
      BIPSYNC_BASE_URL: 'https://127.0.0.1:1',
      npm_config_https_proxy: 'http://127.0.0.1:2',
      npm_config_proxy: 'http://127.0.0.1:2',
    });
    expect(stepNamed(diagnosis, 'proxy')?.detail).toMatch(/^none/);
    expect(diagnosis.failure?.name).toBe('tls');
  });
});
