import { URL } from 'node:url';

import { createTargetOf, isLoopback, parseUrl } from '../axios/destination';
import type { BipsyncAuthEvent } from '../events';
import { withVariable } from './environment';
import { checkOptions, isFunction, isNonEmptyString, isStrings, readOptions, type Rules } from './reading';
import { scopesRule } from './request';
import { resolveTokenScope, splitScopes, type TokenScope } from './scopes';
import { cleanSecret, secretProblem } from './secret';
import { type TokenStore, tokenStoreProblem } from './token-store';
import type { BipsyncAuthConfig } from './types';

/** A configuration that was checked and filled in: nothing that has a default is optional. */
export interface ResolvedConfig {
  /** For an instance that has no base URL of its own. */
  baseURL: string;
  origin: string;
  allowedOrigins: ReadonlySet<string | undefined>;
  tokenUrl: URL;
  clientId: string;
  clientSecret: string | (() => unknown);
  tokenScope: TokenScope;
  tokenEncoding: 'form' | 'json';
  tokenTimeoutMs: number;
  refreshWindowMs: number;
  expiryMarginMs: number;
  tokenStore: TokenStore | undefined;
  onEvent: ((event: BipsyncAuthEvent) => unknown) | undefined;
}

/** The part of an axios instance's defaults that concerns the token. */
interface InstanceDefaults {
  baseURL?: unknown;
  auth?: unknown;
}

const DAY_MS = 86_400_000;
const TOKEN_PATH = '/v1/oauth/token';

const milliseconds = (least: number, most: number) =>
  [
    (value: unknown) => typeof value === 'number' && value >= least && value <= most,
    `must be a number of milliseconds from ${least} to ${most}`,
  ] as const;

const ABSOLUTE = 'must be an absolute URL that begins with https://';

/** What a template has in place of a value. */
const PLACEHOLDER = '…';

function credentialProblem(value: string): string | undefined {
  if (value.trim() === PLACEHOLDER)
    return `is still the placeholder ${PLACEHOLDER}: replace it with your value`;
  const problem = secretProblem(value);
  return problem && `${problem}: remove this character`;
}

const configRules: Rules<BipsyncAuthConfig> = {
  client: [
    (value) => isNonEmptyString(value) && /^[a-z\d](?:[a-z\d-]{0,57}[a-z\d])?$/i.test(value),
    'must be only the subdomain (letters, digits, hyphens), for example acme for acme-api.bipsync.com',
  ],
  baseURL: [isNonEmptyString, ABSOLUTE],
  tokenUrl: [isNonEmptyString, ABSOLUTE],
  clientId: [
    (value) => isNonEmptyString(value) && credentialProblem(value) === undefined,
    (value) => (isNonEmptyString(value) ? String(credentialProblem(value)) : 'is required: a string'),
    true,
  ],
  clientSecret: [
    (value) => isFunction(value) || (isNonEmptyString(value) && credentialProblem(value) === undefined),
    (value) =>
      isNonEmptyString(value)
        ? String(credentialProblem(value))
        : 'is required: a string, or a function that returns one',
    true,
  ],
  teamId: [isNonEmptyString, 'must be a non-empty string'],
  scopes: scopesRule,
  allowedOrigins: [isStrings, 'must be an array of origins'],
  tokenEncoding: [(value) => value === 'form' || value === 'json', "must be 'form' or 'json'"],
  tokenTimeoutMs: milliseconds(1, 300_000),
  refreshWindowMs: milliseconds(0, DAY_MS),
  expiryMarginMs: milliseconds(0, DAY_MS),
  tokenStore: [
    (value) => tokenStoreProblem(value) === undefined,
    (value) => String(tokenStoreProblem(value)),
  ],
  onEvent: [isFunction, 'must be a function'],
};

/**
 * resolveConfig checks a whole configuration at once, so that its author hears of every problem the first time.
 *
 * @param defaults those of the axios instance, which has a home of its own and may drop or misdirect the token.
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`, listing every problem.
 */
