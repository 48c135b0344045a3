import axios from 'axios';

// What differs between versions of axios and cannot be asked for. Each fact was found by running the versions. Nothing
// of axios is read while this module loads: a test may have put a stand-in in its place.

/** The oldest supported version. */
export const OLDEST_AXIOS = '1.7.9';

/** ownVersion is the version of this package's copy of axios, or `undefined` if a test's stand-in has none. */
export function ownVersion(): string | undefined {
  const { VERSION } = asPartial(axios);
  return typeof VERSION === 'string' ? VERSION : undefined;
}

/** isTooOld tells whether this package's copy of axios is known to be older than the oldest supported version. */
export const isTooOld = (): boolean => ownVersion() !== undefined && !isAtLeast(OLDEST_AXIOS);

/** Before 1.8.4 an absolute `url` could win over `allowAbsoluteUrls: false`. */
export const honoursAllowAbsoluteUrls = (): boolean => isAtLeast('1.8.4');

/** Before 1.16.1 https requests crossed a proxy in clear, instead of through a CONNECT tunnel. */
export const tunnelsThroughProxies = (): boolean => isAtLeast('1.16.1');

/**
 * isOwnCopy tells whether an instance was made by this package's copy of axios. ESM and CommonJS programs hold different
 * copies, and a bundle may hold one more. Every copy has an interceptor manager class of its own.
 */
export function isOwnCopy(instance: { interceptors: { request: object } }): boolean {
  const own = asPartial(axios).interceptors?.request?.constructor;
  return own !== undefined && instance.interceptors.request.constructor === own;
}

/** isSharedDefault tells the default export of any copy of axios, which a whole process shares, from an instance. */
export function isSharedDefault(instance: object): boolean {
  return 'CancelToken' in instance;
}

type Partially<T> = { [Key in keyof T]?: Partial<T[Key]> };

const asPartial = (value: typeof axios | undefined): Partially<typeof axios> => value ?? {};

/** An unknown version counts as an old one. */
function isAtLeast(version: string): boolean {
  const own = ownVersion();
  return own !== undefined && sortable(own) >= sortable(version);
}

/** As a string, because a comparison by locale needs data that not every Node has. */
function sortable(version: string): string {
  return version
    .split('.')
    .map((part) => part.padStart(6, '0'))
    .join('.');
}
