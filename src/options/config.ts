import { isIPv4 } from 'node:net';

import { BipsyncAuthError } from '../errors';
import type { BipsyncAuthEvent } from '../events';
import { asRecord } from '../values';
import {
  type BipsyncScope,
  replaceTokenScope,
  resolveTokenScope,
  splitScopes,
  type TokenScope,
} from './scopes';
import { targetOf } from '../axios/destination';
import type { TokenStore } from './token-store';

declare module 'axios' {
  interface AxiosRequestConfig {
    /** `false` sends this request untouched; an object asks for another team's token, or one of other scopes. */
    bipsyncAuth?: false | BipsyncAuthRequestOptions | undefined;
  }
}

/** BipsyncAuthConfig is what `installBipsyncAuth` takes. */
export interface BipsyncAuthConfig {
  /**
   * The tenant's subdomain: `'acme'` gives `https://acme-api.bipsync.com`. Letters, digits and hyphens. Not together
   * with `baseURL`; with neither, the axios instance's own `defaults.baseURL` decides.
   */
  client?: string | undefined;
  /**
   * Instead of `client`: a sandbox, a gateway, an emulator. https, or http on a loopback host (`localhost`,
   * `127.0.0.0/8`, `[::1]`). Only its origin decides who may receive the token.
   */
  baseURL?: string | undefined;
  /** Where tokens come from, if not `/v1/oauth/token` on that origin: an absolute URL, https, or http on a loopback host. */
  tokenUrl?: string | undefined;
  /** The client identifier ({@link https://www.rfc-editor.org/rfc/rfc6749#section-2.2 RFC 6749 §2.2}). */
  clientId: string;
  /**
   * The client secret, or a function that gives it. The function is asked at every token request, so that secrets can
   * rotate; if it throws or gives no string, requests fail with `ERR_BIPSYNC_SECRET`.
   */
  clientSecret: string | (() => string | Promise<string>);
  /** The team a token is for, with or without its `team_` prefix. May be left out where `scopes` holds a `team_…`. */
  teamId?: string | undefined;
  /** The other scopes, as an array or separated by spaces. Default: none. */
  scopes?: readonly BipsyncScope[] | string | undefined;
  /** Further origins that may receive the token, compared exactly. Default: none. */
  allowedOrigins?: readonly string[] | undefined;
  /** Body of the token request. Default: `'form'`, as RFC 6749 has it. */
  tokenEncoding?: 'form' | 'json' | undefined;
  /**
   * Bound on one whole acquisition, secret function, store and all attempts included: milliseconds, 1 to 300 000,
   * default 10 000. Requests that waited that long fail with `ERR_BIPSYNC_TOKEN_UNAVAILABLE`.
   */
  tokenTimeoutMs?: number | undefined;
  /**
   * How long before expiry a request starts a background refresh, for which it does not wait: milliseconds, 0 to
   * 86 400 000, default 300 000; never more than 20 % of a token's lifetime.
   */
  refreshWindowMs?: number | undefined;
  /**
   * How long before expiry a token is no longer used: milliseconds, 0 to 86 400 000, default 30 000; never more than
   * 5 % of a token's lifetime.
   */
  expiryMarginMs?: number | undefined;
  /** Shares tokens between processes. Default: this process alone. */
  tokenStore?: TokenStore | undefined;
  /** Told what happened, never a secret. A listener that throws changes nothing. */
  onEvent?: ((event: BipsyncAuthEvent) => void) | undefined;
}

/** BipsyncAuthRequestOptions asks, on one request's axios config, for another token than the configured one. */
export interface BipsyncAuthRequestOptions {
  /** Replaces the configured team. */
  teamId?: string | undefined;
  /** Replace the configured scopes other than the team's: an array, or separated by spaces. */
  scopes?: readonly BipsyncScope[] | string | undefined;
}

/** GetTokenOptions is what the handle's `getToken` takes. */
export interface GetTokenOptions extends BipsyncAuthRequestOptions {
  /** Ends the wait with axios's `CanceledError`; the acquisition itself goes on for the others. */
  signal?: AbortSignal | undefined;
}

