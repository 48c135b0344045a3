import type { TokenStore } from '../../src/options/token-store';

/** The smallest store there is, with what it holds in sight. */
export function memoryTokenStore(
  entries = new Map<string, { value: unknown; until: number }>(),
): Required<TokenStore> & { entries: typeof entries } {
  const read = (key: string): unknown => {
    const entry = entries.get(key);
    return entry && entry.until > Date.now() ? entry.value : undefined;
  };
  const write = (key: string, value: unknown, ttlMs: number) =>
    entries.set(key, { value, until: Date.now() + ttlMs });

  return {
    entries,
    get: async (key) => read(`token:${key}`),
    set: async (key, value, ttlMs) => write(`token:${key}`, value, ttlMs),
    async lock(key, ttlMs) {
      if (read(`lock:${key}`) !== undefined) return undefined;
      const owner = Symbol();
      write(`lock:${key}`, owner, ttlMs);
      return async () => {
        if (read(`lock:${key}`) === owner) entries.delete(`lock:${key}`);
      };
    },
  };
}
