import { startEmulator } from '../support/emulated';
import { accessToken, environmentOf, runCli, widthOf } from './support';

describe('token', () => {
  it('token prints the token alone', async () => {
    const emulator = await startEmulator();
    const { status, out, err } = await runCli(['token'], environmentOf(emulator));
    expect(status).toBe(0);
    expect(out).toMatch(/^[\w-]{64}\n$/);
    expect(err).toBe('');
    const authorization = `Bearer ${out.trim()}`;
    const answer = await fetch(`${emulator.url}/v1/research`, { headers: { authorization } });
    expect(answer.status).toBe(200);
    await answer.text();
  });

  it('token warns on stderr if stdout is a terminal', async () => {
    const emulator = await startEmulator();
    const { out, err } = await runCli(['token'], environmentOf(emulator), { isTTY: true });
    expect(out).toMatch(/^[\w-]{64}\n$/);
    expect(err).toContain('private notes');
    expect(err).toContain('for 60 minutes');
    expect(err).not.toMatch(accessToken);
  });

  it('token --json prints one line of JSON', async () => {
    const emulator = await startEmulator();
    const { out } = await runCli(['token', '--json'], environmentOf(emulator));
    expect(out.split('\n')).toHaveLength(2);
    const printed = JSON.parse(out) as object;
    expect(Object.keys(printed)).toEqual(['accessToken', 'expiresAt', 'scopes']);
    expect(printed).toMatchObject({ scopes: ['rest_api:read', `team_${emulator.teamId}`] });
  });

  it('token fails with a message on stderr and nothing on stdout', async () => {
    const emulator = await startEmulator();
    const refused = await runCli(['token'], { ...environmentOf(emulator), BIPSYNC_CLIENT_ID: 'somebody' });
    expect(refused).toMatchObject({ status: 1, out: '' });
    expect(refused.err).toMatch(
      /^axios-bipsync-auth: .*answered\s401.*\nFind the cause: `npx axios-bipsync-auth check`/s,
    );
    expect(widthOf(refused.err)).toBeLessThanOrEqual(80);
    expect(refused.err).not.toContain(emulator.clientSecret);
    const unset = await runCli(['token']);
    expect(unset.err).toMatch(
      /is required.*\nNo BIPSYNC_… variable is set\. Load a file with `--env-file \.env`\.\n$/s,
    );
    const partly = await runCli(['token'], { BIPSYNC_CLIENT: 'acme' });
    expect(partly.err).toMatch(
      /is required.*\nFind the cause: `npx axios-bipsync-auth check`, with the same --env-file\.\n$/s,
    );
    expect(unset).toMatchObject({ status: 1, out: '' });
    for (const name of ['CLIENT_ID', 'CLIENT_SECRET', 'TEAM_ID', 'BASE_URL']) {
      expect(unset.err).toContain(`BIPSYNC_${name}`);
    }
  });
});