/** A configuration checked and filled in: inside, nothing is optional that has a default. */
export interface ResolvedConfig {
  /** For an instance that has no base URL of its own. */
  baseURL: string;
  origin: string;
  allowedOrigins: ReadonlySet<string | undefined>;
  tokenUrl: URL;
  clientId: string;
  clientSecret: string | (() => unknown);
  tokenScope: TokenScope;
  tokenEncoding: 'form' | 'json' | undefined;
  tokenTimeoutMs: number;
  refreshWindowMs: number;
  expiryMarginMs: number;
  tokenStore: TokenStore | undefined;
  onEvent: ((event: BipsyncAuthEvent) => unknown) | undefined;
}

/** The part of an axios instance's defaults that concerns the token. */
export interface InstanceDefaults {
  baseURL?: unknown;
  auth?: unknown;
}

const DAY_MS = 86_400_000;
const TOKEN_PATH = '/v1/oauth/token';

/** What an option has to be, as a predicate and in words; the words never quote the value. */
type Rules<Options> = {
  readonly [Option in keyof Options]-?: readonly [
    accepts: (value: unknown) => boolean,
    expectation: string,
    isRequired?: true,
  ];
};

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
const isFunction = (value: unknown): boolean => typeof value === 'function';
const milliseconds = (least: number, most: number) =>
  [
    (value: unknown) => typeof value === 'number' && value >= least && value <= most,
    `must be a number of milliseconds from ${least} to ${most}`,
  ] as const;

const scopesRule = [
  (value: unknown) => typeof value === 'string' || isTexts(value),
  'must be an array of strings, or one with spaces between',
] as const;

const configRules: Rules<BipsyncAuthConfig> = {
  client: [
    (value) => isText(value) && /^[a-z\d](?:[a-z\d-]{0,57}[a-z\d])?$/i.test(value),
    'is the subdomain alone, acme for acme-api.bipsync.com: letters, digits and hyphens',
  ],
  baseURL: [isText, 'must be an absolute URL'],
  tokenUrl: [isText, 'must be an absolute URL'],
  clientId: [isText, 'is required: a string (in the environment: BIPSYNC_CLIENT_ID)', true],
  clientSecret: [
    (value) => isText(value) || isFunction(value),
    'is required: a string or a function that gives one (in the environment: BIPSYNC_CLIENT_SECRET)',
    true,
  ],
  teamId: [isText, 'must be a string'],
  scopes: scopesRule,
  allowedOrigins: [isTexts, 'must be an array of origins'],
  tokenEncoding: [(value) => value === 'form' || value === 'json', "must be 'form' or 'json'"],
  tokenTimeoutMs: milliseconds(1, 300_000),
  refreshWindowMs: milliseconds(0, DAY_MS),
  expiryMarginMs: milliseconds(0, DAY_MS),
  tokenStore: [
    isTokenStore,
    'must have the methods get and set (and lock, if any), and a Redis client must be wrapped in redisTokenStore',
  ],
  onEvent: [isFunction, 'must be a function'],
};

const requestRules: Rules<BipsyncAuthRequestOptions> = {
  teamId: [isText, 'must be a string'],
  scopes: scopesRule,
};

const getTokenRules: Rules<GetTokenOptions> = {
  ...requestRules,
  signal: [(value) => typeof asRecord(value)['aborted'] === 'boolean', 'must be an AbortSignal'],
};

/**
 * resolveConfig checks a whole configuration at once, so that its author hears of every problem the first time.
 *
 * @param defaults those of the axios instance, which has a home of its own and may drop or misdirect the token.
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`, listing every problem.
 */
