/** Scopes that Bipsync documents for its GraphQL and REST APIs. */
export type KnownBipsyncScope =
  | 'attachments:read'
  | 'categories:read'
  | 'classifications:read'
  | 'comments:read'
  | 'contacts:read'
  | 'events:read'
  | 'external_ids:read'
  | 'fields:read'
  | 'groups:read'
  | 'note_templates:read'
  | 'pipelines:read'
  | 'projects:read'
  | 'research:read'
  | 'tasks:read'
  | 'users:read'
  | 'versions:read'
  | 'rest_api:read'
  | 'rest_api:fields:read'
  | 'rest_api:write';

/** A scope. Editors complete the known scopes. Any other string is accepted too. */
export type BipsyncScope = KnownBipsyncScope | (string & {});

/** What a token is for: exactly one team, and the other scopes asked for. */
export interface TokenScope {
  readonly teamId: string;
  /** Sorted and without duplicates; the `team_…` is one of them. */
  readonly scopes: readonly string[];
}

const TEAM_PREFIX = 'team_';

/** scope-token of {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.3 RFC 6749 §3.3}. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

export const isScopeToken = (scope: string): boolean => scopeToken.test(scope);
const isTeamScope = (scope: string): boolean => scope.startsWith(TEAM_PREFIX);

/** splitScopes takes scopes in both forms that a configuration may have them in. */
export function splitScopes(scopes: string | readonly string[]): readonly string[] {
  return typeof scopes === 'string' ? scopes.split(' ').filter((scope) => scope !== '') : scopes;
}

/**
 * resolveTokenScope works out one team and one set of scopes, or notes why it cannot. `teamId` may be written with or
 * without its `team_` prefix.
 */
export function resolveTokenScope(
  teamId: string | undefined,
  scopes: readonly string[],
  problems: string[],
  nameOf: (option: string) => string = (option) => option,
): TokenScope | undefined {
  const wanted = new Set(scopes);
  if (teamId !== undefined) wanted.add(isTeamScope(teamId) ? teamId : TEAM_PREFIX + teamId);
  const [team, ...otherTeams] = [...wanted].filter(isTeamScope);

  const characters = 'may contain only visible ASCII characters, and no spaces, quotes or backslashes';
  if (teamId && !isScopeToken(teamId)) problems.push(`${nameOf('teamId')} ${characters}`);
  if (!scopes.every(isScopeToken)) problems.push(`${nameOf('scopes')} ${characters}`);
  if (team === undefined || team === TEAM_PREFIX) problems.push(`${nameOf('teamId')} is required`);
  if (otherTeams.length > 0) {
    problems.push(`${nameOf('teamId')} and ${nameOf('scopes')} must name only one team`);
  }
  return team === undefined
    ? undefined
    : { teamId: team.slice(TEAM_PREFIX.length), scopes: [...wanted].sort() };
}

/**
 * replaceTokenScope applies a request's own `teamId` and `scopes`. Each replaces its configured counterpart, and a `team_…`
 * among the scopes replaces the configured team.
 */
export function replaceTokenScope(
  configured: TokenScope,
  teamId: string | undefined,
  scopes: string | readonly string[] | undefined,
  problems: string[],
): TokenScope | undefined {
  const others =
    scopes === undefined ? configured.scopes.filter((scope) => !isTeamScope(scope)) : splitScopes(scopes);
  const team = teamId ?? (others.some(isTeamScope) ? undefined : TEAM_PREFIX + configured.teamId);
  return resolveTokenScope(team, others, problems);
}
