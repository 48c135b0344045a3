import { demo } from '../../src/cli/demo';
import type { Step } from '../../src/cli/steps';
import type { Row } from '../../src/cli/story';
import { startBipsyncEmulator } from '../../src/testing';
import { accessToken, capture, environmentOf, runCli, startEmulator } from './support';

describe('demo on an emulator', () => {
  it('shows five lines as promised, within 100 columns and without a secret', async () => {
    const terminal = capture();
    const secrets: string[] = [];
    const status = await demo(terminal, {}, async (options) => {
      const emulator = await startBipsyncEmulator(options);
      secrets.push(emulator.clientSecret);
      return emulator;
    });
    const out = terminal.out();
    expect({ status, err: terminal.err() }).toEqual({ status: 0, err: '' });
    const cells = [...out.matchAll(/^ {2}✓ (.+?) {2,}(.+)$/gm)].map(([, title, numbers]) => [
      title,
      ...numbers!.split(/ {2,}/),
    ]);
    const ms = expect.stringMatching(/^\d+ ms$/) as string;
    expect(cells).toEqual([
      ['Cold burst', '1', '1', '200', '200 of 200', ms],
      ['Expiry under load', '2', '2', expect.anything(), expect.stringMatching(/^(\d+) of \1$/), ms],
      ['Revocation under load', '1', '1', '100', '50 of 50', ms],
      [
        'Endpoint outside the scopes',
        '≤ 3',
        expect.stringMatching(/^[123]$/),
        expect.anything(),
        '60 of 60',
        ms,
      ],
      ['Wrong secret', '≤ 5', '1', '0', '100 of 100', ms],
    ]);
    expect(out).toMatch(/All as promised, in \d+\.\d s\./);
    expect(out).toMatch(/`npx axios-bipsync-auth --help`.*`npx axios-bipsync-auth check`/s);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(secrets).toHaveLength(5);
    for (const secret of secrets) expect(out).not.toContain(secret);
    expect(out).not.toMatch(accessToken);
    expect(out).not.toContain('\u001b');
  }, 30_000);

  it('fails, and says where, when the story is not as promised', async () => {
    const terminal = capture({}, { isTTY: true });
    let act = 0;
    const status = await demo(terminal, { json: true }, async (options) => {
      const emulator = await startBipsyncEmulator(options);
      // A first token request that has to be repeated, and a call that fails.
      if (++act === 1) {
        emulator.failTokenRequests({ status: 503 });
        emulator.failApiRequests({ status: 500 });
      }
      // Tokens that do not live as long as they say.
      if (act === 2) setTimeout(() => emulator.revokeTokens(), 1000);
      return emulator;
    });
    expect(status).toBe(1);
    const result = JSON.parse(terminal.out()) as { ok: boolean; against: string; rows: Row[] };
    expect(Object.keys(result)).toEqual(['ok', 'against', 'rows']);
    expect(result).toMatchObject({ ok: false, against: 'emulator' });
    expect(result.rows.map(({ ok }) => ok)).toEqual([false, false, true, true, true]);
    expect(result.rows[0]).toMatchObject({ calls: 200, callsAsPromised: 199 });
    expect(result.rows[0]?.broken).toEqual([
      'token requests: promised 1, seen 2',
      'calls: promised 200, seen 500',
    ]);
    expect(result.rows[1]?.broken.join()).toMatch(/401s of the API: promised 0, seen \d+/);
    expect(result.rows[1]?.broken.join()).toContain(
      'tokens obtained because: promised refresh, seen refused',
    );
    expect(terminal.err()).toContain('\r\u001b[K  … Expiry under load');
    expect(terminal.err().endsWith('\r\u001b[K')).toBe(true);
  }, 30_000);
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
  });

  it('does not fall back to the emulator where variables are missing', async () => {
    const { status, out, err } = await runCli(['demo'], { BIPSYNC_CLIENT: 'acme' });
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toContain('BIPSYNC_CLIENT_ID');
  });
});
