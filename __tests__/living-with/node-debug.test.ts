import { buildSync } from 'esbuild';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { startEmulator } from '../support/emulated';

const program = `
  const { default: axios } = require('axios');
  const { installBipsyncAuth } = require('./src');
  const api = axios.create();
  installBipsyncAuth(api, JSON.parse(process.env.CONFIG));
  (async () => {
    await api.get('/v1/research');
    await fetch(process.env.REVOKE);
    await api.get('/v1/research', { headers: { Authorization: 'Basic b3RoZXI6c2VjcmV0' } });
    await api.get(process.env.REVOKE);
    await api.get('/v1/research', { bipsyncAuth: { teamId: 'another' } }).catch(() => undefined);
    console.log((await api.get('/v1/research')).config.headers.Authorization);
  })();
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'node-debug-'));
  buildSync({
    stdin: { contents: program, resolveDir: join(__dirname, '../..') },
    outfile: join(folder, 'program.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Nothing but a process of its own will do: Node reads the variable as it starts. */
async function run(debug: string): Promise<{ stdout: string; stderr: string; secret: string }> {
  const emulator = await startEmulator();
  const revoker = createServer((_request, response) => {
    emulator.revokeTokens();
    response.end();
  });
  await new Promise<void>((resolve) => revoker.listen(0, '127.0.0.1', resolve));
  const { port } = revoker.address() as { port: number };
  const { url: baseURL, clientId, clientSecret, teamId } = emulator;
  const config = { baseURL, clientId, clientSecret, teamId, scopes: ['rest_api:read'] };
  try {
    const outcome = await promisify(execFile)(process.execPath, [join(folder, 'program.cjs')], {
      env: {
        ...process.env,
        NODE_DEBUG: debug,
        CONFIG: JSON.stringify(config),
        REVOKE: `http://127.0.0.1:${port}/`,
      },
    });
    return { ...outcome, secret: clientSecret };
  } finally {
    revoker.closeAllConnections();
    await new Promise((resolve) => revoker.close(resolve));
  }
}

describe('NODE_DEBUG=bipsync-auth', () => {
  it('prints the events, and nothing that is secret', async () => {
    const { stdout, stderr, secret } = await run('bipsync-auth');
    const types = [...stderr.matchAll(/"type":"([\w-]+)"/g)].map(([, type]) => type);
    expect(types).toEqual([
      'token-acquired',
      'authorization-replaced',
      'token-acquired',
      'request-replayed',
      'request-unauthenticated',
      'token-failed',
      'token-acquired',
      'request-replayed',
    ]);
    expect(stderr).toContain('"reason":"first"');
    expect(stderr).toContain('"reason":"origin"');
    expect(stderr).toContain('"code":"ERR_BIPSYNC_SCOPE"');
    expect(stderr.match(/^BIPSYNC-AUTH \d+: \{.*\}$/gm)).toHaveLength(types.length);
    const token = /^Bearer (\S+)$/m.exec(stdout)?.[1];
    expect(token).toBeDefined();
    for (const hidden of [token!, secret, 'b3RoZXI6c2VjcmV0', 'Bearer']) expect(stderr).not.toContain(hidden);
  });

  it('is necessary: without it nothing is printed', async () => {
    const { stderr } = await run('');
    expect(stderr).toBe('');
  });
});
