import { createHash } from 'node:crypto';

import { oauthError } from './answers';
import type { EmulatorAnswer } from './answers';
import { queryResearch } from './graphql';
import type { Note } from './graphql';
import { jsonObject } from './json';
import type { JsonObject, JsonValue } from './json';
import type { RecordedApiRequest } from './recordings';
import { graphqlScopes } from './scopes';

/** An API request and the scopes of its token, if that token is valid. */
export interface ApiCall extends Omit<RecordedApiRequest, 'status'> {
  scopes: ReadonlySet<string> | undefined;
}

/** The `WWW-Authenticate` header of the API's 401s: none, or with an error of RFC 6750. */
export type EmulatorChallenge = 'none' | 'rfc6750';

/** Answers one API request. */
type EmulatedApi = (call: ApiCall, teamScope: string, challenge: EmulatorChallenge) => EmulatorAnswer;

interface Route {
  path: RegExp;
  /** Any method if absent. */
  method?: string;
  /** The token needs one of these; none if absent. */
  scopes?: readonly string[];
  /** The strings are what the path's groups matched. */
  answer(call: ApiCall, ...groups: string[]): EmulatorAnswer;
}

const contentTypes = ['note', 'category', 'contact', 'project'].map((name, index) => ({
  id: `contenttype-${index + 1}`,
  name,
  displayName: name.charAt(0).toUpperCase() + name.slice(1),
}));

const fields = ['Rating', 'Entities', 'Target price'].map((name, index) => ({
  id: `field-${index + 1}`,
  name,
  apiIdentifier: name.toLowerCase().replaceAll(' ', '_'),
  contentType: 'contenttype-1',
}));

