import axios from 'axios';

// What differs between the supported versions of axios and cannot be asked for; each found by running all of them.

/** Before 1.8.4 an absolute `url` could win over `allowAbsoluteUrls: false`. */
export const honoursAllowAbsoluteUrls = isAtLeast('1.8.4');

/** Before 1.16.1 https requests crossed an http proxy in clear, instead of through a CONNECT tunnel. */
export const tunnelsThroughProxies = isAtLeast('1.16.1');

/** Whether no option of a config can be inherited, which one version of axios would read and another would not. */
export function holdsAllItsOptions(config: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(config);
  return prototype === null || prototype === Object.prototype;
}

function isAtLeast(version: string): boolean {
  return axios.VERSION.localeCompare(version, 'en', { numeric: true }) >= 0;
}