export function resolveConfig(config: BipsyncAuthConfig, defaults: InstanceDefaults): ResolvedConfig {
  return checkOptions('The configuration of axios-bipsync-auth was rejected', config, (problems) => {
    const { options, rejected } = readOptions(config, configRules, problems, withVariable);
    const home =
      rejected.has('client') || rejected.has('baseURL')
        ? undefined
        : homeOf(options, defaults.baseURL, problems);
    const tokenUrl =
      options.tokenUrl === undefined
        ? home && new URL(TOKEN_PATH, home)
        : secureUrl('tokenUrl', options.tokenUrl, problems);
    if (tokenUrl?.hash || tokenUrl?.pathname.startsWith('//')) {
      problems.push('tokenUrl must not have a fragment, or a path that begins with //');
    }
    const tokenScope =
      rejected.has('teamId') || rejected.has('scopes')
        ? undefined
        : resolveTokenScope(options.teamId, splitScopes(options.scopes ?? []), problems, withVariable);
    const others = (options.allowedOrigins ?? []).map((origin) =>
      secureUrl('allowedOrigins', origin, problems),
    );
    if (others.some((url) => url && (url.href !== `${url.origin}/` || url.hostname.includes('*')))) {
      problems.push('allowedOrigins must contain only origins, without a path, a query or a wildcard');
    }
    if (options.baseURL !== undefined && (home?.search || home?.hash)) {
      problems.push(`${withVariable('baseURL')} must not have a query or a fragment`);
    }
    const allowedOrigins = new Set([home, ...others].map((url) => url?.origin));
    if (home) checkDefaults(defaults, home.origin, allowedOrigins, problems);
    return {
      baseURL: options.baseURL?.trim() ?? home?.origin,
      origin: home?.origin,
      allowedOrigins,
      tokenUrl,
      clientId: options.clientId && cleanSecret(options.clientId),
      clientSecret: options.clientSecret,
      tokenScope,
      tokenEncoding: options.tokenEncoding ?? 'form',
      tokenTimeoutMs: options.tokenTimeoutMs ?? 10_000,
      refreshWindowMs: options.refreshWindowMs ?? 300_000,
      expiryMarginMs: options.expiryMarginMs ?? 30_000,
      tokenStore: options.tokenStore,
      onEvent: options.onEvent,
    };
  });
}

function homeOf(
  { client, baseURL }: Partial<BipsyncAuthConfig>,
  instanceBaseURL: unknown,
  problems: string[],
): URL | undefined {
  if (client !== undefined && baseURL !== undefined) {
    problems.push(`set ${withVariable('client')} or ${withVariable('baseURL')}, not both`);
    return undefined;
  }
  if (client !== undefined) return new URL(`https://${client}-api.bipsync.com`);
  const home = baseURL ?? instanceBaseURL;
  if (isNonEmptyString(home)) {
    return secureUrl(
      baseURL === undefined ? "the axios instance's baseURL" : withVariable('baseURL'),
      home,
      problems,
    );
  }
  problems.push(`${withVariable('client')} or ${withVariable('baseURL')} is required`);
  return undefined;
}

/** An instance may already have a home, and options that would misdirect or drop the token. */
function checkDefaults(
  { auth, baseURL }: InstanceDefaults,
  origin: string,
  allowedOrigins: ReadonlySet<string | undefined>,
  problems: string[],
): void {
  const orElse = 'otherwise axios silently drops the access token';
  if (auth) problems.push(`remove \`defaults.auth\` from the axios instance, ${orElse}`);
  if (!baseURL) return;
  const target = createTargetOf(true)({ baseURL });
  if (target?.hasUserInfo) {
    problems.push(`remove the user name and password from the axios instance's baseURL, ${orElse}`);
  }
  const destination = target?.origin;
  if (!allowedOrigins.has(destination)) {
    problems.push(
      `the axios instance sends requests to ${destination ?? 'a baseURL that is not an absolute http(s) URL'}, but the ` +
        `token is for ${origin}: remove the instance's baseURL, or use a separate instance` +
        (destination ? `, or let ${destination} receive the token too (allowedOrigins)` : ''),
    );
  }
}

/** Tokens and secrets travel encrypted, or do not leave the machine. */
function secureUrl(name: string, value: string, problems: string[]): URL | undefined {
  const url = parseUrl(value);
  if (url === undefined) {
    problems.push(`${name} ${ABSOLUTE}`);
    return undefined;
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    problems.push(`${name} must use https (http is only for loopback hosts)`);
  }
  if (url.username !== '' || url.password !== '')
    problems.push(`${name} must not contain a user name or password`);
  return url;
}
