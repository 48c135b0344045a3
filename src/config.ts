import * as v from 'valibot';

import { BipsyncAuthError } from './errors';
import type { BipsyncAuthEvent } from './events';
import {
  type BipsyncScope,
  replaceTokenScope,
  resolveTokenScope,
  splitScopes,
  type TokenScope,
} from './scopes';
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
  /** Where tokens come from, if not `/v1/oauth/token` on that origin. https, or http on a loopback host. */
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
  /** Replace the configured scopes other than the team's. */
  scopes?: readonly BipsyncScope[] | undefined;
}

/** A configuration checked and filled in: inside, nothing is optional that has a default. */
export interface ResolvedConfig {
  /** For an instance that has no base URL of its own. */
  baseURL: string;
  origin: string;
  allowedOrigins: ReadonlySet<string>;
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

const DAY_MS = 86_400_000;
const TOKEN_PATH = '/v1/oauth/token';

// Messages are written out, since the default ones quote the value they received.

const text = (name: string) =>
  v.pipe(
    v.string(`${name} must be a string`),
    v.check((value) => value.trim() !== '', `${name} must not be empty`),
  );

const milliseconds = (name: string, least: number, most: number, fallback: number) => {
  const message = `${name} must be a number of milliseconds from ${least} to ${most}`;
  return v.optional(
    v.pipe(v.number(message), v.minValue(least, message), v.maxValue(most, message)),
    fallback,
  );
};

const fn = <F>(message: string) => v.custom<F>((value) => typeof value === 'function', message);

function isTokenStore(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { get, set, lock } = value as Record<keyof TokenStore, unknown>;
  return (
    typeof get === 'function' &&
    typeof set === 'function' &&
    (lock === undefined || typeof lock === 'function')
  );
}

const scopesMessage = 'scopes must be an array of strings or one string with spaces between';
const entries = {
  client: v.optional(
    v.pipe(
      v.string('client must be a string'),
      v.regex(/^[a-z\d](?:[a-z\d-]{0,58}[a-z\d])?$/i, 'client may hold letters, digits and hyphens'),
    ),
  ),
  baseURL: v.optional(text('baseURL')),
  tokenUrl: v.optional(text('tokenUrl')),
  clientId: v.pipe(
    v.unknown(),
    v.check((value) => value !== undefined, 'clientId is required (in the environment: BIPSYNC_CLIENT_ID)'),
    v.union([v.undefined(), text('clientId')], 'clientId must be a string that is not empty'),
  ),
  clientSecret: v.pipe(
    v.unknown(),
    v.check(
      (value) => value !== undefined,
      'clientSecret is required (in the environment: BIPSYNC_CLIENT_SECRET)',
    ),
    v.union(
      [v.undefined(), text('clientSecret'), fn<() => unknown>('')],
      'clientSecret must be a string that is not empty, or a function that gives one',
    ),
  ),
  teamId: v.optional(text('teamId')),
  scopes: v.optional(v.union([v.string(), v.array(v.string())], scopesMessage), []),
  allowedOrigins: v.optional(
    v.array(v.string('allowedOrigins must hold strings'), 'allowedOrigins must be an array of strings'),
    [],
  ),
  tokenEncoding: v.optional(v.picklist(['form', 'json'], "tokenEncoding must be 'form' or 'json'"), 'form'),
  tokenTimeoutMs: milliseconds('tokenTimeoutMs', 1, 300_000, 10_000),
  refreshWindowMs: milliseconds('refreshWindowMs', 0, DAY_MS, 300_000),
  expiryMarginMs: milliseconds('expiryMarginMs', 0, DAY_MS, 30_000),
  tokenStore: v.optional(
    v.custom<TokenStore>(isTokenStore, 'tokenStore must have the methods get and set (and lock, if any)'),
  ),
  onEvent: v.optional(fn<(event: BipsyncAuthEvent) => unknown>('onEvent must be a function')),
};
const configSchema = v.object(entries);

const requestSchema = v.object({
  teamId: v.optional(text('bipsyncAuth.teamId')),
  scopes: v.optional(v.array(v.string(), 'bipsyncAuth.scopes must be an array of strings')),
});

/**
 * resolveConfig checks a whole configuration at once, so that its author hears of every problem the first time.
 *
 * @param instanceBaseURL what the axios instance itself calls home.
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`, listing every problem.
 */
export function resolveConfig(config: unknown, instanceBaseURL: unknown): ResolvedConfig {
  return refuseUnreadable('the configuration', () => checkConfig(config, instanceBaseURL));
}

function checkConfig(config: unknown, instanceBaseURL: unknown): ResolvedConfig {
  const { values, problems } = readOptions(config, entries);
  const parsed = v.safeParse(configSchema, values);
  if (!parsed.success) problems.push(...parsed.issues.map(({ message }) => message));

  // What is checked below is checked even if something else was wrong: each value on its own merits.
  const url = homeUrl(values, instanceBaseURL, problems);
  const tokenUrl =
    typeof values['tokenUrl'] === 'string'
      ? secureUrl('tokenUrl', values['tokenUrl'], problems)
      : url && new URL(TOKEN_PATH, url);
  if (tokenUrl && tokenUrl.hash !== '') problems.push('tokenUrl must not have a fragment');
  const tokenScope = readTokenScope(values, problems);
  const origins = readOrigins(values['allowedOrigins'], problems);

  if (!parsed.success || !url || !tokenUrl || !tokenScope || problems.length > 0) {
    throw new BipsyncAuthError(
      'ERR_BIPSYNC_CONFIG',
      `The configuration of axios-bipsync-auth was refused: ${[...new Set(problems)].join('; ')}.`,
    );
  }
  const { clientId, clientSecret, ...rest } = parsed.output;
  return {
    ...rest,
    tokenStore: rest.tokenStore,
    onEvent: rest.onEvent,
    baseURL: rest.baseURL ?? url.origin,
    origin: url.origin,
    allowedOrigins: new Set([url.origin, ...origins]),
    tokenUrl,
    clientId: clientId ?? '',
    clientSecret: clientSecret ?? '',
    tokenScope,
  };
}

/**
 * resolveRequestScope is what a request's own `bipsyncAuth` asks for.
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`.
 */
export function resolveRequestScope(configured: TokenScope, options: unknown): TokenScope {
  return refuseUnreadable('bipsyncAuth', () => checkRequestScope(configured, options));
}

function checkRequestScope(configured: TokenScope, options: unknown): TokenScope {
  const { values, problems } = readOptions(options, requestSchema.entries, 'bipsyncAuth');
  const parsed = v.safeParse(requestSchema, values);
  if (!parsed.success) problems.push(...parsed.issues.map(({ message }) => message));
  if (parsed.success && problems.length === 0) {
    const resolved = replaceTokenScope(configured, parsed.output.teamId, parsed.output.scopes);
    if (!('problems' in resolved)) return resolved;
    problems.push(...resolved.problems);
  }
  throw new BipsyncAuthError(
    'ERR_BIPSYNC_CONFIG',
    `The request's options were refused: ${problems.join('; ')}.`,
  );
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

/** An object whose getters or traps throw is bad input like any other, and what they throw is not repeated. */
function refuseUnreadable<T>(name: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof BipsyncAuthError) throw error;
    throw new BipsyncAuthError(
      'ERR_BIPSYNC_CONFIG',
      `${name} could not be read: one of its properties throws.`,
    );
  }
}

