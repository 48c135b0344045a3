import axios from 'axios';

// What differs between the supported versions of axios and cannot be asked for; each found by running all of them.

/** Before 1.8.4 an absolute `url` could win over `allowAbsoluteUrls: false`. */
export const honoursAllowAbsoluteUrls = isAtLeast('1.8.4');

/** Before 1.9.0 axios found nothing in the headers that another copy of it had made. */
export const readsForeignHeaders = isAtLeast('1.9.0');

/** Before 1.16.1 https requests crossed an http proxy in clear, instead of through a CONNECT tunnel. */
export const tunnelsThroughProxies = isAtLeast('1.16.1');

/** Whether no option of a config can be inherited, which one version of axios would read and another would not. */
export function holdsAllItsOptions(config: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(config);
  return prototype === null || prototype === Object.prototype;
}

function isAtLeast(version: string): boolean {
  return sortable(axios.VERSION) >= sortable(version);
}

/** As text, since a comparison by locale needs data that not every Node has. */
function sortable(version: string): string {
  return version
    .split('.')
    .map((part) => part.padStart(6, '0'))
    .join('.');
}
