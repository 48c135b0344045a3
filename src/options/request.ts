import { asRecord } from '../values';
import { checkOptions, isNonEmptyString, isStrings, readOptions, type Rules } from './reading';
import { replaceTokenScope, type TokenScope } from './scopes';
import type { BipsyncAuthRequestOptions, GetTokenOptions } from './types';

export const scopesRule = [
  (value: unknown) => typeof value === 'string' || isStrings(value),
  'must be an array of strings, or one string with spaces between the scopes',
] as const;

const requestRules: Rules<BipsyncAuthRequestOptions> = {
  teamId: [isNonEmptyString, 'must be a non-empty string'],
  scopes: scopesRule,
};

const getTokenRules: Rules<GetTokenOptions> = {
  ...requestRules,
  signal: [(value) => typeof asRecord(value)['aborted'] === 'boolean', 'must be an AbortSignal'],
};

/**
 * resolveRequestScope works out what a request's own `bipsyncAuth` asks for.
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`.
 */
export function resolveRequestScope(
  configured: TokenScope,
  requested: BipsyncAuthRequestOptions,
  rules: Rules<BipsyncAuthRequestOptions> = requestRules,
  what = "The request's `bipsyncAuth` was rejected, and nothing was sent",
): TokenScope {
  return checkOptions(what, requested, (problems) => {
    const { teamId, scopes } = readOptions(requested, rules, problems).options;
    return replaceTokenScope(configured, teamId, scopes, problems);
  });
}

/**
 * resolveGetToken works out what `getToken` is asked for.
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`.
 */
export function resolveGetToken(
  configured: TokenScope,
  options: GetTokenOptions,
): { scope: TokenScope; signal: AbortSignal | undefined } {
  const what = 'The options of getToken were rejected';
  const scope = resolveRequestScope(configured, options, getTokenRules, what);
  return { scope, signal: Object.hasOwn(options, 'signal') ? options.signal : undefined };
}
