/** ownOptions returns the options that the caller set, without anything that `Object.prototype` was polluted with. */
export function ownOptions<T extends object>(options: T): T {
  return { __proto__: null, ...options };
}
