import { get } from 'node:http';

import { run } from '../../src/cli/run';
import { accessToken, capture, environmentOf, runCli, startEmulator } from './support';

describe('token', () => {
  it('prints the token alone', async () => {
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

  it('warns on stderr where stdout is a terminal', async () => {
    const emulator = await startEmulator();
    const { out, err } = await runCli(['token'], environmentOf(emulator), { isTTY: true });
    expect(out).toMatch(/^[\w-]{64}\n$/);
    expect(err).toContain('private notes');
    expect(err).toContain('for 60 min');
    expect(err).not.toMatch(accessToken);
  });

  it('prints one line of JSON', async () => {
    const emulator = await startEmulator();
    const { out } = await runCli(['token', '--json'], environmentOf(emulator));
    expect(out.split('\n')).toHaveLength(2);
    const printed = JSON.parse(out) as object;
    expect(Object.keys(printed)).toEqual(['accessToken', 'expiresAt', 'scopes']);
    expect(printed).toMatchObject({ scopes: ['rest_api:read', `team_${emulator.teamId}`] });
  });

  it('fails with a message on stderr and nothing on stdout', async () => {
    const emulator = await startEmulator();
    const refused = await runCli(['token'], { ...environmentOf(emulator), BIPSYNC_CLIENT_ID: 'somebody' });
    expect(refused).toMatchObject({ status: 1, out: '' });
    expect(refused.err).toMatch(/^bipsync-auth: .*answered 401.*\n`npx axios-bipsync-auth check`/);
    expect(refused.err).not.toContain(emulator.clientSecret);
    const unset = await runCli(['token']);
    expect(unset).toMatchObject({ status: 1, out: '' });
    for (const name of ['CLIENT_ID', 'CLIENT_SECRET', 'TEAM_ID', 'BASE_URL']) {
      expect(unset.err).toContain(`BIPSYNC_${name}`);
    }
  });
});

describe('emulator', () => {
  /** Runs the command, and ends it as Ctrl-C would once `use` is done with it. */
  async function whileRunning(
    args: string[],
    use: (out: string) => Promise<void>,
    env: Record<string, string> = {},
  ): Promise<{ status: number; out: string; err: string }> {
    let interrupt: (() => void) | undefined;
    const interruption = new Promise<void>((resolve) => (interrupt = resolve));
    let started: (() => void) | undefined;
    const start = new Promise<void>((resolve) => (started = resolve));
    const terminal = capture(env, { interrupted: () => interruption });
    const { stdout } = terminal;
    const finished = run(['emulator', ...args], {
      ...terminal,
      stdout: {
        write: (text) => {
          stdout.write(text);
          started?.();
        },
      },
    });
    await start;
    await use(terminal.out());
    interrupt?.();
    return { status: await finished, out: terminal.out(), err: terminal.err() };
  }

  it('prints the variables that lead to it, and closes at Ctrl-C', async () => {
    let url = '';
    const { status, out, err } = await whileRunning([], async (printed) => {
      const lines = [...printed.matchAll(/^export (\w+)='(.*)'$/gm)];
      const env = Object.fromEntries(lines.map(([, name, value]) => [name!, value!]));
      url = env['BIPSYNC_BASE_URL']!;
      expect((await runCli(['check'], env)).status).toBe(0);
    });
    expect(status).toBe(0);
    expect(
      out
        .trim()
        .split('\n')
        .every((line) => line.startsWith('export BIPSYNC_')),
    ).toBe(true);
    expect(err).toContain('`npx axios-bipsync-auth check`. Ctrl-C');
    await expect(new Promise((_resolve, reject) => get(url).on('error', reject))).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  it('prints them as one line of JSON', async () => {
    const { err, out } = await whileRunning(['--json'], async () => undefined);
    expect(err).toBe('');
    expect(out.split('\n')).toHaveLength(2);
    expect(Object.keys(JSON.parse(out) as object)).toEqual([
      'BIPSYNC_BASE_URL',
      'BIPSYNC_CLIENT_ID',
      'BIPSYNC_CLIENT_SECRET',
      'BIPSYNC_TEAM_ID',
      'BIPSYNC_SCOPES',
    ]);
  });

  it('takes the credentials that the environment has, and prints only what it does not have', async () => {
    const env = {
      BIPSYNC_CLIENT_ID: 'mine',
      BIPSYNC_CLIENT_SECRET: 'my-own-hush',
      BIPSYNC_TEAM_ID: 'team_42',
      BIPSYNC_SCOPES: '',
    };
    const { out, err } = await whileRunning(
      ['--json'],
      async (printed) => {
        const variables = { ...env, ...(JSON.parse(printed) as Record<string, string>) };
        expect((await runCli(['check'], variables)).status).toBe(0);
      },
      env,
    );
    expect(Object.keys(JSON.parse(out) as object)).toEqual(['BIPSYNC_BASE_URL', 'BIPSYNC_SCOPES']);
    expect(out + err).not.toContain('hush');
  });

  it('fails where the port is taken, and refuses what is no port', async () => {
    const { port } = new URL((await startEmulator()).url);
    const taken = await runCli(['emulator', '--port', port]);
    expect(taken).toMatchObject({ status: 1, out: '' });
    expect(taken.err).toContain(`Port ${port} is taken: give another --port, or none for a free one.`);
    expect(taken.err).not.toContain('EADDRINUSE');
    expect((await runCli(['emulator', '--port', '65536'])).status).toBe(2);
    expect((await runCli(['emulator', '--port=http'])).status).toBe(2);
  });
});

describe('usage', () => {
  const commands = ['check', 'token', 'emulator', 'demo'];

  it('has help for the program and for each command', async () => {
    const program = await runCli(['--help']);
    expect(program).toMatchObject({ status: 0, err: '' });
    for (const command of commands) {
      expect(program.out).toContain(`  ${command}`);
      const help = await runCli([command, '-h']);
      expect(help).toMatchObject({ status: 0, err: '' });
      expect(help.out).toContain(`Usage: bipsync-auth ${command} `);
      expect(help.out).toContain('--json');
    }
  });

  it('has it under the word too', async () => {
    const { out } = await runCli(['--help']);
    expect(out).toContain('  help [command]');
    for (const args of [['help'], ['help', 'help'], ['help', '--help'], ['help', 'version']]) {
      expect(await runCli(args)).toEqual({ status: 0, out, err: '' });
    }
    for (const command of commands) {
      expect(await runCli(['help', command])).toEqual(await runCli([command, '--help']));
    }
  });

  it('tells people to run it in a way that never asks a registry for another package', async () => {
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

  it('stays within 100 columns', async () => {
    const pages = await Promise.all(
      ['', ...commands].map((command) => runCli([command, '-h'].filter(Boolean))),
    );
    const lines = pages.flatMap(({ out }) => out.split('\n'));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('prints its version', async () => {
    const printed = { status: 0, out: '1.2.3\n', err: '' };
    for (const args of [['--version'], ['-v'], ['version']]) expect(await runCli(args)).toEqual(printed);
  });

  it.each([
    [[], 'Usage: bipsync-auth <command>'],
    [
      ['chekc'],
      'The commands are check, token, emulator, demo, help, version.\nTry `npx axios-bipsync-auth --help`.',
    ],
    [['help', 'chekc'], 'The commands are check, token, emulator, demo, help, version.'],
    [['--jsn'], "Unknown option '--jsn'.\nTry `npx axios-bipsync-auth --help`."],
    [
      ['token', '--client-secret=x'],
      "Unknown option '--client-secret'.\nTry `npx axios-bipsync-auth token --help`.",
    ],
    [['version', 'check'], 'comes from the environment'],
    [['check', '--port', '1'], "Unknown option '--port'."],
    [['emulator', '--port'], 'argument missing'],
    [['check', '--json=yes'], 'does not take an argument'],
  ])('status 2 and a hint for %j', async (args, message) => {
    const { status, out, err } = await runCli(args);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toContain(message);
  });

  it.each([
    [['token', 'swordfish'], 'environment'],
    [['swordfish'], 'no such command'],
    [['help', 'swordfish'], 'no such command'],
  ])('does not repeat an argument that may be a secret in the wrong place: %j', async (args, message) => {
    const { status, err } = await runCli(args);
    expect(status).toBe(2);
    expect(err).toContain(message);
    expect(err).not.toContain('swordfish');
  });
});
