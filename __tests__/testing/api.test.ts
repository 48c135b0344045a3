import { createHash } from 'node:crypto';

import { call, requestToken, start, tokenFor } from './support';

const json = { 'Content-Type': 'application/json' };

describe('the API', () => {
  test.each([
    ['GET', '/v1/research', 'rest_api:read', 200],
    ['GET', '/v1/research?limit=1', 'rest_api:read', 200],
    ['GET', '/v1/research/note-1', 'rest_api:read', 200],
    ['GET', '/v3/projects', 'rest_api:read', 200],
    ['GET', '/v1/fields', 'rest_api:fields:read', 200],
    ['POST', '/v1/research', 'rest_api:write', 201],
    ['POST', '/v1/graphql', 'tasks:read', 200],
  ])('answers %s %s to a token with %s and to no other', async (method, path, scope, status) => {
    const emulator = await start();
    const others = ['rest_api:read', 'rest_api:fields:read', 'rest_api:write', 'users:read'].filter(
      (other) => other !== scope && !(scope === 'tasks:read' && other === 'users:read'),
    );
    const body = method === 'POST' ? JSON.stringify({ title: 'New', query: '{ research }' }) : null;
    const init = { method, body, headers: json };
    const good = await call(emulator, path, await tokenFor(emulator, scope), init);
    expect(good.status).toBe(status);
    expect(await good.json()).toHaveProperty('data');
    const lacking = await call(emulator, path, await tokenFor(emulator, ...others), init);
    expect(lacking.status).toBe(401);
    expect(await lacking.json()).toHaveProperty('error', 'access_denied');
  });

  test('refuses a missing, an unknown and a badly passed token', async () => {
    const emulator = await start();
    const token = await tokenFor(emulator, 'rest_api:read');
    for (const authorization of [
      undefined,
      'Bearer nonsense',
      token,
      `Basic ${token}`,
      `Bearer ${token} x`,
    ]) {
      const headers: Record<string, string> =
        authorization === undefined ? {} : { Authorization: authorization };
      expect((await call(emulator, '/v1/research', undefined, { headers })).status).toBe(401);
    }
    expect((await call(emulator, '/v1/research', token)).status).toBe(200);
  });

  test('says why in a challenge only if asked to', async () => {
    const emulator = await start();
    const token = await tokenFor(emulator, 'tasks:read');
    const challenge = async (sent?: string): Promise<string | null> =>
      (await call(emulator, '/v1/research', sent)).headers.get('www-authenticate');
    expect([await challenge(), await challenge('x'), await challenge(token)]).toEqual([null, null, null]);
    emulator.challenge = 'rfc6750';
    expect([await challenge(), await challenge('x'), await challenge(token)]).toEqual([
      'Bearer realm="bipsync"',
      'Bearer realm="bipsync", error="invalid_token"',
      'Bearer realm="bipsync", error="insufficient_scope", scope="rest_api:read"',
    ]);
  });

  test('tells nothing about paths before it has seen a token', async () => {
    const emulator = await start();
    const token = await tokenFor(emulator, 'rest_api:read');
    expect((await call(emulator, '/v2/nothing')).status).toBe(401);
    expect((await call(emulator, '/v2/nothing', token)).status).toBe(404);
    expect((await call(emulator, '/v1/research/note-99', token)).status).toBe(404);
    expect((await call(emulator, '/v1/fields', token, { method: 'PUT' })).status).toBe(405);
  });

  test('finds a note without a title a bad request', async () => {
    const emulator = await start();
    const token = await tokenFor(emulator, 'rest_api:write');
    for (const body of ['{}', '{"title":', '[]']) {
      const init = { method: 'POST', body, headers: json };
      expect((await call(emulator, '/v1/research', token, init)).status).toBe(400);
    }
  });

  test.each(['PUT', 'POST', 'PATCH', 'DELETE'])('echoes a %s, but not its token', async (method) => {
    const emulator = await start();
    const token = await tokenFor(emulator);
    const body = Buffer.from([0, 255, 10, 128]);
    const headers = { 'X-Trace': 'abc', Token: 'legacy' };
    const response = await call(emulator, '/v1/echo?a=1', token, { method, body, headers });
    const text = await response.text();
    expect(text).not.toContain(token);
    expect(JSON.parse(text)).toMatchObject({
      method,
      path: '/v1/echo?a=1',
      headers: { 'x-trace': 'abc', token: 'legacy' },
      body: { length: 4, sha256: createHash('sha256').update(body).digest('hex') },
    });
  });

  test('pages through GraphQL results by cursor', async () => {
    const emulator = await start();
    const token = await tokenFor(emulator, 'research:read');
    const titles: string[] = [];
    let after: string | null = null;
    let pages = 0;
    do {
      const body = JSON.stringify({ query: '{ research }', variables: { first: 10, after } });
      const response = await call(emulator, '/v1/graphql', token, { method: 'POST', body, headers: json });
      const { data } = (await response.json()) as {
        data: {
          research: {
            edges: { node: { id: string; title: string } }[];
            pageInfo: { hasNextPage: boolean; endCursor: string };
          };
        };
      };
      titles.push(...data.research.edges.map(({ node }) => node.title));
      after = data.research.pageInfo.hasNextPage ? data.research.pageInfo.endCursor : null;
      pages += 1;
    } while (after !== null && pages < 10);
    expect(pages).toBe(3);
    expect(titles).toEqual(Array.from({ length: 25 }, (_, index) => `Note ${index + 1}`));
  });

  test.each([
    ['no query', {}, 400],
    ['an unknown cursor', { query: '{ research }', variables: { after: 'x' } }, 200],
    ['no notes at all asked for', { query: '{ research }', variables: { first: 0 } }, 200],
  ])('answers GraphQL with %s by errors', async (_name, request, status) => {
    const emulator = await start();
    const token = await tokenFor(emulator, 'research:read');
    const init = { method: 'POST', body: JSON.stringify(request), headers: json };
    const response = await call(emulator, '/v1/graphql', token, init);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ errors: [{ message: expect.any(String) as string }] });
  });
});

