import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import type { Step } from '../../src/cli/steps';
import type { Environment } from '../../src/cli/terminal';
import { accessToken, environmentOf, runCli, startEmulator } from './support';

interface Diagnosis {
  status: number;
  ok: boolean;
  steps: Step[];
  /** The step that failed first. */
  failure: Step | undefined;
}

async function diagnose(env: Environment): Promise<Diagnosis> {
  const { status, out, err } = await runCli(['check', '--json'], env);
  expect(err).toBe('');
  const { ok, steps } = JSON.parse(out) as { ok: boolean; steps: Step[] };
  return { status, ok, steps, failure: steps.find((step) => !step.ok) };
}

const stepNamed = ({ steps }: Diagnosis, name: string): Step | undefined =>
  steps.find((step) => step.name === name);

describe('check, where all is in order', () => {
  it('walks through every step, in order, with one token request and one API request', async () => {
    const emulator = await startEmulator();
    const { status, ok, steps } = await diagnose(environmentOf(emulator));
    expect({ status, ok }).toEqual({ status: 0, ok: true });
    expect(steps.map(({ name }) => name)).toEqual([
      'configuration',
      'secret',
      'proxy',
      'dns',
      'tls',
      'token',
      'scopes',
      'api',
      'clock',
    ]);
    expect([emulator.tokenRequests, emulator.apiRequests]).toEqual([1, 1]);
    expect(emulator.requests[0]).toMatchObject({ method: 'GET', path: '/v1/research' });
  });

  it('prints exactly ok and steps of name, ok, detail and perhaps a hint', async () => {
    const emulator = await startEmulator();
    const { out } = await runCli(['check', '--json'], { ...environmentOf(emulator), BIPSYNC_SCOPES: '' });
    const parsed = JSON.parse(out) as { steps: object[] };
    expect(Object.keys(parsed)).toEqual(['ok', 'steps']);
    const shapes = new Set(parsed.steps.map((step) => Object.keys(step).join()));
    expect([...shapes].sort()).toEqual(['name,ok,detail', 'name,ok,detail,hint']);
  });

  it('asks GraphQL where the scopes are its own, and the fields where they open nothing else', async () => {
    const emulator = await startEmulator();
    const env = environmentOf(emulator);
    await diagnose({ ...env, BIPSYNC_SCOPES: 'research:read rest_api:read' });
    await diagnose({ ...env, BIPSYNC_SCOPES: 'rest_api:fields:read' });
    expect(emulator.requests.map(({ method, path, status }) => [method, path, status])).toEqual([
      ['POST', '/v1/graphql', 200],
      ['GET', '/v1/fields', 200],
    ]);
    expect(emulator.requests[0]?.body.toString()).toBe('{"query":"{ __typename }"}');
  });

  it('takes a 404 for proof that the token is accepted', async () => {
    const emulator = await startEmulator();
    emulator.failApiRequests({ status: 404 });
    const { ok, steps } = await diagnose(environmentOf(emulator));
    expect(ok).toBe(true);
    expect(steps.at(-2)).toMatchObject({ name: 'api', ok: true });
    expect(steps.at(-2)?.detail).toContain('the token was accepted');
  });

  it('prints a line a step, at most 100 columns wide, in colour on a terminal alone', async () => {
    const emulator = await startEmulator();
    const env = { ...environmentOf(emulator), BIPSYNC_SCOPES: 'rest_api:write' };
    const plain = await runCli(['check'], env);
    expect(plain.status).toBe(1);
    expect(plain.err).toBe('');
    expect(plain.out).toMatch(/^ {2}✓ configuration {2}http:/);
    expect(plain.out).toMatch(/\n {2}✗ api {12}GET \/v1\/research: 401 in \d+ ms\n {19}→ The API refuses/);
    expect(Math.max(...plain.out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(plain.out).not.toContain('\u001b');

    const coloured = await runCli(['check'], env, { isTTY: true });
    expect(coloured.out).toContain('\u001b[32m✓\u001b[0m');
    expect(coloured.err).toContain('asking for a token');
    expect((await runCli(['check'], { ...env, NO_COLOR: '1' }, { isTTY: true })).out).not.toContain('\u001b');
    expect((await runCli(['check'], { ...env, FORCE_COLOR: '1' })).out).toContain('\u001b[32m');
  });
});

describe('check, where something is wrong', () => {
  it('lists every problem of the configuration, and that of the secret', async () => {
    const { status, steps } = await diagnose({ BIPSYNC_CLIENT: 'not a name' });
    expect(status).toBe(1);
    expect(steps.map(({ name, ok }) => [name, ok])).toEqual([
      ['configuration', false],
      ['secret', false],
    ]);
    for (const part of ['letters, digits and hyphens', 'BIPSYNC_CLIENT_ID', 'BIPSYNC_TEAM_ID']) {
      expect(steps[0]?.detail).toContain(part);
    }
    expect(steps[1]?.detail).toBe('BIPSYNC_CLIENT_SECRET is not set');
  });

  it('says how to load a .env file where nothing is set', async () => {
    expect((await diagnose({})).failure?.hint).toContain('.env');
  });

  it('reads the six variables that the library reads, and no other', async () => {
    const emulator = await startEmulator();
    const env = {
      ...environmentOf(emulator),
      BIPSYNC_CLIENT_SECRET: '',
      BIPSYNC_CLIENT_SECRET_FILE: __filename,
    };
    expect((await diagnose(env)).failure).toMatchObject({ name: 'secret' });
    expect((await runCli(['token'], env)).err).toContain('clientSecret is required');
    expect((await diagnose({ BIPSYNC_CLIENT_SECRET_FILE: __filename })).failure?.hint).toMatch(
      /^No BIPSYNC_/,
    );
    const named = (await runCli(['--help'])).out.match(/BIPSYNC_[A-Z_]+/g);
    expect(named).toEqual(
      ['CLIENT', 'BASE_URL', 'CLIENT_ID', 'CLIENT_SECRET', 'TEAM_ID', 'SCOPES'].map(
        (name) => `BIPSYNC_${name}`,
      ),
    );
  });

  it('explains a wrong secret, and stops', async () => {
    const emulator = await startEmulator();
    const diagnosis = await diagnose({ ...environmentOf(emulator), BIPSYNC_CLIENT_SECRET: 'of-yesterday' });
    expect(diagnosis.status).toBe(1);
    expect(diagnosis.steps.at(-1)).toBe(diagnosis.failure);
    expect(diagnosis.failure?.name).toBe('token');
    expect(diagnosis.failure?.detail).toContain('invalid_client');
    expect(diagnosis.failure?.hint).toContain('another tenant');
    expect(emulator.apiRequests).toBe(0);
  });

  it.each([
    [' padded', 'white space'],
    ['"quoted"', 'quotes'],
  ])('notices that the secret %p looks odd', async (secret, hint) => {
    const emulator = await startEmulator();
    const diagnosis = await diagnose({ ...environmentOf(emulator), BIPSYNC_CLIENT_SECRET: secret });
    expect(stepNamed(diagnosis, 'secret')?.hint).toContain(hint);
    expect(JSON.stringify(diagnosis)).not.toContain(secret.slice(1, -1));
  });

  it.each([
    [' padded', 'white space'],
    ["'quoted'", 'quotes'],
  ])('notices that the client id %p looks odd, before the server refuses it', async (clientId, hint) => {
    const emulator = await startEmulator();
    const diagnosis = await diagnose({ ...environmentOf(emulator), BIPSYNC_CLIENT_ID: clientId });
    const configuration = stepNamed(diagnosis, 'configuration');
    expect(configuration).toMatchObject({ ok: true });
    expect(configuration?.hint).toMatch(new RegExp(`^BIPSYNC_CLIENT_ID .*${hint}`));
    expect(diagnosis.failure?.name).toBe('token');
  });

  it.each(['/v1', '/v1/', '/gateway/bipsync'])(
    'warns, without failing, that requests go below the path %s of BIPSYNC_BASE_URL',
    async (path) => {
      const emulator = await startEmulator();
      emulator.failApiRequests({ status: 200 }, Infinity);
      const env = { ...environmentOf(emulator), BIPSYNC_BASE_URL: emulator.url + path };
      const diagnosis = await diagnose(env);
      expect(diagnosis).toMatchObject({ status: 0, ok: true });
      const requested = `${path.replace(/\/$/, '')}/v1/research`;
      expect(stepNamed(diagnosis, 'configuration')?.hint).toContain(
        `get('/v1/research') goes to ${requested}`,
      );
      expect(emulator.requests[0]?.path).toBe(requested);

      const { status, out } = await runCli(['check'], env);
      expect(status).toBe(0);
      expect(out).toMatch(/^ {2}! configuration .*\n +→ BIPSYNC_BASE_URL has a path/);
      expect(out).toContain(requested);
      expect(out).not.toContain('All in order');
      expect(out).toContain('Mind the hints: configuration.');
    },
  );

  it('notices white space at the end of BIPSYNC_BASE_URL, which axios makes an invalid URL of', async () => {
    const emulator = await startEmulator();
    const diagnosis = await diagnose({
      ...environmentOf(emulator),
      BIPSYNC_BASE_URL: `${emulator.url} `,
    });
    const hint = 'BIPSYNC_BASE_URL begins or ends with white space.';
    expect(stepNamed(diagnosis, 'configuration')).toMatchObject({ hint });
  });

  it('has nothing to say against a BIPSYNC_BASE_URL that ends in a slash', async () => {
    const emulator = await startEmulator();
    const env = { ...environmentOf(emulator), BIPSYNC_BASE_URL: `${emulator.url}/` };
    expect(stepNamed(await diagnose(env), 'configuration')).not.toHaveProperty('hint');
    expect((await runCli(['check'], env)).out).toContain('All in order');
  });

  it.each(['rest_api:read,research:read', 'rest_api:read, research:read'])(
    'explains that scopes like %p are not separated by commas',
    async (BIPSYNC_SCOPES) => {
      const emulator = await startEmulator();
      const { steps } = await diagnose({ ...environmentOf(emulator), BIPSYNC_SCOPES });
      expect(steps.at(-1)).toMatchObject({ name: 'scopes', ok: false });
      expect(steps.at(-1)?.hint).toContain('by spaces, not by commas');
    },
  );

  it('explains that of a team among the scopes too, but not of a comma that was granted', async () => {
    const emulator = await startEmulator({ scopes: ['a,b'] });
    const env = environmentOf(emulator);
    const team = `team_${emulator.teamId},a,b`;
    const withTeam = await diagnose({ ...env, BIPSYNC_TEAM_ID: '', BIPSYNC_SCOPES: team });
    expect(withTeam.steps.at(-1)?.hint).toContain('by spaces, not by commas');
    const other = await diagnose({ ...env, BIPSYNC_SCOPES: 'a,b nope' });
    expect(other.steps.at(-1)).toMatchObject({ detail: 'not granted: nope' });
    expect(other.steps.at(-1)?.hint).toContain('Take these out');
  });

  it('names the scopes that are not granted', async () => {
    const emulator = await startEmulator({ scopes: ['rest_api:read'] });
    const BIPSYNC_SCOPES = 'rest_api:write rest_api:read users:read';
    const diagnosis = await diagnose({ ...environmentOf(emulator), BIPSYNC_SCOPES });
    expect(diagnosis.failure?.name).toBe('token');
    expect(diagnosis.steps.at(-1)).toMatchObject({
      name: 'scopes',
      ok: false,
      detail: 'not granted: rest_api:write users:read',
    });
    expect(diagnosis.steps.at(-1)?.hint).toContain('BIPSYNC_SCOPES');
  });

  it('tells a refused team from a refused scope', async () => {
    const emulator = await startEmulator();
    const diagnosis = await diagnose({ ...environmentOf(emulator), BIPSYNC_TEAM_ID: 'of-others' });
    expect(diagnosis.steps.at(-1)?.hint).toContain('BIPSYNC_TEAM_ID');
  });

  it('explains a 403 of the token endpoint and of the API by the IP address', async () => {
    const emulator = await startEmulator();
    emulator.failTokenRequests({ status: 403 });
    const atToken = await diagnose(environmentOf(emulator));
    expect(atToken.failure).toMatchObject({ name: 'token', hint: expect.stringContaining('IP') as string });
    emulator.failApiRequests({ status: 403 });
    const atApi = await diagnose(environmentOf(emulator));
    expect(atApi.failure).toMatchObject({ name: 'api', hint: expect.stringContaining('IP') as string });
  });

  it('explains a 401 of the API by scopes and team', async () => {
    const emulator = await startEmulator();
    const diagnosis = await diagnose({ ...environmentOf(emulator), BIPSYNC_SCOPES: 'rest_api:write' });
    expect(diagnosis.failure).toMatchObject({ name: 'api' });
    expect(diagnosis.failure?.hint).toContain('rest_api:write');
  });

  it.each([
    [{ status: 429 }, 'rate limit'],
    [{ status: 503 }, "on Bipsync's side"],
    [{ redirectTo: 'http://127.0.0.1:1/' }, 'does not redirect'],
    [{ status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>' }, 'not the API'],
    ['reset' as const, 'firewall'],
  ])('explains what the API does with %j', async (fault, hint) => {
    const emulator = await startEmulator();
    emulator.failApiRequests(fault);
    const { failure } = await diagnose(environmentOf(emulator));
    expect(failure).toMatchObject({ name: 'api', hint: expect.stringContaining(hint) as string });
  });

  it.each([
    [{ status: 404 }, 'does not look like a Bipsync'],
    [{ status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>' }, 'does not look like'],
    [{ status: 503, headers: { 'Retry-After': '60' } }, 'overloaded'],
  ])('explains what the token endpoint does with %j', async (fault, hint) => {
    const emulator = await startEmulator();
    emulator.failTokenRequests(fault, Infinity);
    const { failure } = await diagnose(environmentOf(emulator));
    expect(failure).toMatchObject({ name: 'token', hint: expect.stringContaining(hint) as string });
  });

  it('warns of a clock more than a minute off, without failing', async () => {
    const emulator = await startEmulator();
    const env = environmentOf(emulator);
    const dated = (seconds: number): void => {
      const date = new Date(Date.now() + seconds * 1000).toUTCString();
      emulator.failApiRequests({ status: 200, headers: { Date: date } });
    };
    dated(-95);
    const fast = await diagnose(env);
    expect(fast).toMatchObject({ status: 0, ok: true });
    expect(stepNamed(fast, 'clock')?.detail).toMatch(/^9[56] s ahead of/);
    expect(stepNamed(fast, 'clock')?.hint).toContain('NTP');
    dated(30);
    const slow = await diagnose(env);
    expect(stepNamed(slow, 'clock')?.detail).toMatch(/^(29|30) s behind/);
    expect(stepNamed(slow, 'clock')).not.toHaveProperty('hint');
  });

  it('stops at a host that does not exist, and names the variable to look at', async () => {
    const emulator = await startEmulator();
    const BIPSYNC_BASE_URL = 'https://does-not-exist.invalid';
    const { status, steps, failure } = await diagnose({ ...environmentOf(emulator), BIPSYNC_BASE_URL });
    expect(status).toBe(1);
    expect(steps.at(-1)).toBe(failure);
    expect(failure?.name).toBe('dns');
    expect(failure?.detail).toMatch(/does-not-exist\.invalid was not found \((ENOTFOUND|EAI_AGAIN)\)/);
  });

  it('stops where nobody listens, at TLS for https and at the token request for http', async () => {
    const emulator = await startEmulator();
    const env = environmentOf(emulator);
    await emulator.close();
    const secure = await diagnose({ ...env, BIPSYNC_BASE_URL: emulator.url.replace('http:', 'https:') });
    expect(secure.failure).toMatchObject({ name: 'tls' });
    expect(secure.failure?.detail).toContain('ECONNREFUSED');
    const plain = await diagnose(env);
    expect(plain.failure).toMatchObject({ name: 'token' });
    expect(plain.failure?.detail).toContain('ECONNREFUSED');
  });

  it('stops where the other side does not speak TLS', async () => {
    const server = createServer((socket) => {
      socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const emulator = await startEmulator();
    const BIPSYNC_BASE_URL = `https://127.0.0.1:${port}`;
    const { failure } = await diagnose({ ...environmentOf(emulator), BIPSYNC_BASE_URL });
    await new Promise((resolve) => server.close(resolve));
    expect(failure).toMatchObject({ name: 'tls', hint: expect.stringContaining('firewall') as string });
  });

  it('names the proxy that requests take, without its password, and leaves DNS and TLS to it', async () => {
    const emulator = await startEmulator();
    const env = {
      ...environmentOf(emulator),
      BIPSYNC_BASE_URL: 'https://127.0.0.1:1',
      HTTPS_PROXY: 'http://someone:pass-word@proxy.example:8080',
    };
    const diagnosis = await diagnose(env);
    expect(diagnosis.steps.map(({ name }) => name)).toEqual(['configuration', 'secret', 'proxy', 'token']);
    expect(stepNamed(diagnosis, 'proxy')?.detail).toBe('http://proxy.example:8080');
    expect(diagnosis.failure?.hint).toContain('NO_PROXY');
    expect(JSON.stringify(diagnosis)).not.toContain('pass-word');

    for (const NO_PROXY of ['127.0.0.1', 'example.org, 127.0.0.1:1', '*']) {
      expect(stepNamed(await diagnose({ ...env, NO_PROXY }), 'proxy')?.detail).toMatch(/^none/);
    }
    expect(stepNamed(await diagnose({ ...env, NO_PROXY: '127.0.0.1:2' }), 'proxy')?.detail).toMatch(/^http/);
  });
});

it('no outcome of check shows the secret or a token', async () => {
  const emulator = await startEmulator();
  const env = environmentOf(emulator);
  const runs = [
    await runCli(['check'], env),
    await runCli(['check', '--json'], { ...env, BIPSYNC_SCOPES: 'nope' }),
    await runCli(['check'], { ...env, BIPSYNC_BASE_URL: 'http://example.org' }),
    await runCli(['check'], { ...env, BIPSYNC_CLIENT_ID: 'somebody' }),
    await runCli(['check'], { ...env, BIPSYNC_SCOPES: 'rest_api:write' }),
  ];
  emulator.failTokenRequests({ status: 400, body: { error: 'x', message: `not ${emulator.clientSecret}` } });
  runs.push(await runCli(['check'], env));
  expect(runs.map(({ status }) => status)).toEqual([0, 1, 1, 1, 1, 1]);
  const all = runs.map(({ out, err }) => out + err).join('');
  expect(all).not.toContain(emulator.clientSecret);
  expect(all).not.toMatch(accessToken);
});
