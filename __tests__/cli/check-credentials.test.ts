import { skipPauses } from '../support/pauses';
import { startEmulator } from '../support/emulated';
import { diagnose, environmentOf, readDiagnosis, runCli, stepNamed, temporaryFolder } from './support';

const folder = temporaryFolder();
skipPauses();

describe('check of the secret', () => {
  it('explains a wrong secret, names the assumption, and stops', async () => {
    const emulator = await startEmulator();
    const diagnosis = await diagnose({
      ...environmentOf(emulator),
      BIPSYNC_CLIENT_SECRET: 'the-secret-of-yesterday',
      BIPSYNC_CLIENT_ID: 'somebody',
    });
    expect(diagnosis.status).toBe(1);
    expect(diagnosis.steps.at(-1)).toBe(diagnosis.failure);
    expect(diagnosis.failure?.name).toBe('token');
    expect(diagnosis.failure?.detail).toMatch(/token endpoint .* answered 401 \(invalid_client.*this tenant/);
    expect(diagnosis.failure?.detail).not.toMatch(/swapped|white space|quotes|JSON/);
    expect(diagnosis.failure?.hint).toMatch(
      /BIPSYNC_CLIENT_ID.*BIPSYNC_CLIENT_SECRET.*not swapped.*Assumed: .*OAuth 2\.0/,
    );
    expect(emulator.apiRequests).toBe(0);
  });

  it.each([
    ['that is padded', ' padded padded padded padded', /white space/],
    ['in quotes', '"quoted quoted quoted quoted"', /in quotes/],
    ['in typographic quotes', '“quoted quoted quoted quoted”', /in quotes/],
    ['in padded quotes', ' "quoted and padded, quoted and padded"', /white space.*in quotes/],
    ['in JSON', '{"client_secret":"json json json json json"}', /JSON/],
  ])('explains a refused secret %s, and does not repeat it', async (_how, secret, words) => {
    const emulator = await startEmulator();
    const diagnosis = await diagnose({ ...environmentOf(emulator), BIPSYNC_CLIENT_SECRET: secret });
    expect(diagnosis.failure).toMatchObject({
      name: 'token',
      detail: expect.stringMatching(words) as string,
    });
    expect(JSON.stringify(diagnosis)).not.toMatch(/padded|quoted|json/);
  });

  it('says that a refused client id and secret are the same value', async () => {
    const emulator = await startEmulator();
    const BIPSYNC_CLIENT_SECRET = emulator.clientId;
    const { failure } = await diagnose({ ...environmentOf(emulator), BIPSYNC_CLIENT_SECRET });
    expect(failure?.detail).toContain('The secret and the client id are the same.');
  });

  it('fails at the secret if it holds a control character, without asking for a token', async () => {
    const emulator = await startEmulator();
    const { failure } = await diagnose({ ...environmentOf(emulator), BIPSYNC_CLIENT_SECRET: 'hush\thush' });
    expect(failure).toMatchObject({ name: 'secret' });
    expect(failure?.detail).toContain('contains a ');
    expect(failure?.detail).not.toContain('hush');
    expect(emulator.tokenRequests).toBe(0);
  });

  it('reads the secret from the file that BIPSYNC_CLIENT_SECRET_FILE names, line break and all', async () => {
    const emulator = await startEmulator();
    const { BIPSYNC_CLIENT_SECRET, ...env } = environmentOf(emulator);
    const BIPSYNC_CLIENT_SECRET_FILE = folder.write('secret', `${BIPSYNC_CLIENT_SECRET}\n`);
    const diagnosis = await diagnose({ ...env, BIPSYNC_CLIENT_SECRET_FILE });
    expect(diagnosis.ok).toBe(true);
    expect(stepNamed(diagnosis, 'secret')).toEqual({
      name: 'secret',
      ok: true,
      detail: 'the file in BIPSYNC_CLIENT_SECRET_FILE can be read',
    });
    const token = await runCli(['token'], { ...env, BIPSYNC_CLIENT_SECRET_FILE });
    expect(token.status).toBe(0);
  });

  it('explains quotes around a refused secret in a file', async () => {
    const emulator = await startEmulator();
    const { BIPSYNC_CLIENT_SECRET, ...env } = environmentOf(emulator);
    const BIPSYNC_CLIENT_SECRET_FILE = folder.write('quoted', `"${BIPSYNC_CLIENT_SECRET}"\n`);
    const diagnosis = await diagnose({ ...env, BIPSYNC_CLIENT_SECRET_FILE });
    expect(diagnosis.failure?.name).toBe('token');
    expect(diagnosis.failure?.detail).toContain('in quotes');
  });

  it('fails at the secret if its file cannot be read, or if there is a secret as well', async () => {
    const emulator = await startEmulator();
    const { BIPSYNC_CLIENT_SECRET, ...env } = environmentOf(emulator);
    const BIPSYNC_CLIENT_SECRET_FILE = '/nowhere/secret';
    const missing = await diagnose({ ...env, BIPSYNC_CLIENT_SECRET_FILE });
    expect(missing.steps.map(({ name, ok }) => [name, ok])).toEqual([
      ['configuration', true],
      ['secret', false],
    ]);
    expect(missing.failure?.detail).toContain('BIPSYNC_CLIENT_SECRET_FILE');
    expect(missing.failure?.detail).not.toContain('nowhere');
    const both = await diagnose({
      ...env,
      BIPSYNC_CLIENT_SECRET,
      BIPSYNC_CLIENT_SECRET_FILE: folder.write('spare', 'spare'),
    });
    expect(both.failure).toMatchObject({ name: 'secret' });
    expect(emulator.tokenRequests).toBe(0);
  });
});

describe('check of the values in the file of --env-file', () => {
  const secret = 'q7Hk2Lr9Zx4Vb8';
  const checkLine = async (line: string, own: Record<string, string> = {}) => {
    const emulator = await startEmulator({ clientId: 'my-client', clientSecret: `${secret}#Nm3` });
    const lines = ['BASE_URL', 'TEAM_ID', 'SCOPES']
      .map((name) => `BIPSYNC_${name}='${environmentOf(emulator)[`BIPSYNC_${name}`]}'`)
      .concat(line);
    const file = folder.write('written.env', `${lines.join('\n')}\n`);
    const { out } = await runCli(['check', '--json', '--env-file', file], own);
    expect(out).not.toContain(secret);
    return { ...readDiagnosis(out), file };
  };

  it.each([
    ['an unquoted #', `${secret}#Nm3`],
    ['a double quote in double quotes', `"${secret}"Nm3"`],
    ['a single quote in single quotes', `'${secret}'Nm3'`],
    ['\\n in double quotes', `"${secret}\\nNm3"`],
    ['a # at its beginning', `#${secret}`],
    ['a quote that does not end', `"${secret}`],
  ])('warns that a secret with %s was not read as it is written', async (_what, written) => {
    const { steps, file } = await checkLine(`BIPSYNC_CLIENT_ID=my-client\nBIPSYNC_CLIENT_SECRET=${written}`);
    expect(stepNamed({ steps }, 'secret')?.hint).toBe(
      `Node did not read BIPSYNC_CLIENT_SECRET as written in ${file}. The rules: # outside quotes begins a comment, a second ` +
        'quote ends the value, and \\n in double quotes is a line break. Put the value in single quotes. If the secret contains a single quote, use ' +
        'BIPSYNC_CLIENT_SECRET_FILE.',
    );
  });

  it.each([
    `BIPSYNC_CLIENT_SECRET='${secret}#Nm3'`,
    `export BIPSYNC_CLIENT_SECRET = "${secret}#Nm3"  # of "today"`,
    `BIPSYNC_CLIENT_SECRET=old#one\nBIPSYNC_CLIENT_SECRET=\`${secret}#Nm3\``,
  ])('says nothing of a secret that was read as it is written, like %j', async (line) => {
    const { ok, steps } = await checkLine(`BIPSYNC_CLIENT_ID=my-client # of acme\r\n${line}`);
    expect(steps.filter(({ hint }) => hint !== undefined)).toEqual([]);
    expect(ok).toBe(true);
  });

  it('warns of a client id that was cut, but not of one that the shell replaced', async () => {
    const lines = `BIPSYNC_CLIENT_ID=my-client#1\nBIPSYNC_CLIENT_SECRET='${secret}#Nm3'`;
    const cut = await checkLine(lines);
    expect(stepNamed(cut, 'configuration')?.hint).toMatch(
      /did not read BIPSYNC_CLIENT_ID as written .* in single quotes\.$/,
    );
    expect(stepNamed(cut, 'secret')).not.toHaveProperty('hint');
    const replaced = await checkLine(lines, { BIPSYNC_CLIENT_ID: 'somebody' });
    expect(stepNamed(replaced, 'configuration')?.hint).toMatch(/^BIPSYNC_CLIENT_ID comes from the shell/);
  });
});

describe('check of variables that are not used', () => {
  it('names variables that the package does not read, and those that it reads, without failing', async () => {
    const emulator = await startEmulator();
    const { status, ok, steps } = await diagnose({
      ...environmentOf(emulator),
      BIPSYNC_SCOPE: 'rest_api:read',
      BIPSYNC_CLIENT_SECERT: 'the-misspelt-secret',
    });
    expect({ status, ok }).toEqual({ status: 0, ok: true });
    expect(stepNamed({ steps }, 'configuration')?.hint).toBe(
      'This package does not read BIPSYNC_SCOPE, BIPSYNC_CLIENT_SECERT. It reads only BIPSYNC_CLIENT, BIPSYNC_BASE_URL, ' +
        'BIPSYNC_CLIENT_ID, BIPSYNC_CLIENT_SECRET, BIPSYNC_TEAM_ID, BIPSYNC_SCOPES, BIPSYNC_CLIENT_SECRET_FILE.',
    );
    expect(JSON.stringify(steps)).not.toContain('the-misspelt-secret');
  });

  it('names variables with a misspelt BIPSYNC_, but not the variables of other programs', async () => {
    const { steps } = await diagnose({
      BIPSYNC_CLIENT: 'acme',
      BIPSNYC_CLIENT_SECRET: 'x',
      BISPYNC_TEAM_ID: '1',
      bipsync_client_id: 'x',
      AZURE_CLIENT_SECRET: 'x',
      BIN_PATH: 'x',
    });
    expect(steps[0]?.hint).toContain(
      'This package does not read BIPSNYC_CLIENT_SECRET, BISPYNC_TEAM_ID, bipsync_client_id. It reads only',
    );
  });

  it('names the unknown variable next to the missing one', async () => {
    const { steps } = await diagnose({
      BIPSYNC_CLIENT: 'acme',
      BIPSYNC_CLIENT_ID: 'id',
      BIPSYNC_TEAMID: '42',
    });
    expect(steps[0]?.detail).toContain('teamId (BIPSYNC_TEAM_ID) is required');
    expect(steps[0]?.hint).toContain('This package does not read BIPSYNC_TEAMID.');
  });

  it('names a variable of the shell that beats another value in the file of --env-file', async () => {
    const emulator = await startEmulator();
    const { BIPSYNC_BASE_URL, ...others } = environmentOf(emulator);
    const lines = Object.entries({
      ...others,
      BIPSYNC_CLIENT_ID: 'of-the-file',
      BIPSYNC_TEAM_ID: emulator.teamId,
    });
    const file = folder.write('beaten.env', lines.map(([name, value]) => `${name}=${value}\n`).join(''));
    const env = { BIPSYNC_BASE_URL, BIPSYNC_CLIENT_ID: emulator.clientId, BIPSYNC_TEAM_ID: emulator.teamId };
    const diagnosis = await diagnose(env, ['--env-file', file]);
    expect(diagnosis.ok).toBe(true);
    expect(stepNamed(diagnosis, 'configuration')?.hint).toBe(
      'BIPSYNC_CLIENT_ID comes from the shell, not from the file. To use only the file, `unset` what comes from the shell.',
    );
  });

  it('names a variable of the shell that does not fit the file of --env-file', async () => {
    const file = folder.write(
      'tenant.env',
      'BIPSYNC_CLIENT=acme\nBIPSYNC_CLIENT_ID=x\nBIPSYNC_CLIENT_SECRET=y\nBIPSYNC_TEAM_ID=1\n',
    );
    const { steps } = await diagnose({ BIPSYNC_BASE_URL: 'http://127.0.0.1:2' }, ['--env-file', file]);
    expect(steps[0]).toMatchObject({ name: 'configuration', ok: false });
    expect(steps[0]?.detail).toContain('set client (BIPSYNC_CLIENT) or baseURL (BIPSYNC_BASE_URL), not both');
    expect(steps[0]?.hint).toContain('BIPSYNC_BASE_URL comes from the shell, not from the file.');
  });

  it('names a variable that is empty in the shell and has a value in the file of --env-file', async () => {
    const file = folder.write(
      'empty.env',
      'BIPSYNC_CLIENT=acme\nBIPSYNC_CLIENT_ID=x\nBIPSYNC_CLIENT_SECRET=y\nBIPSYNC_TEAM_ID=1\n',
    );
    const { steps } = await diagnose({ BIPSYNC_TEAM_ID: '' }, ['--env-file', file]);
    expect(steps[0]?.detail).toContain('teamId (BIPSYNC_TEAM_ID) is required');
    expect(steps[0]?.hint).toContain('BIPSYNC_TEAM_ID comes from the shell, not from the file.');
  });

  it('says that a value is still the placeholder of the template', async () => {
    const { steps } = await diagnose({
      BIPSYNC_CLIENT: 'acme',
      BIPSYNC_CLIENT_ID: '…',
      BIPSYNC_CLIENT_SECRET: '…',
    });
    expect(steps.map(({ name, ok }) => [name, ok])).toEqual([
      ['configuration', false],
      ['secret', false],
    ]);
    expect(steps[0]?.hint).toBe('BIPSYNC_CLIENT_ID is still the placeholder …. Replace it with your value.');
    expect(steps[1]?.detail).toContain('clientSecret (BIPSYNC_CLIENT_SECRET) is still the placeholder …');
  });

  it('counts one character of a client id in the singular', async () => {
    const emulator = await startEmulator();
    const diagnosis = await diagnose({ ...environmentOf(emulator), BIPSYNC_CLIENT_ID: 'x' });
    expect(stepNamed(diagnosis, 'configuration')?.detail).toMatch(/, client id of 1 character$/);
  });
});

describe('check of the scopes', () => {
  it.each(['rest_api:read,research:read', 'rest_api:read, research:read'])(
    'explains that scopes like %p must not be separated by commas',
    async (BIPSYNC_SCOPES) => {
      const emulator = await startEmulator();
      const { steps } = await diagnose({ ...environmentOf(emulator), BIPSYNC_SCOPES });
      expect(steps.at(-1)).toMatchObject({ name: 'scopes', ok: false });
      expect(steps.at(-1)?.hint).toContain('by spaces, not by commas');
    },
  );

  it('explains a comma after a team among the scopes too, but not a comma that was granted', async () => {
    const emulator = await startEmulator({ scopes: ['a,b'] });
    const env = environmentOf(emulator);
    const team = `team_${emulator.teamId},a,b`;
    const withTeam = await diagnose({ ...env, BIPSYNC_TEAM_ID: '', BIPSYNC_SCOPES: team });
    expect(withTeam.steps.at(-1)?.hint).toContain('by spaces, not by commas');
    const other = await diagnose({ ...env, BIPSYNC_SCOPES: 'a,b nope' });
    expect(other.steps.at(-1)).toMatchObject({ detail: 'not granted: nope' });
    expect(other.steps.at(-1)?.hint).toContain('Remove these');
  });

  it('names the scopes for which the server refuses a token', async () => {
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

  it('blames no scope if each one is granted, but not all of them together', async () => {
    const emulator = await startEmulator();
    const refusal = { status: 400, body: { error: 'invalid_scope' } };
    emulator.failTokenRequests(refusal);
    const BIPSYNC_SCOPES = 'rest_api:read users:read';
    const { steps } = await diagnose({ ...environmentOf(emulator), BIPSYNC_SCOPES });
    expect(steps.at(-1)).toEqual({
      name: 'scopes',
      ok: false,
      detail: 'each scope alone is granted, but all of them in one request are not',
      hint: 'Ask your Bipsync administrator which of these scopes can be combined.',
    });
  });

  it('names the scopes that were asked for and not granted, and still asks the API', async () => {
    const emulator = await startEmulator();
    emulator.failTokenRequests({
      status: 200,
      body: {
        token_type: 'bearer',
        expires_in: 3600,
        access_token: 'of-less',
        scope: `team_${emulator.teamId} rest_api:read`,
      },
    });
    emulator.failApiRequests({ status: 200, body: { total: 0 } });
    const BIPSYNC_SCOPES = 'users:read rest_api:read';
    const { ok, failure, steps } = await diagnose({ ...environmentOf(emulator), BIPSYNC_SCOPES });
    expect(ok).toBe(false);
    expect(failure).toMatchObject({ name: 'scopes' });
    expect(failure?.detail).toMatch(/asked for and not granted: users:read$/);
    expect(failure?.hint).toContain('401');
    // By the granted scopes alone: that of GraphQL was not.
    expect(steps.find(({ name }) => name === 'api')?.detail).toMatch(/^GET \/v1\/research: 200/);
  });

  it('tells a refused team from a refused scope', async () => {
    const emulator = await startEmulator();
    const diagnosis = await diagnose({ ...environmentOf(emulator), BIPSYNC_TEAM_ID: 'of-others' });
    expect(diagnosis.steps.at(-1)).toMatchObject({ name: 'scopes', detail: 'the team is refused' });
    expect(diagnosis.steps.at(-1)?.hint).toContain('BIPSYNC_TEAM_ID');
  });

  it('warns of a token for the team alone', async () => {
    const emulator = await startEmulator();
    const diagnosis = await diagnose({ ...environmentOf(emulator), BIPSYNC_SCOPES: '' });
    expect(stepNamed(diagnosis, 'scopes')?.hint).toContain('BIPSYNC_SCOPES');
  });
});

describe('check of the token request', () => {
  it('explains a 403 by the IP address, and says that this is assumed', async () => {
    const emulator = await startEmulator();
    emulator.failTokenRequests({ status: 403 });
    const { failure } = await diagnose(environmentOf(emulator));
    expect(failure).toMatchObject({ name: 'token' });
    expect(failure?.detail).toContain('IP address');
    expect(failure?.hint).toMatch(/NAT.*Assumed: /);
  });

  it.each([
    [{ status: 404 }, 'does not look like a Bipsync'],
    [{ status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>' }, 'does not look like'],
    [{ status: 503, headers: { 'Retry-After': '30' } }, 'Try again in 30 seconds.'],
    [{ status: 429, headers: { 'Retry-After': '240' } }, 'Try again in 4 minutes.'],
  ])('explains what the token endpoint does with %j', async (fault, hint) => {
    const emulator = await startEmulator();
    emulator.failTokenRequests(fault, Infinity);
    const { failure } = await diagnose(environmentOf(emulator));
    expect(failure).toMatchObject({ name: 'token', hint: expect.stringContaining(hint) as string });
  });

  it('does not invent a time to wait if the endpoint does not say one', async () => {
    const emulator = await startEmulator();
    emulator.failTokenRequests({ status: 503 }, Infinity);
    const { failure } = await diagnose(environmentOf(emulator));
    expect(failure?.detail).toContain('answered 503');
    expect(failure).not.toHaveProperty('hint');
  });

  it('fails at the token if the endpoint redirects, or hangs up', async () => {
    const emulator = await startEmulator();
    emulator.failTokenRequests({ redirectTo: emulator.url });
    expect((await diagnose(environmentOf(emulator))).failure).toMatchObject({ name: 'token' });
    emulator.failTokenRequests('reset', Infinity);
    const { failure } = await diagnose(environmentOf(emulator));
    expect(failure).toMatchObject({ name: 'token', hint: expect.stringContaining('firewall') as string });
    expect(failure?.detail).toContain('ECONNRESET');
  });
});