/** emulatedApi is the API of one emulator: it keeps the notes and records that are created. */
export function emulatedApi(): EmulatedApi {
  const notes: Note[] = Array.from({ length: 25 }, (_, index) => ({
    id: `note-${index + 1}`,
    title: `Note ${index + 1}`,
  }));
  const records = new Map<string, JsonObject>();
  let attachments = 0;

  const routes: readonly Route[] = [
    get(/^\/v1\/field$/, 'rest_api:fields:read', (call) => listed(fields, call)),
    get(/^\/v1\/contenttype$/, 'rest_api:read', (call) => listed(contentTypes, call)),
    get(/^\/v1\/research$/, 'rest_api:read', (call) => listed(notes, call)),
    get(/^\/v1\/research\/([^/]+)$/, 'rest_api:read', (_call, id) => {
      const note = notes.find((candidate) => candidate.id === id);
      return note ? ok(note) : noSuchNote;
    }),
    post(/^\/v2\/research\/note$/, createNote),
    post(/^\/v2\/research\/note\/([^/]+)\/attachment$/, attach),
    post(/^\/v3\/ingest\/([^/]+)\/([^/]+)$/, ingest),
    {
      path: /^\/v1\/graphql$/,
      method: 'POST',
      scopes: graphqlScopes,
      answer: ({ body }) => queryResearch(notes, body),
    },
    { path: /^\/v1\/echo$/, answer: echo },
  ];

  function createNote({ body }: ApiCall): EmulatorAnswer {
    const note = jsonObject(body);
    if (typeof note?.['user'] !== 'string')
      return badRequest('Send a JSON object in which user is a string.');
    const created = { ...note, id: `note-${notes.length + 1}` };
    notes.push(created);
    return { status: 201, body: created };
  }

  function attach({ body }: ApiCall, id: string): EmulatorAnswer {
    if (!notes.some((note) => note.id === id)) return noSuchNote;
    const attachment = jsonObject(body);
    const { fileName, length, user } = attachment ?? {};
    if (typeof fileName !== 'string' || typeof length !== 'number' || typeof user !== 'string') {
      return badRequest('Send a JSON object in which fileName and user are strings, and length is a number.');
    }
    attachments += 1;
    return { status: 201, body: { ...attachment, id: `attachment-${attachments}` } };
  }

  function ingest({ body }: ApiCall, source: string, value: string): EmulatorAnswer {
    const changes = jsonObject(body);
    if (!changes) return badRequest('Send a JSON object.');
    const key = `${source}/${value}`;
    const known = records.get(key);
    const documentType = known ? known['documentType'] : changes['documentType'];
    if (typeof documentType !== 'string') {
      return badRequest('This record does not exist yet. To create it, send its documentType.');
    }
    const id = known?.['id'] ?? `${documentType}-${records.size + 1}`;
    const record = { ...known, ...changes, documentType, id, externalIds: [{ source, value }] };
    records.set(key, record);
    return { status: known ? 200 : 201, body: record };
  }

  return (call, teamScope, challenge) => {
    const { scopes } = call;
    const unauthorized = (hint: string, detail: string): EmulatorAnswer => ({
      status: 401,
      headers:
        challenge === 'rfc6750' ? { 'WWW-Authenticate': `Bearer realm="bipsync"${detail}` } : undefined,
      body: oauthError('access_denied', 'The server denied the request.', hint),
    });
    // RFC 6750 §3.1: no error code for a request without authentication.
    if (call.authorization === 'none') return unauthorized('The Authorization header is missing.', '');
    if (!scopes) return unauthorized('The access token is not valid.', ', error="invalid_token"');

    const lacksScope = (needed: string): EmulatorAnswer =>
      unauthorized(
        `The access token lacks a scope: ${needed}`,
        `, error="insufficient_scope", scope="${needed}"`,
      );
    if (!scopes.has(teamScope)) return lacksScope(teamScope);

    const path = String(call.path.split('?', 1)[0]);
    const candidates = routes.filter((route) => route.path.test(path));
    if (candidates.length === 0) return failure(404, 'not_found', 'This path does not exist.');
    const route = candidates.find(({ method }) => method === undefined || method === call.method);
    if (!route) return failure(405, 'method_not_allowed', `This path does not support ${call.method}.`);
    if (route.scopes && !route.scopes.some((scope) => scopes.has(scope))) {
      return lacksScope(route.scopes.join(' '));
    }
    return route.answer(call, ...(route.path.exec(path) ?? []).slice(1));
  };
}

function get(path: RegExp, scope: string, answer: Route['answer']): Route {
  return { path, method: 'GET', scopes: [scope], answer };
}

function post(path: RegExp, answer: Route['answer']): Route {
  return { path, method: 'POST', scopes: ['rest_api:write'], answer };
}

/** One page of a list, as `offset` and `limit` ask for it. */
function listed(items: readonly JsonObject[], call: ApiCall): EmulatorAnswer {
  const query = new URLSearchParams(call.path.split('?')[1]);
  const offset = Number(query.get('offset') ?? 0);
  const limit = Number(query.get('limit') ?? 10);
  if (!(Number.isInteger(offset) && offset >= 0 && Number.isInteger(limit) && limit > 0)) {
    return badRequest('offset must be a whole number. limit must be a whole number above 0.');
  }
  return ok({ total: items.length, offset, limit, results: items.slice(offset, offset + limit) });
}

function echo({ method, path, headers, body }: ApiCall): EmulatorAnswer {
  const sha256 = createHash('sha256').update(body).digest('hex');
  const sent = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return ok({
    method,
    path,
    headers: Object.fromEntries(sent) as Record<string, string>,
    body: { sha256, length: body.length },
  });
}

function ok(body: JsonValue): EmulatorAnswer {
  return { status: 200, body };
}

const noSuchNote = failure(404, 'not_found', 'This note does not exist.');

function badRequest(message: string): EmulatorAnswer {
  return failure(400, 'bad_request', message);
}

/** Assumed: Bipsync documents the statuses, but no bodies. */
function failure(status: number, error: string, message: string): EmulatorAnswer {
  return { status, body: { error, message } };
}
