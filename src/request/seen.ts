/** The configs that the request interceptor saw and that have not reached the layer at the adapter. */
export interface Seen {
  add(config: object): void;
  remove(config: object): void;
  has(config: object): boolean;
}

/**
 * createSeen makes an empty set. Most configs reach the layer before the next request begins. They never enter the WeakSet,
 * because adding every config would cost a few percent of a request's time.
 */
export function createSeen(): Seen {
  const earlier = new WeakSet<object>();
  let latest: object | undefined;
  return {
    add(config) {
      if (latest) earlier.add(latest);
      latest = config;
    },
    remove(config) {
      if (latest === config) latest = undefined;
      else earlier.delete(config);
    },
    has: (config) => latest === config || earlier.has(config),
  };
}