export function resolveConfig(config: BipsyncAuthConfig, defaults: InstanceDefaults): ResolvedConfig {
  return refusing('The configuration of axios-bipsync-auth was refused', config, (problems) => {
    const { options, refused } = readOptions(config, configRules, problems);
    const home =
      refused.has('client') || refused.has('baseURL')
        ? undefined
        : homeOf(options, defaults.baseURL, problems);
    const tokenUrl =
      options.tokenUrl === undefined
        ? home && new URL(TOKEN_PATH, home)
        : secureUrl('tokenUrl', options.tokenUrl, problems);
    if (tokenUrl?.hash || tokenUrl?.pathname.startsWith('//')) {
      problems.push('tokenUrl must not have a fragment, nor a path that begins with //');
    }
    const tokenScope =
      refused.has('teamId') || refused.has('scopes')
        ? undefined
        : resolveTokenScope(options.teamId, splitScopes(options.scopes ?? []), problems);
    const others = (options.allowedOrigins ?? []).map((origin) =>
      secureUrl('allowedOrigins', origin, problems),
    );
    if (others.some((url) => url && (url.href !== `${url.origin}/` || url.hostname.includes('*')))) {
      problems.push('allowedOrigins must hold origins alone, without a path, a query or a wildcard');
    }
    if (options.baseURL !== undefined && (home?.search || home?.hash)) {
      problems.push('baseURL must not have a query or a fragment');
    }
    const allowedOrigins = new Set([home, ...others].map((url) => url?.origin));
    if (home) checkDefaults(defaults, home.origin, allowedOrigins, problems);
    return {
      baseURL: options.baseURL?.trim() ?? home?.origin,
      origin: home?.origin,
      allowedOrigins,
      tokenUrl,
      clientId: options.clientId,
      clientSecret: options.clientSecret,
      tokenScope,
      tokenEncoding: options.tokenEncoding,
      tokenTimeoutMs: options.tokenTimeoutMs ?? 10_000,
      refreshWindowMs: options.refreshWindowMs ?? 300_000,
      expiryMarginMs: options.expiryMarginMs ?? 30_000,
      tokenStore: options.tokenStore,
      onEvent: options.onEvent,
    };
  });
}

/**
 * resolveRequestScope is what a request's own `bipsyncAuth` asks for.
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`.
 */
export function resolveRequestScope(
  configured: TokenScope,
  requested: BipsyncAuthRequestOptions,
  rules: Rules<BipsyncAuthRequestOptions> = requestRules,
  what = "The request's `bipsyncAuth` was refused, and nothing was sent",
): TokenScope {
  return refusing(what, requested, (problems) => {
    const { teamId, scopes } = readOptions(requested, rules, problems).options;
    return replaceTokenScope(configured, teamId, scopes, problems);
  });
}

/**
 * resolveGetToken is what `getToken` is asked for.
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`.
 */
export function resolveGetToken(
  configured: TokenScope,
  options: GetTokenOptions,
): { scope: TokenScope; signal: AbortSignal | undefined } {
  const scope = resolveRequestScope(
    configured,
    options,
    getTokenRules,
    'The options of getToken were refused',
  );
  return { scope, signal: options.signal };
}

/**
 * bipsyncAuthConfigFromEnv reads `BIPSYNC_CLIENT`, `BIPSYNC_BASE_URL`, `BIPSYNC_CLIENT_ID`, `BIPSYNC_CLIENT_SECRET`,
 * `BIPSYNC_TEAM_ID` and `BIPSYNC_SCOPES` (separated by spaces). An empty variable counts as absent. What is absent is
 * absent from the result too, to be added by the caller or reported by `installBipsyncAuth`.
 */
export function bipsyncAuthConfigFromEnv(
  env: Readonly<Record<string, string | undefined>> = process.env,
): BipsyncAuthConfig {
  const variables = {
    client: env['BIPSYNC_CLIENT'],
    baseURL: env['BIPSYNC_BASE_URL'],
    clientId: env['BIPSYNC_CLIENT_ID'],
    clientSecret: env['BIPSYNC_CLIENT_SECRET'],
    teamId: env['BIPSYNC_TEAM_ID'],
    scopes: env['BIPSYNC_SCOPES'],
  };
  const present = Object.entries(variables).filter(([, value]) => value !== undefined && value.trim() !== '');
  // Installation is where a missing identifier is told of, together with everything else that is wrong.
  return Object.fromEntries(present) as Partial<BipsyncAuthConfig> as BipsyncAuthConfig;
}

/** What a check has made of the options while some of them may be wrong. */
type Incomplete<T> = { [Name in keyof T]: T[Name] | undefined } | undefined;

