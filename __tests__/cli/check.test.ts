import { startEmulator } from '../support/emulated';
import { accessToken, diagnose, environmentOf, runCli, stepNamed, widthOf } from './support';

describe('check, if all is in order', () => {
  it('walks through every step in order, with one token request and one API request', async () => {
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

  it('check --json prints exactly ok and steps, each of name, ok, detail and perhaps a hint', async () => {
    const emulator = await startEmulator();
    const { out } = await runCli(['check', '--json'], { ...environmentOf(emulator), BIPSYNC_SCOPES: '' });
    const parsed = JSON.parse(out) as { steps: object[] };
    expect(Object.keys(parsed)).toEqual(['ok', 'steps']);
    const shapes = new Set(parsed.steps.map((step) => Object.keys(step).join()));
    expect([...shapes].sort()).toEqual(['name,ok,detail', 'name,ok,detail,hint']);
  });

  it('check prints a line for each step, in 80 columns, and in colour on a terminal only', async () => {
    const emulator = await startEmulator();
    emulator.failApiRequests({ status: 401 }, Infinity);
    const env = environmentOf(emulator);
    const plain = await runCli(['check'], env);
    expect(plain.status).toBe(1);
    expect(plain.err).toBe('');
    expect(plain.out).toMatch(/^ {2}✓ configuration {2}http:/);
    expect(plain.out).toMatch(/\n {2}✗ api {12}GET \/v1\/research: 401 in \d+ ms\n {19}→ The API answered/);
    expect(widthOf(plain.out)).toBeLessThanOrEqual(80);
    expect(plain.out).not.toContain('\u001b');

    const coloured = await runCli(['check'], env, { isTTY: true });
    expect(coloured.out).toContain('\u001b[32m✓\u001b[0m');
    expect(coloured.err).toContain('asking for a token');
    expect((await runCli(['check'], { ...env, NO_COLOR: '1' }, { isTTY: true })).out).not.toContain('\u001b');
    expect((await runCli(['check'], { ...env, FORCE_COLOR: '1' })).out).toContain('\u001b[32m');
  });

  it('check marks what Bipsync does not document as assumed, and says that it checked everything else', async () => {
    const emulator = await startEmulator();
    const env = environmentOf(emulator);
    expect(stepNamed(await diagnose(env), 'scopes')?.detail).toMatch(
      /Assumed: a token response without scopes/,
    );
    const { out } = await runCli(['check'], env);
    expect(out.replace(/\s+/g, ' ')).toContain(
      `A text after "Assumed:" is not in Bipsync's docs. Everything else was checked just now.`,
    );
    // Without an assumption there is nothing to explain.
    expect((await runCli(['check'], {})).out).not.toContain('Assumed');
  });
});

describe('check of the configuration', () => {
  it('lists every problem of the configuration, and the missing secret in a step of its own', async () => {
    const { status, steps } = await diagnose({ BIPSYNC_CLIENT: 'not a name' });
    expect(status).toBe(1);
    expect(steps.map(({ name, ok }) => [name, ok])).toEqual([
      ['configuration', false],
      ['secret', false],
    ]);
    for (const part of ['letters, digits, hyphens', 'BIPSYNC_CLIENT_ID', 'BIPSYNC_TEAM_ID']) {
      expect(steps[0]?.detail).toContain(part);
    }
    expect(steps[1]?.detail).toBe('BIPSYNC_CLIENT_SECRET is not set');
  });

  it('says how to load a .env file if no variable is set', async () => {
    expect((await diagnose({})).failure?.hint).toContain('--env-file .env');
  });

  it('the help names the variables that the library reads, and no other', async () => {
    const named = (await runCli(['--help'])).out.match(/BIPSYNC_[A-Z_]+/g);
    expect([...new Set(named)]).toEqual(
      ['CLIENT', 'BASE_URL', 'CLIENT_ID', 'CLIENT_SECRET', 'CLIENT_SECRET_FILE', 'TEAM_ID', 'SCOPES'].map(
        (name) => `BIPSYNC_${name}`,
      ),
    );
  });

  it.each([
    ['BIPSYNC_CLIENT_ID', ' padded', 'white space'],
    ['BIPSYNC_CLIENT_ID', "'quoted'", 'quotes'],
    ['BIPSYNC_CLIENT_ID', '{"client_id":"abc"}', 'JSON'],
    ['BIPSYNC_SCOPES', '"rest_api:read"', 'quotes'],
    ['BIPSYNC_CLIENT', '"acme"', 'quotes'],
  ])('check comments on %s with the value %p before a server refuses it', async (name, value, hint) => {
    const emulator = await startEmulator();
    const { BIPSYNC_BASE_URL, ...env } = environmentOf(emulator);
    const home = name === 'BIPSYNC_CLIENT' ? {} : { BIPSYNC_BASE_URL };
    const configuration = stepNamed(await diagnose({ ...env, ...home, [name]: value }), 'configuration');
    expect(configuration?.hint).toMatch(new RegExp(`^${name} .*${hint}`));
  });

  it('shows the beginning of a long client id only, since it may be the secret in the wrong place', async () => {
    const emulator = await startEmulator();
    const { BIPSYNC_CLIENT_ID, BIPSYNC_CLIENT_SECRET, ...env } = environmentOf(emulator);
    const { out } = await runCli(['check'], {
      ...env,
      BIPSYNC_CLIENT_ID: BIPSYNC_CLIENT_SECRET,
      BIPSYNC_CLIENT_SECRET: BIPSYNC_CLIENT_ID,
    });
    expect(out).toMatch(/client id .{4}… \(43 characters\)/);
    expect(out).not.toContain(BIPSYNC_CLIENT_SECRET!.slice(0, 10));
  });

  it.each(['/v1', '/v1/', '/gateway/bipsync'])(
    'warns, without failing, that requests go below the path %s of BIPSYNC_BASE_URL',
    async (path) => {
      const emulator = await startEmulator();
      emulator.failApiRequests({ status: 200, body: {} }, Infinity);
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
      expect(out).toMatch(/^ {2}! configuration .*\n.*\n? +→ BIPSYNC_BASE_URL has a path/);
      expect(out).toContain(requested);
      expect(out).not.toContain('All checks passed');
      expect(out).toContain('Nothing failed. Read the hints: configuration.');
    },
  );

  it('notices white space at the end of BIPSYNC_BASE_URL, which axios would make an invalid URL of', async () => {
    const emulator = await startEmulator();
    const diagnosis = await diagnose({
      ...environmentOf(emulator),
      BIPSYNC_BASE_URL: `${emulator.url} `,
    });
    const hint = 'BIPSYNC_BASE_URL begins or ends with white space.';
    expect(stepNamed(diagnosis, 'configuration')).toMatchObject({ hint });
  });

  it('has nothing to say about a BIPSYNC_BASE_URL that ends with a slash', async () => {
    const emulator = await startEmulator();
    const env = { ...environmentOf(emulator), BIPSYNC_BASE_URL: `${emulator.url}/` };
    expect(stepNamed(await diagnose(env), 'configuration')).not.toHaveProperty('hint');
    expect((await runCli(['check'], env)).out).toContain('All checks passed');
  });

  it('warns that NODE_TLS_REJECT_UNAUTHORIZED=0 lets others read the secret', async () => {
    const emulator = await startEmulator();
    const env = environmentOf(emulator);
    const unchecked = await diagnose({ ...env, NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    expect(unchecked.ok).toBe(true);
    expect(stepNamed(unchecked, 'configuration')?.hint).toMatch(
      /NODE_TLS_REJECT_UNAUTHORIZED=0 .*can read the secret.*NODE_EXTRA_CA_CERTS/,
    );
    const checked = await diagnose({ ...env, NODE_TLS_REJECT_UNAUTHORIZED: '1' });
    expect(stepNamed(checked, 'configuration')).not.toHaveProperty('hint');
  });
});

it('no outcome of check shows the secret or a token, and each fits into 80 columns', async () => {
  const emulator = await startEmulator();
  const env = environmentOf(emulator);
  const runs = [
    await runCli(['check'], env),
    await runCli(['check', '--json'], { ...env, BIPSYNC_SCOPES: 'nope' }),
    await runCli(['check'], { ...env, BIPSYNC_BASE_URL: 'http://example.org' }),
    await runCli(['check'], { ...env, BIPSYNC_CLIENT_ID: 'somebody' }),
    await runCli(['check'], { ...env, BIPSYNC_TEAM_ID: 'of-others' }),
  ];
  emulator.failTokenRequests({ status: 400, body: { error: 'x', message: `not ${emulator.clientSecret}` } });
  runs.push(await runCli(['check'], env));
  expect(runs.map(({ status }) => status)).toEqual([0, 1, 1, 1, 1, 1]);
  const all = runs.map(({ out, err }) => out + err).join('');
  expect(all).not.toContain(emulator.clientSecret);
  expect(all).not.toMatch(accessToken);
  const texts = runs.filter(({ out }) => !out.startsWith('{'));
  for (const { out } of texts) expect(widthOf(out)).toBeLessThanOrEqual(80);
});
