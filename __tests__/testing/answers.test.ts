import { mockBipsyncToken } from '../../src/testing';
import { call, requestToken, start, tokenFor } from './support';

const json = { 'Content-Type': 'application/json' };
const notes = Array.from({ length: 25 }, (_, index) => ({
  id: `note-${index + 1}`,
  title: `Note ${index + 1}`,
}));
const nothingHere = { error: 'not_found', message: 'There is nothing here.' };
const everything = ['rest_api:read', 'rest_api:write', 'rest_api:fields:read', 'research:read'];

describe('the emulated API answers, word for word,', () => {
  test.each<[string, string, unknown, number, unknown]>([
    ['GET', '/v1/research', undefined, 200, { data: notes }],
    ['GET', '/v1/research/note-7', undefined, 200, { data: { id: 'note-7', title: 'Note 7' } }],
    [
      'GET',
      '/v1/research/note-26',
      undefined,
      404,
      { error: 'not_found', message: 'There is no such note.' },
    ],
    ['POST', '/v1/research', { title: 'New' }, 201, { data: { id: 'note-26', title: 'New' } }],
    ['POST', '/v1/research', [], 400, { error: 'bad_request', message: 'Send a JSON object with a title.' }],
    ['POST', '/v1/research', 7, 400, { error: 'bad_request', message: 'Send a JSON object with a title.' }],
    [
      'POST',
      '/v1/research',
      null,
      400,
      { error: 'bad_request', message: 'Send a JSON object with a title.' },
    ],
    ['GET', '/v1/fields', undefined, 200, { data: [{ id: 'field-1', name: 'Rating' }] }],
    ['GET', '/v3/projects', undefined, 200, { data: [{ id: 'project-1', name: 'Project 1' }] }],
    ['POST', '/v1/graphql', [], 400, { errors: [{ message: 'Send a JSON object with a query.' }] }],
    [
      'POST',
      '/v1/graphql',
      { query: 'q', variables: { first: 0 } },
      200,
      { errors: [{ message: 'first must be above 0, after an endCursor.' }] },
    ],
    [
      'DELETE',
      '/v1/fields',
      undefined,
      405,
      { error: 'method_not_allowed', message: 'DELETE does not work here.' },
    ],
    ['GET', '/x/v1/research', undefined, 404, nothingHere],
    ['POST', '/x/v1/research', { title: 'x' }, 404, nothingHere],
    [
      'POST',
      '/v1/research/x',
      { title: 'x' },
      405,
      { error: 'method_not_allowed', message: 'POST does not work here.' },
    ],
    ['GET', '/x/v1/research/note-1', undefined, 404, nothingHere],
    ['GET', '/v1/research/note-1/x', undefined, 404, nothingHere],
    ['GET', '/x/v1/fields', undefined, 404, nothingHere],
    ['GET', '/v1/fields/x', undefined, 404, nothingHere],
    ['GET', '/x/v3/projects', undefined, 404, nothingHere],
    ['GET', '/v3/projects/x', undefined, 404, nothingHere],
    ['POST', '/x/v1/graphql', { query: 'q' }, 404, nothingHere],
    ['POST', '/v1/graphql/x', { query: 'q' }, 404, nothingHere],
    ['GET', '/x/v1/echo', undefined, 404, nothingHere],
    ['GET', '/v1/echo/x', undefined, 404, nothingHere],
  ])('%s %s with %j', async (method, path, sent, status, answered) => {
    const emulator = await start();
    const token = await tokenFor(emulator, ...everything);
    const body = sent === undefined ? null : JSON.stringify(sent);
    const response = await call(emulator, path, token, { method, body, headers: json });
    expect({ status: response.status, body: await response.json() }).toEqual({ status, body: answered });
  });

  test('a refusal', async () => {
    const emulator = await start({ challenge: 'rfc6750' });
    const refused = async (token?: string): Promise<unknown[]> => {
      const response = await call(emulator, '/v1/graphql', token, { method: 'POST', body: '{}' });
      const { error, message } = (await response.json()) as Record<string, unknown>;
      return [error, message, response.headers.get('www-authenticate')];
    };
    const { scopes } = await scopesOf('/v1/graphql');
    expect([
      await refused(),
      await refused('x'),
      await refused(await tokenFor(emulator, 'rest_api:read')),
    ]).toEqual([
      ['access_denied', 'No access token.', 'Bearer realm="bipsync"'],
      ['access_denied', 'The access token is not valid.', 'Bearer realm="bipsync", error="invalid_token"'],
      [
        'access_denied',
        'The access token lacks a scope.',
        `Bearer realm="bipsync", error="insufficient_scope", scope="${scopes}"`,
      ],
    ]);
  });

  /** What a path says that it needs. */
  async function scopesOf(path: string): Promise<{ scopes: string }> {
    const emulator = await start({ challenge: 'rfc6750' });
    const response = await call(emulator, path, await tokenFor(emulator), { method: 'POST' });
    const challenge = response.headers.get('www-authenticate');
    return { scopes: /scope="(.*)"/.exec(String(challenge))?.[1] ?? '' };
  }

  test('the scopes that open GraphQL, any one of them', async () => {
    expect((await scopesOf('/v1/graphql')).scopes).toBe(
      'attachments:read categories:read classifications:read comments:read contacts:read events:read ' +
        'external_ids:read fields:read groups:read note_templates:read pipelines:read projects:read research:read ' +
        'tasks:read users:read versions:read',
    );
  });

  test.each<[string, string, number]>([
    ['twice the space', 'Bearer  TOKEN', 200],
    ['in small letters', 'bearer TOKEN', 200],
    ['after something else', 'x Bearer TOKEN', 401],
    ['without a space', 'BearerTOKEN', 401],
  ])('a token %s', async (_how, authorization, status) => {
    const emulator = await start();
    const headers = {
      Authorization: authorization.replace('TOKEN', await tokenFor(emulator, 'rest_api:read')),
    };
    expect((await call(emulator, '/v1/research', undefined, { headers })).status).toBe(status);
  });
});

