import { createHash } from 'node:crypto';

import type { AnsweredRequest } from '../../src/testing';
import { call, requestToken, start, tokenFor } from './support';

const json = { 'Content-Type': 'application/json' };
const noteTitles = Array.from({ length: 25 }, (_, index) => `Note ${index + 1}`);

describe('the emulated API', () => {
  test.each([
    ['GET', '/v1/research', 'rest_api:read', 200],
    ['GET', '/v1/research?limit=1', 'rest_api:read', 200],
    ['GET', '/v1/research/note-1', 'rest_api:read', 200],
    ['GET', '/v1/contenttype', 'rest_api:read', 200],
    ['GET', '/v1/field', 'rest_api:fields:read', 200],
    ['POST', '/v2/research/note', 'rest_api:write', 201],
    ['POST', '/v2/research/note/note-1/attachment', 'rest_api:write', 201],
    ['POST', '/v3/ingest/sectors/7', 'rest_api:write', 201],
    ['POST', '/v1/graphql', 'tasks:read', 200],
  ])('answers %s %s to a token with the scope %s and to no other', async (method, path, scope, status) => {
    const emulator = await start();
    const others = ['rest_api:read', 'rest_api:fields:read', 'rest_api:write', 'users:read'].filter(
      (other) => other !== scope && !(scope === 'tasks:read' && other === 'users:read'),
    );
    const sent = { user: 'u', query: '{ research }', documentType: 'category', fileName: 'a', length: 1 };
    const init = { method, body: method === 'POST' ? JSON.stringify(sent) : null, headers: json };
    const good = await call(emulator, path, await tokenFor(emulator, scope), init);
    expect(good.status).toBe(status);
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

  test('reveals nothing about its paths before it has seen a token', async () => {
    const emulator = await start();
    const token = await tokenFor(emulator, 'rest_api:read');
    expect((await call(emulator, '/v2/nothing')).status).toBe(401);
    expect((await call(emulator, '/v2/nothing', token)).status).toBe(404);
    expect((await call(emulator, '/v1/research/note-99', token)).status).toBe(404);
    expect((await call(emulator, '/v1/field', token, { method: 'PUT' })).status).toBe(405);
  });

  test('pages through a list by offset and limit, ten results by default', async () => {
    const emulator = await start();
    const token = await tokenFor(emulator, 'rest_api:read');
    const titles: string[] = [];
    const pages: number[] = [];
    for (let total = Infinity; titles.length < total;) {
      const response = await call(emulator, `/v1/research?offset=${titles.length}`, token);
      const page = (await response.json()) as {
        total: number;
        offset: number;
        limit: number;
        results: { title: string }[];
      };
      expect(page).toMatchObject({ total: 25, offset: titles.length, limit: 10 });
      titles.push(...page.results.map(({ title }) => title));
      pages.push(page.results.length);
      total = page.total;
    }
    expect(pages).toEqual([10, 10, 5]);
    expect(titles).toEqual(noteTitles);
  });

  test('keeps a note that was created, for its list, its own path and its attachments', async () => {
    const emulator = await start();
    const token = await tokenFor(emulator, 'rest_api:read', 'rest_api:write');
    const send = async (path: string, sent: object): Promise<unknown> => {
      const init = { method: 'POST', body: JSON.stringify(sent), headers: json };
      return (await call(emulator, path, token, init)).json();
    };
    const note = { id: 'note-26', user: 'u', title: 'New' };
    expect(await send('/v2/research/note', { user: 'u', title: 'New' })).toEqual(note);
    expect(await send('/v2/research/note', { user: 'u' })).toHaveProperty('id', 'note-27');
    const file = { fileName: 'a.pdf', length: 3, user: 'u' };
    expect(await send('/v2/research/note/note-26/attachment', file)).toHaveProperty('id', 'attachment-1');
    expect(await send('/v2/research/note/note-26/attachment', file)).toHaveProperty('id', 'attachment-2');
    expect(await (await call(emulator, '/v1/research/note-26', token)).json()).toEqual(note);
    const list = await call(emulator, '/v1/research?offset=25', token);
    expect(await list.json()).toMatchObject({ total: 27, results: [note, { id: 'note-27' }] });

    const other = await start();
    const others = await call(other, '/v1/research', await tokenFor(other, 'rest_api:read'));
    expect(await others.json()).toHaveProperty('total', 25);
  });

  test('creates a record at its first ingest and updates it at the next', async () => {
    const emulator = await start();
    const token = await tokenFor(emulator, 'rest_api:write');
    const ingest = async (path: string, sent: object): Promise<unknown> => {
      const init = { method: 'POST', body: JSON.stringify(sent), headers: json };
      const response = await call(emulator, path, token, init);
      return { status: response.status, body: await response.json() };
    };
    const documentType = 'category';
    const externalIds = [{ source: 'sectors', value: '7' }];
    const record = { documentType, id: 'category-1', externalIds };
    expect(await ingest('/v3/ingest/sectors/7', { documentType, name: 'Bank', rank: 1 })).toEqual({
      status: 201,
      body: { ...record, name: 'Bank', rank: 1 },
    });
    expect(await ingest('/v3/ingest/sectors/7', { documentType: 7, name: 'Banks' })).toEqual({
      status: 200,
      body: { ...record, name: 'Banks', rank: 1 },
    });
    expect(await ingest('/v3/ingest/sectors/8', { documentType })).toMatchObject({
      status: 201,
      body: { id: 'category-2' },
    });
  });

  test('answers every request with 403 while it does not permit the IP address', async () => {
    const emulator = await start();
    const token = await tokenFor(emulator, 'rest_api:read');
    emulator.permitsIpAddress = false;
    const refused = await call(emulator, '/v1/research', token);
    expect(refused.status).toBe(403);
    expect(await refused.json()).toEqual({
      error: 'forbidden',
      message: 'This IP address is not permitted to use the API.',
    });
    expect((await call(emulator, '/v1/research')).status).toBe(403);
    expect((await requestToken(emulator)).status).toBe(403);
    emulator.permitsIpAddress = true;
    expect((await call(emulator, '/v1/research', token)).status).toBe(200);
    const strict = await start({ permitsIpAddress: false });
    expect((await requestToken(strict)).status).toBe(403);
  });

  test.each(['PUT', 'POST', 'PATCH', 'DELETE'])('echoes a %s request without its token', async (method) => {
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

  interface Connection {
    edges: { cursor: string; node: { id: string; title: string } }[];
    pageInfo: { hasPreviousPage: boolean; hasNextPage: boolean; startCursor: string; endCursor: string };
  }

  /** What GraphQL answers to these variables. */
  async function researchPages(): Promise<
    (variables?: unknown) => Promise<{ research: Connection; titles: string[] }>
  > {
    const emulator = await start();
    const token = await tokenFor(emulator, 'research:read');
    return async (variables) => {
      const body = JSON.stringify({ query: '{ research }', variables });
      const response = await call(emulator, '/v1/graphql', token, { method: 'POST', body, headers: json });
      expect(response.status).toBe(200);
      const { research } = ((await response.json()) as { data: { research: Connection } }).data;
      return { research, titles: research.edges.map(({ node }) => node.title) };
    };
  }

  test('pages through GraphQL results forwards by first and after, ten by default', async () => {
    const page = await researchPages();
    const first = await page();
    expect(first.titles).toEqual(noteTitles.slice(0, 10));
    expect(first.research.pageInfo).toEqual({
      hasPreviousPage: false,
      hasNextPage: true,
      startCursor: first.research.edges[0]?.cursor,
      endCursor: first.research.edges[9]?.cursor,
    });
    const second = await page({ first: 14, after: first.research.pageInfo.endCursor, last: null });
    expect(second.titles).toEqual(noteTitles.slice(10, 24));
    expect(second.research.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: true });
    const third = await page({ first: 1, after: second.research.pageInfo.endCursor, before: null });
    expect(third.titles).toEqual(noteTitles.slice(24));
    expect(third.research.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: false });
  });

  test('pages through GraphQL results backwards by last and before', async () => {
    const page = await researchPages();
    const last = await page({ last: 10 });
    expect(last.titles).toEqual(noteTitles.slice(15));
    expect(last.research.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: false });
    const former = await page({ last: 16, before: last.research.pageInfo.startCursor });
    expect(former.titles).toEqual(noteTitles.slice(0, 15));
    expect(former.research.pageInfo).toMatchObject({ hasPreviousPage: false, hasNextPage: true });
    const nothing = await page({ before: former.research.pageInfo.startCursor });
    expect(nothing.titles).toEqual([]);
    expect(nothing.research.pageInfo).toMatchObject({ startCursor: null, endCursor: null });
  });

  const wrongCursor = '"after" and "before" must be cursors from an earlier answer.';
  const wrongCount = '"first" and "last" must be above 0.';
  test.each([
    [{ after: 'x' }, wrongCursor],
    [{ before: 'x' }, wrongCursor],
    [{ first: 0 }, wrongCount],
    [{ last: -1 }, wrongCount],
    [{ first: 'x' }, wrongCount],
  ])('answers a GraphQL query with the variables %j by errors', async (variables, message) => {
    const emulator = await start();
    const token = await tokenFor(emulator, 'research:read');
    const body = JSON.stringify({ query: '{ research }', variables });
    const response = await call(emulator, '/v1/graphql', token, { method: 'POST', body, headers: json });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ errors: [{ message }] });
  });
});