/** readOptions reads each known option once and notes the unknown. */
function readOptions(
  options: unknown,
  known: Record<string, unknown>,
  name = 'the configuration',
): { values: Record<string, unknown>; problems: string[] } {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    return { values, problems: [`${name} must be an object`] };
  }
  for (const key of Object.keys(known)) {
    const value: unknown = Reflect.get(options, key);
    if (value !== undefined) values[key] = value;
  }
  const unknown = Object.keys(options).filter((key) => !Object.hasOwn(known, key));
  if (unknown.length > 0) {
    const names = unknown.map((key) => JSON.stringify(key.slice(0, 40))).join(', ');
    problems.push(`${name} has no option ${names} (it has ${Object.keys(known).join(', ')})`);
  }
  return { values, problems };
}

function homeUrl(
  values: Record<string, unknown>,
  instanceBaseURL: unknown,
  problems: string[],
): URL | undefined {
  const { client, baseURL } = values;
  if (client !== undefined && baseURL !== undefined) {
    problems.push('client and baseURL exclude each other: give one');
    return undefined;
  }
  if (typeof client === 'string') {
    return URL.canParse(`https://${client}-api.bipsync.com`)
      ? new URL(`https://${client}-api.bipsync.com`)
      : undefined;
  }
  if (client !== undefined) return undefined;
  if (typeof baseURL === 'string') return secureUrl('baseURL', baseURL, problems);
  if (baseURL !== undefined) return undefined;
  if (typeof instanceBaseURL === 'string' && instanceBaseURL !== '') {
    return secureUrl("the axios instance's defaults.baseURL", instanceBaseURL, problems);
  }
  problems.push('client or baseURL is required (in the environment: BIPSYNC_CLIENT or BIPSYNC_BASE_URL)');
  return undefined;
}

/** Tokens and secrets travel encrypted, or do not leave the machine. */
function secureUrl(name: string, value: string, problems: string[]): URL | undefined {
  if (!URL.canParse(value)) {
    problems.push(`${name} must be an absolute URL`);
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
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function readTokenScope(values: Record<string, unknown>, problems: string[]): TokenScope | undefined {
  const { teamId, scopes = [] } = values;
  if (teamId !== undefined && (typeof teamId !== 'string' || teamId.trim() === '')) return undefined;
  if (typeof scopes !== 'string' && !isStrings(scopes)) return undefined;
  const resolved = resolveTokenScope(teamId, splitScopes(scopes));
  if (!('problems' in resolved)) return resolved;
  problems.push(...resolved.problems);
  return undefined;
}

function readOrigins(origins: unknown, problems: string[]): string[] {
  if (!isStrings(origins)) return [];
  return origins.flatMap((origin) => {
    const url = secureUrl('each of allowedOrigins', origin, problems);
    if (url && url.href !== `${url.origin}/`) {
      problems.push('each of allowedOrigins must be an origin alone, without a path or a query');
    }
    return url ? [url.origin] : [];
  });
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