describe('the emulated token endpoint answers, word for word,', () => {
  const url = '/v1/oauth/token';
  const form = (body: string): RequestInit => ({ method: 'POST', body: new URLSearchParams(body) });
  const rule = 'Send a form or a JSON object of strings, with its Content-Type and each parameter once.';

  test.each<[string, RequestInit, number, string, string]>([
    ['GET', {}, 405, 'invalid_request', 'Send a POST request.'],
    ['text', { method: 'POST', body: 'grant_type=client_credentials' }, 400, 'invalid_request', rule],
    [
      'JSON called something else',
      {
        method: 'POST',
        body: '{"grant_type":"client_credentials"}',
        headers: { 'Content-Type': 'text/json' },
      },
      400,
      'invalid_request',
      rule,
    ],
    ['JSON that is null', { method: 'POST', body: 'null', headers: json }, 400, 'invalid_request', rule],
    ['JSON with a number', { method: 'POST', body: '{"a":1}', headers: json }, 400, 'invalid_request', rule],
    ['nothing', form(''), 400, 'invalid_request', 'grant_type is missing.'],
    [
      'another grant',
      form('grant_type=password'),
      400,
      'unsupported_grant_type',
      'grant_type must be client_credentials.',
    ],
    [
      'a stranger',
      form('grant_type=client_credentials'),
      401,
      'invalid_client',
      'Client authentication failed.',
    ],
  ])('%s', async (_what, init, status, error, error_description) => {
    const emulator = await start();
    const response = await fetch(emulator.url + url, init);
    expect({ status: response.status, body: await response.json() }).toEqual({
      status,
      body: { error, error_description },
    });
  });

  test('and grants nothing to a request without a scope parameter', async () => {
    const emulator = await start({ record: true });
    const { clientId, clientSecret } = emulator;
    const body = JSON.stringify({
      ...{ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret },
    });
    const response = await fetch(emulator.url + url, { method: 'POST', body, headers: json });
    expect(response.status).toBe(200);
    const { access_token } = (await response.json()) as { access_token: string };
    expect((await call(emulator, '/v1/research', access_token)).status).toBe(401);
    expect(emulator.tokenLog).toEqual([{ encoding: 'json', scope: undefined, status: 200 }]);
  });

  test('an answer of a fault says what it is', async () => {
    const emulator = await start();
    emulator.failTokenRequests({ status: 503, body: 'later' });
    const text = await requestToken(emulator);
    expect(text.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    emulator.failTokenRequests({ status: 503, body: new Uint8Array([1]) });
    const bytes = await requestToken(emulator);
    expect(bytes.headers.get('content-type')).toBe('application/octet-stream');
    expect(() => emulator.failTokenRequests('stall', 0.5)).toThrow(
      'times must be a whole number above 0, or Infinity',
    );
  });
});

describe('a mocked token', () => {
  test('has a name that tells what it is, and a mock that hides its handlers takes it too', () => {
    const urls: (string | RegExp)[] = [];
    const token = mockBipsyncToken({
      onPost: (url) => {
        urls.push(url);
        return { reply: () => undefined };
      },
    });
    expect(token.accessToken).toBe('mocked-bipsync-token');
    expect(urls.map(String)).toEqual([String.raw`/\/v1\/oauth\/token$/`]);
  });
});