describe('a token of the emulator', () => {
  test.each([
    [60, 60],
    ['120', 120],
    [undefined, 3600],
    [0, 3600],
  ])('with expires_in %j is refused after %i seconds on either clock', async (expiresIn, seconds) => {
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

  test('stays valid when the next one is issued', async () => {
    const emulator = await start();
    const tokens = [await tokenFor(emulator), await tokenFor(emulator), await tokenFor(emulator)];
    for (const token of tokens) expect((await call(emulator, '/v1/echo', token)).status).toBe(200);
  });

  test('is refused after revokeTokens(), while a later one is accepted', async () => {
    const emulator = await start();
    const former = [await tokenFor(emulator), await tokenFor(emulator)];
    emulator.revokeTokens();
    const present = await tokenFor(emulator);
    for (const token of former) expect((await call(emulator, '/v1/echo', token)).status).toBe(401);
    expect((await call(emulator, '/v1/echo', present)).status).toBe(200);
  });

  test('can be revoked before it reaches the client', async () => {
    const emulator = await start({ tokenDelayMs: 50, record: true });
    const answer = tokenFor(emulator);
    while (emulator.tokenLog.length === 0) await new Promise(setImmediate);
    emulator.revokeTokens();
    expect((await call(emulator, '/v1/echo', await answer)).status).toBe(401);
  });

  test('keeps its scopes after grantScopes() and stays valid after rotateSecret()', async () => {
    const emulator = await start();
    const token = await tokenFor(emulator, 'rest_api:read');
    emulator.grantScopes([]);
    emulator.rotateSecret();
    expect((await call(emulator, '/v1/research', token)).status).toBe(200);
  });
});

describe('the emulator', () => {
  test('counts requests as they arrive, whatever becomes of them', async () => {
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

  test('records what was sent and answered, but neither secret nor token', async () => {
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

  test('throws if records are read that it was not asked to keep', async () => {
    const emulator = await start();
    expect(() => emulator.requests).toThrow('record: true');
    expect(() => emulator.tokenLog).toThrow('record: true');
  });

  test('calls onRequest once for each request with what a log may hold, and with no token or secret', async () => {
    const seen: AnsweredRequest[] = [];
    const emulator = await start({ onRequest: (request) => seen.push(request) });
    const token = await tokenFor(emulator, 'rest_api:read');
    await requestToken(emulator, { scope: 'x' });
    const { clientSecret } = emulator;
    await fetch(`${emulator.url}/v1/oauth/token?client_secret=${clientSecret}`, { method: 'PUT' });
    await call(emulator, '/v1/research?limit=1', token);
    await call(emulator, '/v1/field', token);
    await call(emulator, `/v1/${token}/x?access_token=${token}`);
    await call(emulator, `/v1/research/${'x'.repeat(40)}`, token, { method: 'HEAD' });
    emulator.failApiRequests({ status: 503, body: { error: `no code ${token}` } });
    emulator.failApiRequests({ status: 503, body: 'text' });
    await call(emulator, '/v1/echo', 'x');
    await call(emulator, '/v1/echo', 'x');
    emulator.failApiRequests('reset');
    await call(emulator, '/v1/echo', 'x').catch(() => undefined);
    const lines = seen.map(
      ({ endpoint, method, path, authorization = '-', status = '-', error = '-' }) =>
        `${endpoint} ${method} ${path} ${authorization} ${status} ${error}`,
    );
    expect(lines).toEqual([
      'token POST /v1/oauth/token - 200 -',
      'token POST /v1/oauth/token - 400 invalid_scope',
      'token PUT /v1/oauth/token - 405 invalid_request',
      'api GET /v1/research valid 200 -',
      'api GET /v1/field valid 401 access_denied',
      'api GET /v1/…/x none 401 access_denied',
      `api HEAD /v1/research/${'x'.repeat(40)} valid 405 method_not_allowed`,
      'api GET /v1/echo refused 503 -',
      'api GET /v1/echo refused 503 -',
      'api GET /v1/echo refused - -',
    ]);
    expect(JSON.stringify(seen)).not.toContain(token);
    expect(JSON.stringify(seen)).not.toContain(clientSecret);
  });

  test('goes on if onRequest throws', async () => {
    const emulator = await start({
      onRequest: () => {
        throw new Error('no space left for the log');
      },
    });
    expect((await requestToken(emulator)).status).toBe(200);
    expect((await call(emulator, '/v1/echo')).status).toBe(401);
  });

  test('takes no option from a polluted Object.prototype', async () => {
    const polluted = {
      clientSecret: 'x',
      narrowsScopes: true,
      redirectTo: 'http://127.0.0.1:1/',
      delayMs: 1,
    };
    Object.assign(Object.prototype, polluted);
    try {
      const emulator = await start({});
      expect(emulator.clientSecret).not.toBe('x');
      expect((await requestToken(emulator, { scope: `team_${emulator.teamId} y` })).status).toBe(400);
      emulator.failTokenRequests({ status: 503 });
      const failed = await requestToken(emulator);
      expect([failed.status, failed.headers.get('location')]).toEqual([503, null]);
    } finally {
      for (const name of Object.keys(polluted)) Reflect.deleteProperty(Object.prototype, name);
    }
  });
});
