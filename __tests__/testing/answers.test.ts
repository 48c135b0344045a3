import { call, requestToken, start, tokenFor } from './support';

const json = { 'Content-Type': 'application/json' };
const nothingHere = { error: 'not_found', message: 'This path does not exist.' };
const noSuchNote = { error: 'not_found', message: 'This note does not exist.' };
const badRequest = (message: string): unknown => ({ error: 'bad_request', message });
const wrongMethod = (method: string): unknown => ({
  error: 'method_not_allowed',
  message: `This path does not support ${method}.`,
});
const everything = ['rest_api:read', 'rest_api:write', 'rest_api:fields:read', 'research:read'];

const userMissing = badRequest('Send a JSON object in which user is a string.');
const fileMissing = badRequest(
  'Send a JSON object in which fileName and user are strings, and length is a number.',
);
const wrongPage = badRequest('offset must be a whole number. limit must be a whole number above 0.');
const file = { fileName: 'report.pdf', length: 7, user: 'user-1' };

describe('the emulated API', () => {
  test.each<[string, string, unknown, number, unknown]>([
    ['GET', '/v1/research/note-7', undefined, 200, { id: 'note-7', title: 'Note 7' }],
    ['GET', '/v1/research/note-26', undefined, 404, noSuchNote],
    ['GET', '/v1/research?limit=0', undefined, 400, wrongPage],
    ['GET', '/v1/research?limit=', undefined, 400, wrongPage],
    ['GET', '/v1/research?limit=1.5', undefined, 400, wrongPage],
    ['GET', '/v1/research?offset=-1', undefined, 400, wrongPage],
    ['GET', '/v1/research?offset=x', undefined, 400, wrongPage],
    [
      'GET',
      '/v1/field',
      undefined,
      200,
      {
        total: 3,
        offset: 0,
        limit: 10,
        results: [
          { id: 'field-1', name: 'Rating', apiIdentifier: 'rating', contentType: 'contenttype-1' },
          { id: 'field-2', name: 'Entities', apiIdentifier: 'entities', contentType: 'contenttype-1' },
          {
            id: 'field-3',
            name: 'Target price',
            apiIdentifier: 'target_price',
            contentType: 'contenttype-1',
          },
        ],
      },
    ],
    [
      'GET',
      '/v1/contenttype?offset=1&limit=2',
      undefined,
      200,
      {
        total: 4,
        offset: 1,
        limit: 2,
        results: [
          { id: 'contenttype-2', name: 'category', displayName: 'Category' },
          { id: 'contenttype-3', name: 'contact', displayName: 'Contact' },
        ],
      },
    ],
    ['POST', '/v2/research/note', { user: 'u', title: 'A' }, 201, { user: 'u', title: 'A', id: 'note-26' }],
    ['POST', '/v2/research/note', { user: 'u', id: 'mine' }, 201, { user: 'u', id: 'note-26' }],
    ['POST', '/v2/research/note', { title: 'A' }, 400, userMissing],
    ['POST', '/v2/research/note', { user: 7 }, 400, userMissing],
    ['POST', '/v2/research/note', [], 400, userMissing],
    ['POST', '/v2/research/note', 7, 400, userMissing],
    ['POST', '/v2/research/note', null, 400, userMissing],
    ['POST', '/v2/research/note/note-1/attachment', file, 201, { ...file, id: 'attachment-1' }],
    ['POST', '/v2/research/note/note-99/attachment', file, 404, noSuchNote],
    ['POST', '/v2/research/note/note-1/attachment', { ...file, fileName: 1 }, 400, fileMissing],
    ['POST', '/v2/research/note/note-1/attachment', { ...file, length: '7' }, 400, fileMissing],
    ['POST', '/v2/research/note/note-1/attachment', { ...file, user: 1 }, 400, fileMissing],
    ['POST', '/v2/research/note/note-1/attachment', undefined, 400, fileMissing],
    ['POST', '/v3/ingest/sectors/7', [], 400, badRequest('Send a JSON object.')],
    [
      'POST',
      '/v3/ingest/sectors/7',
      { name: 'Banks' },
      400,
      badRequest('This record does not exist yet. To create it, send its documentType.'),
    ],
    [
      'POST',
      '/v3/ingest/sectors/7',
      { documentType: 'category', name: 'Banks' },
      201,
      {
        documentType: 'category',
        name: 'Banks',
        id: 'category-1',
        externalIds: [{ source: 'sectors', value: '7' }],
      },
    ],
    ['POST', '/v1/graphql', [], 400, { errors: [{ message: 'Send a JSON object with a query.' }] }],
    ['DELETE', '/v1/field', undefined, 405, wrongMethod('DELETE')],
    ['POST', '/v1/research', { user: 'u' }, 405, wrongMethod('POST')],
    ['GET', '/v2/research/note', undefined, 405, wrongMethod('GET')],
    ['GET', '/v1/fields', undefined, 404, nothingHere],
    ['GET', '/v3/projects', undefined, 404, nothingHere],
    ['GET', '/x/v1/research', undefined, 404, nothingHere],
    ['GET', '/x/v1/research/note-1', undefined, 404, nothingHere],
    ['GET', '/v1/research/note-1/x', undefined, 404, nothingHere],
    ['GET', '/x/v1/field', undefined, 404, nothingHere],
    ['GET', '/v1/field/x', undefined, 404, nothingHere],
    ['GET', '/x/v1/contenttype', undefined, 404, nothingHere],
    ['GET', '/v1/contenttype/x', undefined, 404, nothingHere],
    ['POST', '/x/v2/research/note', { user: 'u' }, 404, nothingHere],
    ['POST', '/v2/research/note/x', { user: 'u' }, 404, nothingHere],
    ['POST', '/x/v2/research/note/note-1/attachment', file, 404, nothingHere],
    ['POST', '/v2/research/note/note-1/attachment/x', file, 404, nothingHere],
    ['POST', '/x/v3/ingest/sectors/7', { documentType: 'category' }, 404, nothingHere],
    ['POST', '/v3/ingest/sectors', { documentType: 'category' }, 404, nothingHere],
    ['POST', '/v3/ingest/sectors/7/x', { documentType: 'category' }, 404, nothingHere],
    ['POST', '/x/v1/graphql', { query: 'q' }, 404, nothingHere],
    ['POST', '/v1/graphql/x', { query: 'q' }, 404, nothingHere],
    ['GET', '/x/v1/echo', undefined, 404, nothingHere],
    ['GET', '/v1/echo/x', undefined, 404, nothingHere],
  ])(
    'answers %s %s with the body %j in exactly these words',
    async (method, path, sent, status, answered) => {
      const emulator = await start();
      const token = await tokenFor(emulator, ...everything);
      const body = sent === undefined ? null : JSON.stringify(sent);
      const response = await call(emulator, path, token, { method, body, headers: json });
      expect({ status: response.status, body: await response.json() }).toEqual({ status, body: answered });
    },
  );

  test('explains a 401 like league/oauth2-server, in the hint, and in a challenge only if asked to', async () => {
    const emulator = await start({ challenge: 'rfc6750' });
    const tokens = [undefined, 'x', await tokenFor(emulator, 'rest_api:read')];
    const refusals = async (): Promise<unknown[]> => {
      const responses = await Promise.all(tokens.map((token) => call(emulator, '/v1/field', token)));
      return Promise.all(
        responses.map(async (response) => {
          expect(response.status).toBe(401);
          const { hint, ...others } = (await response.json()) as Record<string, unknown>;
          expect(others).toEqual({
            error: 'access_denied',
            error_description: 'The server denied the request.',
            message: 'The server denied the request.',
          });
          return [hint, response.headers.get('www-authenticate')];
        }),
      );
    };
    expect(await refusals()).toEqual([
      ['The Authorization header is missing.', 'Bearer realm="bipsync"'],
      ['The access token is not valid.', 'Bearer realm="bipsync", error="invalid_token"'],
      [
        'The access token lacks a scope: rest_api:fields:read',
        'Bearer realm="bipsync", error="insufficient_scope", scope="rest_api:fields:read"',
      ],
    ]);
    emulator.challenge = 'none';
    expect(await refusals()).toMatchObject([
      [expect.any(String), null],
      [expect.any(String), null],
      [expect.any(String), null],
    ]);
  });

  test('opens GraphQL to any one of the scopes that Bipsync documents for it', async () => {
    const emulator = await start({ challenge: 'rfc6750' });
    const response = await call(emulator, '/v1/graphql', await tokenFor(emulator), { method: 'POST' });
    const challenge = String(response.headers.get('www-authenticate'));
    expect(/scope="(.*)"/.exec(challenge)?.[1]).toBe(
      'attachments:read categories:read classifications:read comments:read contacts:read events:read ' +
        'external_ids:read fields:read groups:read note_templates:read pipelines:read projects:read research:read ' +
        'tasks:read users:read versions:read',
    );
  });

  test.each<[string, string, number]>([
    ['after two spaces', 'Bearer  TOKEN', 200],
    ['after a lower-case scheme', 'bearer TOKEN', 200],
    ['after another word', 'x Bearer TOKEN', 401],
    ['without a space before it', 'BearerTOKEN', 401],
  ])('reads a token %s: "%s" gets %i', async (_how, authorization, status) => {
    const emulator = await start();
    const headers = {
      Authorization: authorization.replace('TOKEN', await tokenFor(emulator, 'rest_api:read')),
    };
    expect((await call(emulator, '/v1/research', undefined, { headers })).status).toBe(status);
  });
});

