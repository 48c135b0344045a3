import { holdsAllItsOptions, honoursAllowAbsoluteUrls } from './features';

/** The parts of a request's config that decide where axios sends it. Nothing is taken for granted about them. */
export interface Destination {
  url?: unknown;
  baseURL?: unknown;
  allowAbsoluteUrls?: unknown;
  socketPath?: unknown;
}

/** Where a request goes: `userInfo` tells whether the URL names a user, for whom axios would drop the token. */
export interface Target {
  origin: string;
  userInfo: boolean;
}

/** axios's own rule for a URL that a `baseURL` does not apply to. */
const absoluteUrl = /^(?:[a-z][a-z\d+\-.]*:)?\/\//i;

/**
 * leadsTo is the quick yes for nearly every request: the URL that axios will use begins with `origin` and the slash
 * that ends its authority. A no says nothing.
 */
export function leadsTo(origin: string, destination: Destination): boolean {
  const url = decisiveUrl(destination);
  return url === origin || (url?.startsWith(origin) === true && url[origin.length] === '/');
}

/** targetOf is the origin that axios will really send a request to, or `undefined` where that cannot be known. */
export function targetOf(destination: Destination): Target | undefined {
  const url = parse(decisiveUrl(destination));
  // The origin of a blob: URL is that of the URL inside it, to which nothing is sent.
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') return undefined;
  return { origin: url.origin, userInfo: Boolean(url.username || url.password) };
}

/** originOf is the origin of an absolute URL, or `undefined` for anything else. */
export function originOf(url: unknown): string | undefined {
  return parse(url)?.origin;
}

function parse(url: unknown): URL | undefined {
  const text = String(url);
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** The one of `url` and `baseURL` whose origin counts; `undefined` where axios is not to be second-guessed. */
function decisiveUrl(destination: Destination): string | undefined {
  const { baseURL, allowAbsoluteUrls = true, socketPath } = destination;
  const url = destination.url ?? '';
  if (socketPath || typeof url !== 'string' || !holdsAllItsOptions(destination)) return undefined;
  if (!baseURL) return url;
  if (typeof baseURL !== 'string') return undefined;
  if (!absoluteUrl.test(url)) return baseURL;
  if (allowAbsoluteUrls === true) return url;
  // Versions differ in what else than `false` means no.
  return allowAbsoluteUrls === false && honoursAllowAbsoluteUrls ? baseURL : undefined;
}
