import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { startEmulator } from '../support/emulated';
import { finish, spawnedCommand } from './spawned';
import { environmentOf } from './support';

const command = spawnedCommand();

describe('the command as a process', () => {
  it('keeps its shebang and knows its version', async () => {
    const manifest = readFileSync(join(command.folder(), 'package.json'), 'utf8');
    const { version } = JSON.parse(manifest) as { version: string };
    expect(await command.run(['--version'])).toEqual({ status: 0, out: `${version}\n`, err: '' });
  });

  it('ends by itself, with a status, after each kind of outcome', async () => {
    const emulator = await startEmulator();
    const env = environmentOf(emulator);
    const token = await command.run(['token'], env);
    expect(token).toMatchObject({ status: 0, err: '' });
    expect(token.out).toMatch(/^[\w-]{64}\n$/);
    expect((await command.run(['check'], { ...env, BIPSYNC_CLIENT_ID: 'somebody' })).status).toBe(1);
    expect((await command.run(['nonsense'])).status).toBe(2);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('closes the emulator at %s', async (signal) => {
    const child = command.start(['emulator', '--json']);
    const finished = finish(child);
    await once(child.stdout, 'data');
    child.kill(signal);
    expect(await finished).toMatchObject({ status: 0, err: '' });
  });

  it('prints no error if the reader of its output closes the pipe', async () => {
    const emulator = await startEmulator({ apiDelayMs: 200 });
    const child = command.start(['check'], environmentOf(emulator));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (chunk) => (err += String(chunk)));
    await once(child, 'exit');
    expect(err).toBe('');
  });
});
