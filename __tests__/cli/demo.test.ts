import { demo } from '../../src/cli/demo';
import { type Scene, story } from '../../src/cli/scenes';
import type { Step } from '../../src/cli/steps';
import type { Row } from '../../src/cli/story';
import { type BipsyncEmulator, type BipsyncEmulatorOptions, startBipsyncEmulator } from '../../src/testing';
import { startEmulator } from '../support/emulated';
import { accessToken, capture, environmentOf, runCli, widthOf } from './support';

describe('demo on an emulator', () => {
  it('shows the pasted interceptor next to the plugin, which keeps its promises, in 80 columns', async () => {
    const terminal = capture();
    const secrets: string[] = [];
    const status = await demo(terminal, {}, async (options) => {
      const emulator = await startBipsyncEmulator(options);
      secrets.push(emulator.clientSecret);
      return emulator;
    });
    const out = terminal.out();
    expect({ status, err: terminal.err() }).toEqual({ status: 0, err: '' });
    expect([...out.matchAll(/^ {2}✓ (.*)$/gm)]).toHaveLength(7);
    expect(out).not.toContain('✗');

    // Name, pasted, plugin, promised.
    const lines = [...out.matchAll(/^ {6}(\S.*?) {2,}([\d,]+) +([\d,]+)(?: +(.+))?$/gm)];
    const cells = lines.map(([, name, pasted, plugin, promised]) => ({
      name,
      pasted: Number(pasted!.replaceAll(',', '')),
      plugin: Number(plugin),
      promised,
    }));
    const number = expect.any(Number) as number;
    expect(cells).toEqual([
      { name: 'token requests', pasted: 200, plugin: 1, promised: '≤ 1' },
      { name: 'slowest call, in milliseconds', pasted: number, plugin: number, promised: undefined },
      { name: 'token requests', pasted: number, plugin: 1, promised: '≤ 1' },
      { name: '401s from the API', pasted: number, plugin: 0, promised: '0' },
      { name: 'token requests', pasted: 50, plugin: 1, promised: '≤ 1' },
      { name: 'token requests', pasted: number, plugin: number, promised: '≤ 3' },
      { name: 'token requests', pasted: number, plugin: 1, promised: '≤ 5' },
      { name: 'logged errors with the secret', pasted: 100, plugin: 0, promised: '0' },
      { name: 'requests to that host with the token', pasted: 50, plugin: 0, promised: '0' },
      { name: 'logged errors with the token', pasted: 50, plugin: 0, promised: '0' },
    ]);
    // At expiry, outside the scopes, and with a wrong secret, how much worse it is depends on the machine.
    for (const at of [2, 5, 6]) expect(cells[at]!.pasted).toBeGreaterThan(5);

    expect(out).toMatch(/The plugin kept all its promises\. This took \d+\.\d seconds\./);
    expect(out).toMatch(/`npx axios-bipsync-auth check`.*`npx axios-bipsync-auth --help`/s);
    expect(widthOf(out)).toBeLessThanOrEqual(80);
    expect(secrets).toHaveLength(14);
    for (const secret of secrets) expect(out).not.toContain(secret);
    expect(out).not.toMatch(accessToken);
    expect(out).not.toContain('\u001b');
  }, 60_000);

  it('fails, and says where, if the plugin does not keep a promise', async () => {
    const terminal = capture({}, { isTTY: true });
    const [coldStart, expiry, revocation] = story as [Scene, Scene, Scene];
    // Without the ten loops, which take seconds.
    const shortly: Scene = {
      ...expiry,
      async play({ api, emulator, reasons }) {
        await api.get('/v1/research/note-1');
        emulator.resetCounters();
        reasons.length = 0;
        // Tokens that do not live as long as they say.
        if (starts === 4) emulator.revokeTokens();
        const { status } = await api.get('/v1/research/note-1');
        return [{ outcome: status, ms: 0, isShown: false }];
      },
    };
    let starts = 0;
    const start = async (options: BipsyncEmulatorOptions): Promise<BipsyncEmulator> => {
      const emulator = await startBipsyncEmulator(options);
      starts += 1;
      // The second and fourth emulator are the plugin's, in the first two scenes.
      if (starts === 2) {
        // A first token request that has to be repeated, and a call that fails.
        emulator.failTokenRequests({ status: 503 });
        emulator.failApiRequests({ status: 500 });
      }
      return emulator;
    };
    expect(await demo(terminal, { json: true }, start, [coldStart, shortly, revocation])).toBe(1);
    const result = JSON.parse(terminal.out()) as { ok: boolean; against: string; rows: Row[] };
    expect(Object.keys(result)).toEqual(['ok', 'against', 'rows']);
    expect(result).toMatchObject({ ok: false, against: 'emulator' });
    expect(result.rows.map(({ ok }) => ok)).toEqual([false, false, true]);
    expect(result.rows[0]?.measures[0]).toEqual({
      name: 'token requests',
      pasted: 200,
      plugin: 2,
      promised: 1,
    });
    expect(result.rows[0]?.broken).toEqual([
      'token requests: promised at most 1, seen 2',
      'outcome of the calls: promised 200, seen 500',
    ]);
    expect(result.rows[1]?.broken.join()).toMatch(/401s from the API: promised at most 0, seen \d+/);
    expect(result.rows[1]?.broken.join()).toContain(
      'reason of the token requests: promised refresh, seen refused',
    );
    expect(terminal.err()).toContain('\r\u001b[K  … Expiry: ten loops');
    expect(terminal.err().endsWith('\r\u001b[K')).toBe(true);
  }, 60_000);
});

describe('demo with a tenant', () => {
  it('gets one token, makes one request that reads, and shows neither token nor secret', async () => {
    const emulator = await startEmulator();
    const { status, out, err } = await runCli(['demo'], environmentOf(emulator));
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toContain(emulator.url);
    expect(out).toMatch(/✓ api +GET \/v1\/research: 200/);
    expect([emulator.tokenRequests, emulator.apiRequests]).toEqual([1, 1]);
    expect(out).not.toContain(emulator.clientSecret);
    expect(out).not.toMatch(accessToken);
    expect(widthOf(out)).toBeLessThanOrEqual(80);
  });

  it('says what came back instead, with status 1', async () => {
    const emulator = await startEmulator();
    emulator.failTokenRequests({ status: 403 });
    const refused = await runCli(['demo', '--json'], environmentOf(emulator));
    const result = JSON.parse(refused.out) as { steps: Step[] };
    expect(refused.status).toBe(1);
    expect(result).toMatchObject({ ok: false, against: emulator.url, steps: [{ name: 'token', ok: false }] });
    emulator.failApiRequests({ status: 403 });
    const forbidden = await runCli(['demo'], environmentOf(emulator));
    expect(forbidden.status).toBe(1);
    expect(forbidden.out).toMatch(/✗ api .*403/);
    expect(forbidden.out).toContain('npx axios-bipsync-auth check');
    expect(widthOf(forbidden.out)).toBeLessThanOrEqual(80);
  });

  it('does not use the emulator instead if variables are missing', async () => {
    const { status, out, err } = await runCli(['demo'], { BIPSYNC_CLIENT: 'acme' });
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toContain('BIPSYNC_CLIENT_ID');
    expect(err.replace(/\s+/g, ' ')).toContain(
      'The demo uses a tenant, not the emulator, because these variables are set: BIPSYNC_CLIENT. To use the emulator, unset them.',
    );
  });
});
