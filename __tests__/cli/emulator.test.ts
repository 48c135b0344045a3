import { request } from 'node:http';

import { run } from '../../src/cli/run';
import { ownPort } from '../support/ports';
import { startEmulator } from '../support/emulated';
import { accessToken, capture, environmentOf, runCli, temporaryFolder, widthOf } from './support';

const folder = temporaryFolder();

/** Runs the command, and ends it as Ctrl-C does when `use` is done with it. */
async function whileRunning(
  args: string[],
  use: (variables: Record<string, string>) => Promise<void> = async () => undefined,
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
  try {
    await use({ ...env, ...readVariables(terminal.out()) });
  } finally {
    interrupt?.();
  }
  return { status: await finished, out: terminal.out(), err: terminal.err() };
}

function readVariables(printed: string): Record<string, string> {
  if (printed.startsWith('{')) return JSON.parse(printed) as Record<string, string>;
  const lines = [...printed.matchAll(/^export (\w+)='(.*)'$/gm)];
  return Object.fromEntries(lines.map(([, name, value]) => [name!, value!]));
}

/** The status of an answer, or the code of the error in its place. */
function ask(method: string, url: string, headers: Record<string, string> = {}): Promise<unknown> {
  return new Promise((resolve) => {
    request(url, { method, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
      .end();
  });
}

/** The lines about requests, without their times. */
const requestLines = (err: string): string[] =>
  [...err.matchAll(/^\d\d:\d\d:\d\d (.*)$/gm)].map(([, line]) => line!);

describe('emulator', () => {
  it('prints the variables that lead to it, and closes at Ctrl-C', async () => {
    let url = '';
    const port = String(await ownPort());
    const { status, out, err } = await whileRunning(['--port', port], async (variables) => {
      url = variables['BIPSYNC_BASE_URL']!;
      expect((await runCli(['check'], variables)).status).toBe(0);
    });
    expect(status).toBe(0);
    const lines = out.trim().split('\n');
    expect(lines.filter((line) => !line.startsWith('export BIPSYNC_'))).toEqual([]);
    expect(err.replace(/\s+/g, ' ')).toContain(
      '`npx axios-bipsync-auth check` in the other terminal. Ctrl-C',
    );
    // What is pasted stays on one line.
    expect(widthOf(err)).toBeLessThanOrEqual(80);
    expect(await ask('GET', url)).toBe('ECONNREFUSED');
  });

  it('--json prints the variables as one line of JSON, and no line about requests', async () => {
    const { err, out } = await whileRunning(['--json'], async (variables) => {
      expect((await runCli(['token'], variables)).status).toBe(0);
    });
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

  it('uses the credentials that the environment has, and prints only the others', async () => {
    const env = {
      BIPSYNC_CLIENT_ID: 'mine',
      BIPSYNC_CLIENT_SECRET: 'my-own-hush',
      BIPSYNC_TEAM_ID: 'team_42',
      BIPSYNC_SCOPES: '',
    };
    const { out, err } = await whileRunning(
      ['--json'],
      async (variables) => expect((await runCli(['check'], variables)).status).toBe(0),
      env,
    );
    expect(Object.keys(JSON.parse(out) as object)).toEqual(['BIPSYNC_BASE_URL', 'BIPSYNC_SCOPES']);
    expect(out + err).not.toContain('hush');
  });

  it('uses the secret in the file that BIPSYNC_CLIENT_SECRET_FILE names, and prints none', async () => {
    const BIPSYNC_CLIENT_SECRET_FILE = folder.write('secret', 'my-own-hush\n');
    const { out, err } = await whileRunning(
      ['--json'],
      async (variables) => expect((await runCli(['check'], variables)).status).toBe(0),
      { BIPSYNC_CLIENT_SECRET_FILE },
    );
    expect(Object.keys(JSON.parse(out) as object)).not.toContain('BIPSYNC_CLIENT_SECRET');
    expect(out + err).not.toContain('hush');
  });

  it('prints variables with which every REST request is allowed', async () => {
    const { err } = await whileRunning([], async (variables) => {
      const { out } = await runCli(['token'], variables);
      const headers = { Authorization: `Bearer ${out.trim()}` };
      for (const path of ['/v1/field', '/v1/contenttype', '/v1/research']) {
        expect(await ask('GET', variables['BIPSYNC_BASE_URL']! + path, headers)).toBe(200);
      }
    });
    expect(err).not.toContain('access_denied');
  });

  it('lists its endpoints, and answers each of them', async () => {
    const { err } = await whileRunning([]);
    const listed = [...err.matchAll(/^ {2}(GET|POST|any) +(\/\S+)/gm)];
    expect(listed.length).toBeGreaterThan(5);

    const emulator = await startEmulator();
    const env = environmentOf(emulator);
    const BIPSYNC_SCOPES = 'rest_api:read rest_api:fields:read rest_api:write research:read';
    const { out } = await runCli(['token'], { ...env, BIPSYNC_SCOPES });
    const headers = { Authorization: `Bearer ${out.trim()}` };
    for (const [, method, path] of listed) {
      const url = emulator.url + path!.replace('{id}', 'note-1').replaceAll(/[{}]/g, '');
      const status = await ask(method === 'any' ? 'PATCH' : method!, url, headers);
      // 400 is for the empty body. An endpoint that does not exist gives 404 or 405, one outside the scopes 401.
      expect([path, [200, 201, 400].includes(status as number)]).toEqual([path, true]);
    }
  });

  it('prints a line for each request, without a token or a secret', async () => {
    const secrets: string[] = [];
    const { out, err } = await whileRunning([], async (variables) => {
      const home = variables['BIPSYNC_BASE_URL']!;
      const { out: token } = await runCli(['token'], { ...variables, BIPSYNC_SCOPES: 'rest_api:read' });
      await runCli(['token'], { ...variables, BIPSYNC_CLIENT_SECRET: 'not-the-secret' });
      const headers = { Authorization: `Bearer ${token.trim()}` };
      await ask('GET', `${home}/v1/research?access_token=${token.trim()}`, headers);
      await ask('GET', `${home}/v1/research`);
      await ask('GET', `${home}/v1/research`, { Authorization: 'Bearer of-somebody-else' });
      await ask('GET', `${home}/v1/field`, headers);
      await ask('POST', `${home}/v3/ingest/crm/4711`, headers);
      await ask('GET', `${home}/${token.trim()}`, headers);
      secrets.push(token.trim(), variables['BIPSYNC_CLIENT_SECRET']!, 'not-the-secret', 'of-somebody-else');
    });
    expect(requestLines(err)).toEqual([
      'POST /v1/oauth/token 200',
      'POST /v1/oauth/token 401 (invalid_client)',
      'GET /v1/research 200',
      'GET /v1/research 401 (access_denied, no token)',
      'GET /v1/research 401 (access_denied, token not valid)',
      'GET /v1/field 401 (access_denied, needs rest_api:fields:read)',
      'POST /v3/ingest/crm/4711 401 (access_denied, needs rest_api:write)',
      'GET /… 404 (not_found)',
    ]);
    for (const secret of secrets) expect(err).not.toContain(secret);
    expect(out).not.toMatch(accessToken);
  });

  it('--expires-in sets how long tokens live', async () => {
    await whileRunning(['--expires-in', '90'], async (variables) => {
      const { out } = await runCli(['token', '--json'], variables);
      const { expiresAt } = JSON.parse(out) as { expiresAt: number };
      expect((expiresAt - Date.now()) / 1000).toBeGreaterThan(60);
      expect((expiresAt - Date.now()) / 1000).toBeLessThanOrEqual(90);
    });
  });

  it('--fail lets requests fail, one fault after the other, and the rest succeed', async () => {
    const faults = [
      '--fail',
      'token:403:1',
      '--fail',
      'token:500:1',
      '--fail',
      'api:reset:1',
      '--fail',
      'api:404:1',
    ];
    const { err } = await whileRunning(faults, async (variables) => {
      const home = variables['BIPSYNC_BASE_URL']!;
      const asked = [];
      for (const [method, path] of [
        ['POST', '/v1/oauth/token'],
        ['POST', '/v1/oauth/token'],
        ['POST', '/v1/oauth/token'],
        ['GET', '/v1/research'],
        ['GET', '/v1/research'],
        ['GET', '/v1/research'],
      ] as const) {
        asked.push(await ask(method, home + path));
      }
      expect(asked).toEqual([403, 500, 400, 'ECONNRESET', 404, 401]);
    });
    expect(requestLines(err)[3]).toBe('GET /v1/research no answer (no token)');
  });

  it('--fail without a number of times lets every request fail', async () => {
    await whileRunning(['--fail', 'api:503'], async (variables) => {
      const url = `${variables['BIPSYNC_BASE_URL']!}/v1/research`;
      for (let time = 0; time < 5; time += 1) expect(await ask('GET', url)).toBe(503);
    });
  });

  it('fails if the port is taken, and says what to do', async () => {
    const { port } = new URL((await startEmulator()).url);
    const taken = await runCli(['emulator', '--port', port]);
    expect(taken).toMatchObject({ status: 1, out: '' });
    expect(taken.err.replace(/\s+/g, ' ')).toContain(
      `Port ${port} is already in use. Choose another --port, or omit --port to use a free port.`,
    );
    expect(taken.err).not.toContain('EADDRINUSE');
  });
});
