import { createHash } from 'node:crypto';

import type { EmulatorAnswer, JsonValue } from './answers';
import type { RecordedApiRequest } from './recordings';
import { graphqlScopes } from './scopes';

/** An API request and the scopes of its token, if that is a good one. */
export interface ApiCall extends Omit<RecordedApiRequest, 'status'> {
  scopes: ReadonlySet<string> | undefined;
}

/** How the API's 401s explain themselves in `WWW-Authenticate`. */
export type EmulatorChallenge = 'none' | 'rfc6750';

interface Route {
  path: RegExp;
  /** Any method where absent. */
  method?: string;
  /** One of these is needed; none where absent. */
  scopes?: readonly string[];
  answer(call: ApiCall, id: string): EmulatorAnswer;
}

const notes = Array.from({ length: 25 }, (_, index) => ({
  id: `note-${index + 1}`,
  title: `Note ${index + 1}`,
}));

const routes: readonly Route[] = [
  { path: /^\/v1\/research$/, method: 'GET', scopes: ['rest_api:read'], answer: () => ok({ data: notes }) },
  { path: /^\/v1\/research$/, method: 'POST', scopes: ['rest_api:write'], answer: createNote },
  { path: /^\/v1\/research\/([^/]+)$/, method: 'GET', scopes: ['rest_api:read'], answer: readNote },
  {
    path: /^\/v1\/fields$/,
    method: 'GET',
    scopes: ['rest_api:fields:read'],
    answer: () => ok({ data: [{ id: 'field-1', name: 'Rating' }] }),
  },
  {
    path: /^\/v3\/projects$/,
    method: 'GET',
    scopes: ['rest_api:read'],
    answer: () => ok({ data: [{ id: 'project-1', name: 'Project 1' }] }),
  },
  { path: /^\/v1\/graphql$/, method: 'POST', scopes: graphqlScopes, answer: queryNotes },
  { path: /^\/v1\/echo$/, answer: echo },
];

/** answerApi asks for a token, then its team, then a path that exists, then the scope that path needs, as Bipsync does. */
export function answerApi(call: ApiCall, teamScope: string, challenge: EmulatorChallenge): EmulatorAnswer {
  const { scopes } = call;
  const unauthorized = (message: string, detail: string): EmulatorAnswer => ({
    ...failure(401, 'access_denied', message),
    headers: challenge === 'rfc6750' ? { 'WWW-Authenticate': `Bearer realm="bipsync"${detail}` } : undefined,
  });
  // RFC 6750 §3.1: no error code for a request without authentication.
  if (call.authorization === 'none') return unauthorized('No access token.', '');
  if (!scopes) return unauthorized('The access token is not valid.', ', error="invalid_token"');

  const lacksScope = (needed: string): EmulatorAnswer =>
    unauthorized('The access token lacks a scope.', `, error="insufficient_scope", scope="${needed}"`);
  if (!scopes.has(teamScope)) return lacksScope(teamScope);

  const path = String(call.path.split('?', 1)[0]);
  const candidates = routes.filter((route) => route.path.test(path));
  if (candidates.length === 0) return failure(404, 'not_found', 'There is nothing here.');
  const route = candidates.find(({ method }) => method === undefined || method === call.method);
  if (!route) return failure(405, 'method_not_allowed', `${call.method} does not work here.`);
  if (route.scopes && !route.scopes.some((scope) => scopes.has(scope))) {
    return lacksScope(route.scopes.join(' '));
  }
  return route.answer(call, String(route.path.exec(path)?.[1]));
}

function readNote(_call: ApiCall, id: string): EmulatorAnswer {
  const note = notes.find((candidate) => candidate.id === id);
  return note ? ok({ data: note }) : failure(404, 'not_found', 'There is no such note.');
}

function createNote({ body }: ApiCall): EmulatorAnswer {
  const title = jsonObject(body)?.['title'];
  if (typeof title !== 'string') return failure(400, 'bad_request', 'Send a JSON object with a title.');
  return { status: 201, body: { data: { id: `note-${notes.length + 1}`, title } } };
}

/** Any query gives the research list; `variables.first` (default 10) and `variables.after` page through it. */
function queryNotes({ body }: ApiCall): EmulatorAnswer {
  const request = jsonObject(body);
  if (typeof request?.['query'] !== 'string') {
    return { status: 400, body: { errors: [{ message: 'Send a JSON object with a query.' }] } };
  }
  const { variables } = request;
  const { first, after } = isObject(variables) ? variables : {};
  const count = Number(first ?? 10);
  const start = Number(after ?? 0);
  if (!(count > 0 && start >= 0)) {
    return ok({ errors: [{ message: 'first must be above 0, after an endCursor.' }] });
  }
  const page = notes.slice(start, start + count);
  const end = start + page.length;
  const pageInfo = { hasNextPage: end < notes.length, endCursor: String(end) };
  return ok({ data: { research: { edges: page.map((node) => ({ node })), pageInfo } } });
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

function failure(status: number, error: string, message: string): EmulatorAnswer {
  return { status, body: { error, message } };
}

function jsonObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (isObject(value)) return value;
  } catch {
    // No JSON.
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
