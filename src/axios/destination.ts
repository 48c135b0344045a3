import { URL } from 'node:url';
import { types } from 'node:util';

import { honoursAllowAbsoluteUrls } from './versions';

/** The properties of a request's config that decide where axios sends it. Their types are not known. */
interface Destination {
  readonly url?: unknown;
  readonly baseURL?: unknown;
  readonly allowAbsoluteUrls?: unknown;
  readonly socketPath?: unknown;
}

/** A destination as it was at one moment. */
export interface Target {
  readonly origin: string;
  /** Whether the URL names a user: axios would then replace or drop the token. */
  readonly hasUserInfo: boolean;
  /** The path that the request begins with, for example `/v1/research/note`. */
  readonly pathname: string;
}

/** How axios tells a URL that a `baseURL` does not apply to. */
const absoluteUrl = /^(?:[a-z][a-z\d+\-.]*:)?\/\//i;

/**
 * createTargetOf makes the function that returns where axios will really send a request, or `undefined` if that is not
 * certain.
 *
 * Everything that decides it is read once, and only from plain properties of the config itself: an accessor may return
 * something else when axios reads it, and versions of axios differ about inherited properties.
 *
 * @param isOwnCopy whether this package's copy of axios will read the config. Of another copy nothing is known.
 */
export function createTargetOf(isOwnCopy: boolean): (config: object) => Target | undefined {
  // Nearly every request of an instance has the same baseURL.
  let lastUrl: string | undefined;
  let lastTarget: Target | undefined;
  return (config) => {
    const url = decisiveUrl(config, isOwnCopy);
    if (url !== lastUrl) {
      lastTarget = url === undefined ? undefined : parseTarget(url);
      lastUrl = url;
    }
    return lastTarget;
  };
}

/**
 * pathOf returns the path that a request ends up at, below the path of its `baseURL`. Call it for a config whose
 * target is known.
 */
export function pathOf({ url, baseURL }: Destination, target: Target): string {
  if (typeof url !== 'string' || typeof baseURL !== 'string' || absoluteUrl.test(url)) return target.pathname;
  return `${target.pathname}/${url.split(/[?#]/, 1)[0] ?? ''}`;
}

/** originOf returns the origin of an absolute URL, or `undefined` for anything else. */
export function originOf(url: unknown): string | undefined {
  return parseUrl(String(url))?.origin;
}

/** parseUrl parses an absolute URL, or returns `undefined`. Some environments have no `URL.canParse`. */
export function parseUrl(url: string): URL | undefined {
  try {
    return new URL(url);
  } catch {
    return undefined;
  }
}

/** isLoopback goes by the hostname as the URL parser normalises it. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function parseTarget(url: string): Target | undefined {
  const parsed = parseUrl(url);
  // The origin of a blob: URL is that of the URL inside it, to which nothing is sent.
  if (parsed?.protocol !== 'https:' && parsed?.protocol !== 'http:') return undefined;
  const hasUserInfo = parsed.username !== '' || parsed.password !== '';
  return { origin: parsed.origin, hasUserInfo, pathname: parsed.pathname };
}

/** The one of `url` and `baseURL` that decides the origin, or `undefined` if versions of axios could differ. */
function decisiveUrl(config: object, isOwnCopy: boolean): string | undefined {
  if (!isPlain(config)) return undefined;
  const url = ownValue(config, 'url') ?? '';
  const baseURL = ownValue(config, 'baseURL');
  if (('socketPath' in config && ownValue(config, 'socketPath')) || typeof url !== 'string') return undefined;
  if (!baseURL) return url;
  if (typeof baseURL !== 'string') return undefined;
  if (!absoluteUrl.test(url)) return baseURL;
  const allowAbsoluteUrls = ownValue(config, 'allowAbsoluteUrls') ?? true;
  if (allowAbsoluteUrls === true) return url;
  // Versions of axios disagree about which other values mean no, and some do not even honour `false`.
  return allowAbsoluteUrls === false && isOwnCopy && honoursAllowAbsoluteUrls() ? baseURL : undefined;
}

/** Options of axios, of follow-redirects and of Node that decide where a connection leads, and whose certificate it trusts. */
const routingOptions = new Set(
  (
    'adapter agent auth beforeRedirect ca checkServerIdentity createConnection defaultPort env fetchOptions host hostname ' +
    'httpAgent httpsAgent lookup params path port protocol proxy rejectUnauthorized servername socketPath transport'
  ).split(' '),
);

/** pollutedOption returns the name of such an option that somebody put on `Object.prototype`, where it could be taken for a request's own. */
export function pollutedOption(): string | undefined {
  for (const name in Object.prototype) if (routingOptions.has(name)) return name;
  return undefined;
}

/** A `Proxy` may tell axios something else than it tells here. */
function isPlain(config: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(config);
  const isOrdinary = prototype === null || prototype === Object.prototype;
  // Newer versions of axios have made accessors plain values by now, and give the config no prototype.
  const isSettled = prototype === null || !hasAccessor(config);
  return isOrdinary && isSettled && !types.isProxy(config) && pollutedOption() === undefined;
}

function hasAccessor(config: object): boolean {
  for (const name of routingOptions) {
    const property = Object.getOwnPropertyDescriptor(config, name);
    if (property && !Object.hasOwn(property, 'value')) return true;
  }
  return false;
}

/** Stands for a value that cannot be known; as it is neither a string nor empty, every check ends in `undefined`. */
const UNCERTAIN = Symbol('uncertain');

function ownValue(config: object, key: keyof Destination): unknown {
  const property = Object.getOwnPropertyDescriptor(config, key);
  if (property === undefined) return key in config ? UNCERTAIN : undefined;
  return Object.hasOwn(property, 'value') ? property.value : UNCERTAIN;
}
