import { run } from '../../src/cli/run';
import { startEmulator } from '../support/emulated';
import { spawnedCommand } from './spawned';
import { capture, environmentOf, runCli, temporaryFolder } from './support';

const folder = temporaryFolder();
const command = spawnedCommand();

const asFile = (env: Record<string, string>): string =>
  Object.entries(env)
    .map(([name, value]) => `${name}="${value}"\n`)
    .join('');

describe('--env-file', () => {
  it.each(['check', 'token', 'demo'])('%s reads its variables from the file', async (name) => {
    const emulator = await startEmulator();
    const file = folder.write('.env', `# comment\n${asFile(environmentOf(emulator))}`);
    expect((await runCli([name, '--env-file', file])).status).toBe(0);
    expect((await runCli([name, `--env-file=${file}`])).status).toBe(0);
    expect(emulator.tokenRequests).toBe(2);
  });

  it('the emulator uses the credentials of the file', async () => {
    const file = folder.write('emulator.env', asFile({ BIPSYNC_CLIENT_ID: 'of-the-file' }));
    const { out } = await runCli(['emulator', '--json', '--env-file', file]);
    expect(Object.keys(JSON.parse(out) as object)).not.toContain('BIPSYNC_CLIENT_ID');
  });

  it('reads what the emulator prints', async () => {
    const emulator = await startEmulator();
    const lines = Object.entries(environmentOf(emulator)).map(
      ([name, value]) => `export ${name}='${value}'\n`,
    );
    const file = folder.write('exports.env', lines.join(''));
    expect((await runCli(['check', '--env-file', file])).status).toBe(0);
  });

  it("a variable of the process's own environment wins over the file's", async () => {
    const emulator = await startEmulator();
    const file = folder.write(
      'other.env',
      asFile({ ...environmentOf(emulator), BIPSYNC_CLIENT_ID: 'nobody' }),
    );
    expect((await runCli(['token', '--env-file', file])).status).toBe(1);
    const own = await runCli(['token', '--env-file', file], { BIPSYNC_CLIENT_ID: emulator.clientId });
    expect(own.status).toBe(0);
  });

  it('names a file that cannot be read, and asks for nothing', async () => {
    for (const [file, code] of [
      ['/nowhere/.env', 'ENOENT'],
      [__dirname, 'EISDIR'],
    ] as const) {
      const { status, out, err } = await runCli(['check', '--env-file', file], { BIPSYNC_CLIENT: 'acme' });
      expect({ status, out }).toEqual({ status: 2, out: '' });
      expect(err.replace(/\s+/g, ' ')).toContain(`The file ${file} could not be read (${code}).`);
    }
  });

  it.each([
    ['begins with a byte order mark', '\uFEFFBIPSYNC_CLIENT=acme\n'],
    ['is UTF-16', Buffer.from('BIPSYNC_CLIENT=acme\n', 'utf16le').toString()],
  ])('names a file that %s, because Node would misread it', async (_what, text) => {
    const file = folder.write('odd.env', text);
    const { status, out, err } = await runCli(['check', '--env-file', file]);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err.replace(/\s+/g, ' ')).toContain(`The file ${file} is not plain UTF-8. Save it as UTF-8`);
  });

  it('says which Node it needs, if this Node cannot parse such files', async () => {
    const util = jest.requireActual<{ parseEnv: unknown }>('node:util');
    const { parseEnv } = util;
    util.parseEnv = undefined;
    const { status, err } = await runCli(['check', '--env-file', folder.write('some.env', '')]).finally(
      () => {
        util.parseEnv = parseEnv;
      },
    );
    expect(status).toBe(2);
    expect(err).toContain('--env-file needs Node 20.12 or later');
  });

  it('leaves the environment alone if it is not given', async () => {
    const terminal = capture({ BIPSYNC_CLIENT: 'acme' });
    await run(['check'], terminal);
    expect(terminal.env).toEqual({ BIPSYNC_CLIENT: 'acme' });
  });

  it('is taken by the process, which fails if the file does not exist', async () => {
    const emulator = await startEmulator();
    const file = folder.write('process.env', asFile(environmentOf(emulator)));
    const read = await command.run(['token', '--env-file', file]);
    expect(read).toMatchObject({ status: 0, err: '' });
    // Some versions of Node look for the file before the command does.
    const missing = await command.run(['token', '--env-file', '/nowhere/.env']);
    expect(missing.status).not.toBe(0);
    expect(missing.err).toContain('/nowhere/.env');
  });
});