describe('usage', () => {
  const commands = ['check', 'token', 'emulator', 'demo'];

  it('--help prints the help of the program, and that of each command', async () => {
    const program = await runCli(['--help']);
    expect(program).toMatchObject({ status: 0, err: '' });
    for (const command of commands) {
      expect(program.out).toContain(`  ${command}`);
      const help = await runCli([command, '-h']);
      expect(help).toMatchObject({ status: 0, err: '' });
      expect(help.out).toContain(`Usage: npx axios-bipsync-auth ${command} `);
      expect(help.out).toContain('--json');
    }
  });

  it('the word help prints the same help as the option', async () => {
    const { out } = await runCli(['--help']);
    expect(out).toContain('  help [command]');
    for (const args of [['help'], ['help', 'help'], ['help', '--help'], ['help', 'version']]) {
      expect(await runCli(args)).toEqual({ status: 0, out, err: '' });
    }
    for (const command of commands) {
      expect(await runCli(['help', command])).toEqual(await runCli([command, '--help']));
    }
  });

  it('every text names the command so that npx never asks a registry for another package', async () => {
    const emulator = await startEmulator();
    const texts = await Promise.all([
      runCli([]),
      runCli(['nonsense']),
      runCli(['check']),
      runCli(['check'], { BIPSYNC_CLIENT: 'acme' }),
      runCli(['token']),
      runCli(['demo'], { ...environmentOf(emulator), BIPSYNC_CLIENT_SECRET: 'wrong' }),
      ...commands.map((command) => runCli([command, '--help'])),
    ]);
    const all = texts.map(({ out, err }) => out + err).join('');
    expect(all.match(/npx axios-bipsync-auth (--help|check|token)/g)).not.toHaveLength(0);
    expect(all).not.toMatch(/(npx |`)bipsync-auth/);
  });

  it('every help text fits into 80 columns', async () => {
    const pages = await Promise.all(
      ['', ...commands].map((command) => runCli([command, '-h'].filter(Boolean))),
    );
    for (const { out } of pages) expect(widthOf(out)).toBeLessThanOrEqual(80);
  });

  it('every refusal of wrong usage fits into 80 columns', async () => {
    for (const args of [
      ['token', 'x'],
      ['nonsense'],
      ['emulator', '--fail', 'x'],
      ['check', '--env-file', '/x'],
    ]) {
      const { status, err } = await runCli(args);
      expect(status).toBe(2);
      expect(widthOf(err)).toBeLessThanOrEqual(80);
    }
  });

  it('--version prints the version', async () => {
    const printed = { status: 0, out: '1.2.3\n', err: '' };
    for (const args of [['--version'], ['-v'], ['version']]) expect(await runCli(args)).toEqual(printed);
  });

  it.each([
    [[], 'Usage: npx axios-bipsync-auth <command>'],
    [
      ['chekc'],
      'The commands are check, token, emulator, demo, help, version. Try `npx axios-bipsync-auth --help`.',
    ],
    [['help', 'chekc'], 'The commands are check, token, emulator, demo, help, version.'],
    [['--jsn'], "Unknown option '--jsn'. Try `npx axios-bipsync-auth --help`."],
    [
      ['token', '--client-secret=x'],
      "Unknown option '--client-secret'. Try `npx axios-bipsync-auth token --help`.",
    ],
    [['version', 'check'], 'come from the environment'],
    [['check', '--port', '1'], "Unknown option '--port'."],
    [['emulator', '--port'], 'argument missing'],
    [['check', '--env-file'], 'argument missing'],
    [['check', '--fail', 'token:503'], "Unknown option '--fail'."],
    [['emulator', '--expires-in', 'soon'], '--expires-in takes a number of seconds above 0.'],
    [['emulator', '--expires-in', '0'], '--expires-in takes a number of seconds above 0.'],
    [['emulator', '--fail', 'token'], '--fail takes WHERE:WHAT or WHERE:WHAT:TIMES'],
    [['emulator', '--fail', 'token:99'], '--fail takes WHERE:WHAT or WHERE:WHAT:TIMES'],
    [['emulator', '--fail', 'api:503:0'], '--fail takes WHERE:WHAT or WHERE:WHAT:TIMES'],
    [['emulator', '--port', '65536'], '--port takes a number from 0 to 65535.'],
    [['emulator', '--port=http'], '--port takes a number from 0 to 65535.'],
    [['check', '--json=yes'], 'does not take an argument'],
  ])('%j is wrong usage: status 2, and where the right one is described', async (args, message) => {
    const { status, out, err } = await runCli(args);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err.replace(/\s+/g, ' ')).toContain(message.replace(/\s+/g, ' '));
  });

  it.each([
    [['token', 'swordfish'], 'environment'],
    [['swordfish'], 'Unknown command'],
    [['help', 'swordfish'], 'Unknown command'],
  ])('does not repeat an argument that may be a secret in the wrong place: %j', async (args, message) => {
    const { status, err } = await runCli(args);
    expect(status).toBe(2);
    expect(err).toContain(message);
    expect(err).not.toContain('swordfish');
  });
});
