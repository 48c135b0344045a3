import { credentials, requestToken, start, call } from './support';
import type { Parameters } from './support';

describe('the emulated token endpoint', () => {
  test.each([
    ['a form', (body: Parameters) => ({ body: new URLSearchParams(body) })],
    [
      'JSON',
      (body: Parameters) => ({
        body: JSON.stringify(body),
        headers: { 'Content-Type': 'Application/JSON ; charset=utf-8' },
      }),
    ],
  ])('answers %s with a bearer token that nothing may cache', async (_name, encode) => {
    const emulator = await start();
    const init = { method: 'POST', ...encode(credentials(emulator)) };
    const response = await fetch(`${emulator.url}/v1/oauth/token`, init);
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('pragma')).toBe('no-cache');
    expect(await response.json()).toEqual({
      token_type: 'bearer',
      expires_in: 3600,
      access_token: expect.stringMatching(/^[\w-]{64}$/) as string,
    });
  });

  test('issues another token each time', async () => {
    const emulator = await start();
    const [one, two] = await Promise.all([requestToken(emulator), requestToken(emulator)]);
    expect(await one.text()).not.toBe(await two.text());
  });

  test.each<[string, Parameters, number, string]>([
    ['another secret', { client_secret: 'wrong' }, 401, 'invalid_client'],
    ['another client', { client_id: 'wrong' }, 401, 'invalid_client'],
    ['no secret', { client_secret: '' }, 401, 'invalid_client'],
    ['no grant type', { grant_type: '' }, 400, 'invalid_request'],
    ['another grant type', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
    ['a scope nobody granted', { scope: 'rest_api:everything' }, 400, 'invalid_scope'],
    ['another team', { scope: 'team_000000000000000000000000' }, 400, 'invalid_scope'],
    ['a doubled space between scopes', { scope: 'rest_api:read  rest_api:write' }, 400, 'invalid_scope'],
    ['a space after the scopes', { scope: 'rest_api:read ' }, 400, 'invalid_scope'],
    ['a quote in a scope', { scope: 'rest_api:"read"' }, 400, 'invalid_scope'],
  ])('refuses %s', async (_name, changes, status, error) => {
    const emulator = await start();
    const response = await requestToken(emulator, changes);
    expect(response.status).toBe(status);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({ error, error_description: expect.any(String) as string });
  });

  test.each<[string, string, string]>([
    ['another content type', 'text/plain', '{}'],
    ['JSON that breaks off', 'application/json', '{"grant_type":'],
    ['JSON that is not an object', 'application/json', '["grant_type"]'],
    ['JSON with a number', 'application/json', '{"grant_type":"client_credentials","scope":1}'],
    [
      'a repeated parameter',
      'application/x-www-form-urlencoded',
      'grant_type=client_credentials&scope=a&scope=b',
    ],
  ])('answers %s with invalid_request', async (_name, type, body) => {
    const emulator = await start();
    const init = { method: 'POST', body, headers: { 'Content-Type': type } };
    const response = await fetch(`${emulator.url}/v1/oauth/token`, init);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_request' });
  });

  test('says in the hint whether a scope is malformed or which one is refused', async () => {
    const emulator = await start();
    const malformed = await requestToken(emulator, { scope: 'rest_api:read  rest_api:write' });
    expect(await malformed.json()).toMatchObject({ hint: 'scope is malformed.' });
    const refused = await requestToken(emulator, { scope: 'rest_api:read x y' });
    expect(await refused.json()).toEqual({
      error: 'invalid_scope',
      error_description: 'The scope is unknown, malformed or not for this client.',
      hint: 'The client may not ask for this scope: x',
      message: 'The scope is unknown, malformed or not for this client.',
    });
  });

  test('with narrowsScopes, grants the scopes that the client may have and lists them', async () => {
    const emulator = await start({ narrowsScopes: true });
    const team = `team_${emulator.teamId}`;
    const ask = async (scope: string): Promise<Record<string, unknown>> =>
      (await (await requestToken(emulator, { scope })).json()) as Record<string, unknown>;
    const narrowed = await ask(`${team} x rest_api:read y`);
    expect(narrowed).toMatchObject({ scope: `${team} rest_api:read` });
    const token = String(narrowed['access_token']);
    expect((await call(emulator, '/v1/research', token)).status).toBe(200);
    expect((await call(emulator, '/v1/field', token)).status).toBe(401);
    expect(await ask(`${team} rest_api:read`)).not.toHaveProperty('scope');
    expect(await ask('x y')).toMatchObject({
      error: 'invalid_scope',
      hint: 'The client may not ask for this scope: x',
    });
    emulator.narrowsScopes = false;
    expect(await ask(`${team} x`)).toHaveProperty('error', 'invalid_scope');
  });

  test('accepts POST only', async () => {
    const emulator = await start();
    const response = await fetch(`${emulator.url}/v1/oauth/token`);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });

  test('grants a token without a team, which reaches nothing', async () => {
    const emulator = await start({ challenge: 'rfc6750' });
    for (const scope of ['rest_api:read', '']) {
      const response = await requestToken(emulator, { scope });
      expect(response.status).toBe(200);
      const { access_token } = (await response.json()) as { access_token: string };
      const refused = await call(emulator, '/v1/research', access_token);
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toContain(`scope="team_${emulator.teamId}"`);
    }
  });

  test.each([
    [60, 60],
    ['3600', '3600'],
    [-1, -1],
    [null, null],
    [{ odd: true }, { odd: true }],
    [undefined, undefined],
  ])('sends an expires_in of %j as it is', async (expiresIn, sent) => {
    const emulator = await start();
    emulator.expiresIn = expiresIn;
    const body = (await (await requestToken(emulator)).json()) as Record<string, unknown>;
    expect(body['expires_in']).toEqual(sent);
    expect('expires_in' in body).toBe(expiresIn !== undefined);
  });

  test('uses the credentials, team, scopes and lifetime that it was started with', async () => {
    const own = { clientId: 'me', clientSecret: 's3cret', teamId: 'abc' };
    const emulator = await start({ ...own, scopes: ['tasks:read'], expiresIn: 5 });
    expect(emulator).toMatchObject(own);
    const granted = await requestToken(emulator, { scope: 'team_abc tasks:read' });
    expect(await granted.json()).toMatchObject({ expires_in: 5 });
    expect((await requestToken(emulator, { scope: 'rest_api:read' })).status).toBe(400);
  });

  test('has random credentials unless it was started with some', async () => {
    const [one, two] = [await start(), await start()];
    expect(one.clientSecret).not.toBe(two.clientSecret);
    expect(one.clientId).not.toBe(two.clientId);
    expect(one.teamId).toMatch(/^[0-9a-f]{24}$/);
  });

  test('refuses the former secret after rotateSecret()', async () => {
    const emulator = await start();
    const former = emulator.clientSecret;
    expect(emulator.rotateSecret()).toBe(emulator.clientSecret);
    expect((await requestToken(emulator, { client_secret: former })).status).toBe(401);
    expect((await requestToken(emulator)).status).toBe(200);
    expect(emulator.rotateSecret('chosen')).toBe('chosen');
    expect((await requestToken(emulator, { client_secret: 'chosen' })).status).toBe(200);
  });

  test('follows the last grantScopes(), and always grants the team', async () => {
    const emulator = await start();
    emulator.grantScopes(['tasks:read']);
    expect((await requestToken(emulator)).status).toBe(400);
    const scope = `team_${emulator.teamId} tasks:read`;
    expect((await requestToken(emulator, { scope })).status).toBe(200);
  });
});