describe('the emulated token endpoint', () => {
  const url = '/v1/oauth/token';
  const form = (body: string): RequestInit => ({ method: 'POST', body: new URLSearchParams(body) });
  const rule =
    'Send a form, or a JSON object whose values are strings. Set the matching Content-Type, and send each parameter once.';
  const malformed = 'The request is malformed.';

  test.each<[string, RequestInit, number, string, string, string | undefined]>([
    ['GET', {}, 405, 'invalid_request', malformed, 'Send a POST request.'],
    [
      'plain text',
      { method: 'POST', body: 'grant_type=client_credentials' },
      400,
      'invalid_request',
      malformed,
      rule,
    ],
    [
      'JSON with another content type',
      {
        method: 'POST',
        body: '{"grant_type":"client_credentials"}',
        headers: { 'Content-Type': 'text/json' },
      },
      400,
      'invalid_request',
      malformed,
      rule,
    ],
    ['null', { method: 'POST', body: 'null', headers: json }, 400, 'invalid_request', malformed, rule],
    ['a number', { method: 'POST', body: '{"a":1}', headers: json }, 400, 'invalid_request', malformed, rule],
    ['an empty form', form(''), 400, 'invalid_request', malformed, 'grant_type is missing.'],
    [
      'another grant type',
      form('grant_type=password'),
      400,
      'unsupported_grant_type',
      'The server does not support this grant type.',
      'grant_type must be client_credentials.',
    ],
    [
      'an unknown client',
      form('grant_type=client_credentials'),
      401,
      'invalid_client',
      'The client is unknown, or its secret is wrong.',
      undefined,
    ],
  ])(
    'refuses %s in the shape of league/oauth2-server, in exactly these words',
    async (_what, init, status, error, description, hint) => {
      const emulator = await start();
      const response = await fetch(emulator.url + url, init);
      expect({ status: response.status, body: await response.json() }).toEqual({
        status,
        body: {
          error,
          error_description: description,
          message: description,
          ...(hint !== undefined && { hint }),
        },
      });
    },
  );

  test('grants a token that reaches nothing to a request without a scope parameter', async () => {
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

  test('gives the answer of a fault its content type, and rejects a fault for half a request', async () => {
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
