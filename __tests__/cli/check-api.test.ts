import { startEmulator } from '../support/emulated';
import { diagnose, environmentOf, stepNamed } from './support';

/** The paths of examples in Bipsync's docs. */
const documented = ['/v1/graphql', '/v1/research', '/v1/field'];

describe('check of the API', () => {
  it.each([
    ['research:read rest_api:read', 'POST', '/v1/graphql'],
    ['users:read', 'POST', '/v1/graphql'],
    ['rest_api:read rest_api:fields:read', 'GET', '/v1/research'],
    ['rest_api:fields:read', 'GET', '/v1/field'],
  ])('with the scopes %p it asks for %s %s, and takes a 200 as proof', async (scopes, method, path) => {
    const emulator = await startEmulator();
    const { ok, steps } = await diagnose({ ...environmentOf(emulator), BIPSYNC_SCOPES: scopes });
    expect(emulator.requests.map((request) => [request.method, request.path, request.status])).toEqual([
      [method, path, 200],
    ]);
    expect(documented).toContain(path);
    expect(ok).toBe(true);
    expect(stepNamed({ steps }, 'api')?.detail).toMatch(/: 200 in \d+ ms$/);
    if (method === 'POST') expect(emulator.requests[0]?.body.toString()).toBe('{"query":"{ __typename }"}');
  });

  it.each(['rest_api:read', 'rest_api:fields:read', 'research:read'])(
    'a 404 of the path for %s is a failure, not proof that the token was accepted',
    async (BIPSYNC_SCOPES) => {
      const emulator = await startEmulator();
      emulator.failApiRequests({ status: 404 });
      const { ok, failure } = await diagnose({ ...environmentOf(emulator), BIPSYNC_SCOPES });
      expect(ok).toBe(false);
      expect(failure).toMatchObject({ name: 'api' });
      expect(failure?.hint).toMatch(/not found\. Check BIPSYNC_CLIENT or BIPSYNC_BASE_URL.*Assumed: /);
    },
  );

  it('says that the API was not asked if the scopes allow no request that only reads', async () => {
    const emulator = await startEmulator();
    const diagnosis = await diagnose({ ...environmentOf(emulator), BIPSYNC_SCOPES: 'rest_api:write' });
    expect(emulator.apiRequests).toBe(0);
    expect(stepNamed(diagnosis, 'api')).toMatchObject({ ok: true, detail: 'not asked' });
    expect(stepNamed(diagnosis, 'api')?.hint).toContain('no request was sent');
  });

  it('explains a 401 by scope and team, and says which scope is assumed to open the path', async () => {
    const emulator = await startEmulator();
    emulator.failApiRequests({ status: 401 }, Infinity);
    const { failure } = await diagnose(environmentOf(emulator));
    expect(failure).toMatchObject({ name: 'api' });
    expect(failure?.hint).toMatch(
      /A new token did not help.*BIPSYNC_TEAM_ID.*Assumed: the scope rest_api:read gives access to this path/,
    );
  });

  it('explains a 403 by the IP address, as Bipsync documents it', async () => {
    const emulator = await startEmulator();
    emulator.failApiRequests({ status: 403 });
    const { failure } = await diagnose(environmentOf(emulator));
    expect(failure).toMatchObject({
      name: 'api',
      hint: expect.stringContaining('permit the public IP address') as string,
    });
    expect(failure?.hint).not.toContain('Assumed');
  });

  it.each([
    [{ status: 429, headers: { 'Retry-After': '30' } }, 'rate limit is reached. Try again in 30 seconds.'],
    [{ status: 503, headers: { 'Retry-After': '1' } }, 'Try again in 1 second.'],
    [{ status: 503 }, 'Bipsync, or a gateway in front of it, failed'],
    [{ status: 400 }, 'did not accept this request'],
    [{ redirectTo: 'http://127.0.0.1:1/' }, 'does not redirect'],
    [{ status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>' }, 'not the API'],
    [{ status: 200, body: 'OK' }, 'not the API'],
    [{ status: 204 }, 'not the API'],
    ['reset' as const, 'firewall'],
  ])('explains what the API does with %j', async (fault, hint) => {
    const emulator = await startEmulator();
    emulator.failApiRequests(fault, Infinity);
    const { ok, failure } = await diagnose(environmentOf(emulator));
    expect(ok).toBe(false);
    expect(failure).toMatchObject({ name: 'api', hint: expect.stringContaining(hint) as string });
  });

  it.each(['Wed, 21 Oct 2015 07:28:45 GMT', 'Wed Oct 21 07:28:45 2015'])(
    "reads the Retry-After date %j by the server's clock",
    async (date) => {
      const emulator = await startEmulator();
      const headers = { Date: 'Wed, 21 Oct 2015 07:28:00 GMT', 'Retry-After': date };
      emulator.failApiRequests({ status: 429, headers });
      expect((await diagnose(environmentOf(emulator))).failure?.hint).toContain('Try again in 45 seconds.');
    },
  );

  it('explains a 403 by the scope if the challenge says so', async () => {
    const emulator = await startEmulator();
    const headers = { 'WWW-Authenticate': 'Bearer error="insufficient_scope"' };
    emulator.failApiRequests({ status: 403, headers });
    const { failure } = await diagnose(environmentOf(emulator));
    expect(failure?.detail).toContain('403');
    expect(failure?.hint).toMatch(/scopes of the token are not enough.*Check BIPSYNC_SCOPES/);
    expect(failure?.hint).not.toContain('IP address');
  });
});

describe('check of the clock', () => {
  it.each([
    [-95, /^(9[56] seconds) ahead of/, true],
    [-30, /^3[01] seconds ahead of/, false],
    [30, /^(29|30) seconds behind/, false],
    [7200, /^120 minutes behind/, true],
  ])(
    'a server whose clock is %d s ahead gives %p, and a warning only beyond a minute',
    async (s, detail, warns) => {
      const emulator = await startEmulator();
      const Date_ = new Date(Date.now() + s * 1000).toUTCString();
      emulator.failApiRequests({ status: 200, headers: { Date: Date_ }, body: {} });
      const diagnosis = await diagnose(environmentOf(emulator));
      expect(diagnosis).toMatchObject({ status: 0, ok: true });
      const clock = stepNamed(diagnosis, 'clock');
      expect(clock?.detail).toMatch(detail);
      if (warns) expect(clock?.hint).toContain('NTP');
      else expect(clock).not.toHaveProperty('hint');
    },
  );

  it('compares the clocks even if the API refuses the request', async () => {
    const emulator = await startEmulator();
    const headers = { Date: new Date(Date.now() - 600_000).toUTCString() };
    emulator.failApiRequests({ status: 403, headers });
    const diagnosis = await diagnose(environmentOf(emulator));
    expect(stepNamed(diagnosis, 'clock')?.hint).toContain('NTP');
  });
});