/** Runs a check that notes its problems, and throws them all as one error; where there are none, nothing is missing. */
function refusing<T>(what: string, given: unknown, check: (problems: string[]) => Incomplete<T>): T {
  const problems: string[] = [];
  let result: Incomplete<T> | undefined;
  try {
    if (typeof given === 'object' && given !== null) result = check(problems);
    else problems.push('it must be an object');
  } catch {
    // What a getter or a proxy throws may hold anything, so it is not repeated.
    problems.push('it could not be read, since one of its properties throws');
  }
  if (problems.length === 0) return result as T;
  throw new BipsyncAuthError('ERR_BIPSYNC_CONFIG', `${what}: ${[...new Set(problems)].join('; ')}.`);
}

/** readOptions reads each option once; what is wrong with one is noted, and it is `refused`: not absent, nor of use. */
function readOptions<Options extends object>(
  given: Options,
  rules: Rules<Options>,
  problems: string[],
): { options: Partial<Options>; refused: ReadonlySet<keyof Options> } {
  const options: Partial<Options> = {};
  const refused = new Set<keyof Options>();
  const names = Object.keys(rules) as (keyof Options & string)[];
  for (const name of names) {
    const value = given[name];
    const [accepts, expectation, isRequired] = rules[name];
    if (value === undefined && !isRequired) continue;
    if (accepts(value)) options[name] = value;
    else {
      refused.add(name);
      problems.push(`${name} ${expectation}`);
    }
  }
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(rules, name));
  if (unknown.length > 0) {
    problems.push(
      `there is no option ${unknown.map((name) => JSON.stringify(name)).join(', ')}, only ${names.join(', ')}`,
    );
  }
  return { options, refused };
}

function isTokenStore(value: unknown): boolean {
  const { get, set, lock, sendCommand, call } = asRecord(value);
  // A Redis client has get and set too, but would keep a token for ever.
  const isRedisClient = isFunction(sendCommand) || isFunction(call);
  return isFunction(get) && isFunction(set) && (lock === undefined || isFunction(lock)) && !isRedisClient;
}

function homeOf(
  options: Partial<BipsyncAuthConfig>,
  instanceBaseURL: unknown,
  problems: string[],
): URL | undefined {
  const { client, baseURL } = options;
  if (client !== undefined && baseURL !== undefined) {
    problems.push('client and baseURL exclude each other');
    return undefined;
  }
  if (client !== undefined) return new URL(`https://${client}-api.bipsync.com`);
  const home = baseURL ?? instanceBaseURL;
  if (isText(home))
    return secureUrl(baseURL === undefined ? "the instance's baseURL" : 'baseURL', home, problems);
  problems.push('client or baseURL is required (in the environment: BIPSYNC_CLIENT or BIPSYNC_BASE_URL)');
  return undefined;
}

function checkDefaults(
  { auth, baseURL }: InstanceDefaults,
  origin: string,
  allowedOrigins: ReadonlySet<string | undefined>,
  problems: string[],
): void {
  if (auth) {
    problems.push(
      'the axios instance has `defaults.auth`, for which axios would silently drop the access token: remove it',
    );
  }
  if (!baseURL) return;
  const target = targetOf({ baseURL });
  if (target?.userInfo) {
    problems.push(
      'the axios instance has user info in its baseURL, for which axios would silently drop the access token: remove it',
    );
  }
  if (!allowedOrigins.has(target?.origin)) {
    problems.push(
      `the axios instance sends requests to ${target?.origin ?? 'a baseURL that is not an absolute http(s) URL'}, but the ` +
        `token is for ${origin}: use an instance of its own, or add the origin to allowedOrigins if it may have the token`,
    );
  }
}

/** Tokens and secrets travel encrypted, or do not leave the machine. */
function secureUrl(name: string, value: string, problems: string[]): URL | undefined {
  if (!URL.canParse(value)) {
    problems.push(`${name} must be absolute`);
    return undefined;
  }
  const url = new URL(value);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    problems.push(`${name} must use https (http is for loopback hosts)`);
  }
  if (url.username !== '' || url.password !== '') problems.push(`${name} must not hold user info`);
  return url;
}

/** isLoopback goes by the hostname as the URL parser normalises it. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'))
  );
}