describe('a token', () => {
  test.each([
    [60, 60],
    ['120', 120],
    [undefined, 3600],
    [0, 3600],
  ])('with expires_in %j is refused after %i seconds, on either clock', async (expiresIn, seconds) => {
    const emulator = await start();
    emulator.expiresIn = expiresIn;
    const token = await tokenFor(emulator);
    const status = async (): Promise<number> => (await call(emulator, '/v1/echo', token)).status;
    for (const clock of [Date, performance]) {
      const now = clock.now.bind(clock);
      const early = jest.spyOn(clock, 'now').mockImplementation(() => now() + seconds * 1000 - 5000);
      expect(await status()).toBe(200);
      early.mockImplementation(() => now() + seconds * 1000);
      expect(await status()).toBe(401);
      early.mockRestore();
    }
    expect(await status()).toBe(200);
  });

  test('stays good when the next one is issued', async () => {
    const emulator = await start();
    const tokens = [await tokenFor(emulator), await tokenFor(emulator), await tokenFor(emulator)];
    for (const token of tokens) expect((await call(emulator, '/v1/echo', token)).status).toBe(200);
  });

  test('is refused once revoked, and a new one is not', async () => {
    const emulator = await start();
    const former = [await tokenFor(emulator), await tokenFor(emulator)];
    emulator.revokeTokens();
    const present = await tokenFor(emulator);
    for (const token of former) expect((await call(emulator, '/v1/echo', token)).status).toBe(401);
    expect((await call(emulator, '/v1/echo', present)).status).toBe(200);
  });

  test('can be revoked on its way', async () => {
    const emulator = await start({ tokenDelayMs: 50, record: true });
    const answer = tokenFor(emulator);
    while (emulator.tokenLog.length === 0) await new Promise(setImmediate);
    emulator.revokeTokens();
    expect((await call(emulator, '/v1/echo', await answer)).status).toBe(401);
  });

  test('keeps its scopes and survives a new secret', async () => {
    const emulator = await start();
    const token = await tokenFor(emulator, 'rest_api:read');
    emulator.grantScopes([]);
    emulator.rotateSecret();
    expect((await call(emulator, '/v1/research', token)).status).toBe(200);
  });
});

describe('the records', () => {
  test('count requests as they arrive, good or not', async () => {
    const emulator = await start();
    await requestToken(emulator, { client_secret: 'wrong' });
    const token = await tokenFor(emulator);
    await call(emulator, '/v1/echo', token);
    await call(emulator, '/v1/echo');
    await call(emulator, '/nowhere');
    expect([emulator.tokenRequests, emulator.apiRequests]).toEqual([2, 3]);
    emulator.resetCounters();
    expect([emulator.tokenRequests, emulator.apiRequests]).toEqual([0, 0]);
  });

  test('hold what was sent and answered, but neither secret nor token', async () => {
    const emulator = await start({ record: true });
    const { clientSecret, teamId } = emulator;
    const token = await tokenFor(emulator);
    await call(emulator, '/v1/echo?q=1', token, {
      method: 'PUT',
      body: 'hello',
      headers: { 'X-Trace': 'abc' },
    });
    await call(emulator, '/v1/research', token);
    await call(emulator, '/v1/echo', 'other');
    await call(emulator, '/v1/echo');
    expect(emulator.requests).toMatchObject([
      { method: 'PUT', path: '/v1/echo?q=1', authorization: 'valid', status: 200 },
      { method: 'GET', path: '/v1/research', authorization: 'valid', status: 401 },
      { authorization: 'refused', status: 401 },
      { authorization: 'none', status: 401 },
    ]);
    expect(emulator.requests[0]?.body.toString()).toBe('hello');
    expect(emulator.requests[0]?.headers).toMatchObject({ 'x-trace': 'abc' });
    expect(emulator.tokenLog).toEqual([{ encoding: 'form', scope: `team_${teamId}`, status: 200 }]);
    const records = JSON.stringify([emulator.requests, emulator.tokenLog]);
    expect(records).not.toContain(token);
    expect(records).not.toContain(clientSecret);
    emulator.resetCounters();
    expect([emulator.requests, emulator.tokenLog]).toEqual([[], []]);
  });

  test('are refused by an emulator that keeps none', async () => {
    const emulator = await start();
    expect(() => emulator.requests).toThrow('record: true');
    expect(() => emulator.tokenLog).toThrow('record: true');
  });
});
