import type { EmulatorAnswer } from './answers';
import { isJsonObject, jsonObject } from './json';
import type { JsonObject, JsonValue } from './json';

/** What a list of notes holds. */
export type Note = JsonObject & { id: string };

/**
 * queryResearch answers any query with a Relay connection of the notes, which the variables `first`, `after`, `last` and
 * `before` page: https://relay.dev/graphql/connections.htm
 */
export function queryResearch(notes: readonly Note[], body: Buffer): EmulatorAnswer {
  const request = jsonObject(body);
  if (typeof request?.['query'] !== 'string')
    return { status: 400, body: errors('Send a JSON object with a query.') };
  const { first, after, last, before } = givenVariables(request['variables']);
  const cursors: JsonValue[] = notes.map(({ id }) => Buffer.from(id).toString('base64url'));
  const isUnknown = (cursor: JsonValue | undefined): boolean =>
    cursor !== undefined && !cursors.includes(cursor);
  if (isUnknown(after) || isUnknown(before)) {
    return { status: 200, body: errors('"after" and "before" must be cursors from an earlier answer.') };
  }
  if (!(Number(first ?? 1) > 0 && Number(last ?? 1) > 0)) {
    return { status: 200, body: errors('"first" and "last" must be above 0.') };
  }

  let start = after === undefined ? 0 : cursors.indexOf(after) + 1;
  let end = before === undefined ? notes.length : cursors.indexOf(before);
  if (first !== undefined || last === undefined) end = Math.min(end, start + Number(first ?? 10));
  if (last !== undefined) start = Math.max(start, end - Number(last));

  const edges = notes
    .slice(start, end)
    .map((node, index) => ({ cursor: cursors[start + index] ?? null, node }));
  const pageInfo = {
    hasPreviousPage: start > 0,
    hasNextPage: end < notes.length,
    startCursor: edges[0]?.cursor ?? null,
    endCursor: edges.at(-1)?.cursor ?? null,
  };
  return { status: 200, body: { data: { research: { edges, pageInfo } } } };
}

/** In GraphQL a variable that is null counts as not given. */
function givenVariables(variables: JsonValue | undefined): JsonObject {
  const all = isJsonObject(variables) ? variables : {};
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

function errors(message: string): JsonObject {
  return { errors: [{ message }] };
}
