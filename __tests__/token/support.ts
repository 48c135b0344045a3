import type { BipsyncAuthConfig, BipsyncAuthEvent, TokenStore } from '../../src';
import { type Answer, scripted, type Scripted, tokenAnswer } from '../support/scripted';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** Every test of the file runs on fake timers, with the middle of every jitter. */
export function useVirtualTime(): void {
  beforeEach(() => {
    jest.useFakeTimers();
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
  });
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });
}

export const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
export const tick = (): Promise<void> => advance(0);

export interface ScriptedStore extends Required<TokenStore> {
  /** What happened, in order; the token endpoint writes here too. */
  log: string[];
  /** What is stored. */
  value: unknown;
  /** Whether someone else holds the lock. */
  held: boolean;
  sets: { key: string; value: string; ttlMs: number }[];
  locks: { key: string; ttlMs: number }[];
}

/** A store of one value that notes every call, and does something else where a test says so. */
export function scriptedStore(
  behaviour: Partial<TokenStore> & { release?: () => Promise<void> } = {},
): ScriptedStore {
  const store: ScriptedStore = {
    log: [],
    value: undefined,
    held: false,
    sets: [],
    locks: [],
    get(key) {
      store.log.push('get');
      return behaviour.get ? behaviour.get(key) : Promise.resolve(store.value);
    },
    set(key, value, ttlMs) {
      store.log.push('set');
      store.sets.push({ key, value, ttlMs });
      if (behaviour.set) return behaviour.set(key, value, ttlMs);
      store.value = value;
      return Promise.resolve();
    },
    lock(key, ttlMs) {
      store.log.push('lock');
      store.locks.push({ key, ttlMs });
      if (behaviour.lock) return behaviour.lock(key, ttlMs);
      if (store.held) return Promise.resolve(undefined);
      store.held = true;
      return Promise.resolve(() => {
        store.log.push('release');
        store.held = false;
        return behaviour.release?.() ?? Promise.resolve();
      });
    },
  };
  return store;
}

/** A Bipsync that several processes use: it refuses tokens that it has not issued or has revoked. */
export function scriptedBipsync(expiresIn: unknown = 3600) {
  const good = new Set<string>();
  const bipsync = {
    minted: 0,
    refusals: 0,
    expiresIn,
    good,
    onToken: (): Answer | Promise<Answer> => {
      const accessToken = `token-${(bipsync.minted += 1)}`;
      good.add(accessToken);
      return tokenAnswer(accessToken, bipsync.expiresIn);
    },
    revoke: () => good.clear(),
  };
  return bipsync;
}
type ScriptedBipsync = ReturnType<typeof scriptedBipsync>;

/** One process: an axios with the plugin, a memory of its own, and that store. */
export function openProcess(
  tokenStore: TokenStore,
  bipsync: ScriptedBipsync = scriptedBipsync(),
  config: Partial<BipsyncAuthConfig> = {},
): Scripted {
  const state = scripted({ tokenStore, ...config });
  const log = 'log' in tokenStore ? (tokenStore as ScriptedStore).log : [];
  state.onToken = () => {
    log.push('endpoint');
    return bipsync.onToken();
  };
  state.onApi = (request) => {
    const sent = String(request.headers.get('Authorization')).slice('Bearer '.length);
    if (bipsync.good.has(sent)) return { body: { ok: true } };
    bipsync.refusals += 1;
    return { status: 401 };
  };
  return state;
}

export const request = ({ api }: Pick<Scripted, 'api'>): Promise<unknown> => api.get('/v1/research');

export const storedToken = (accessToken: string, remainingMs = HOUR, lifetimeMs = HOUR): string =>
  JSON.stringify({ v: 1, accessToken, expiresAt: Date.now() + remainingMs, lifetimeMs });

export const storeFailures = (events: BipsyncAuthEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'store-failed' ? [event.operation] : []));

export const sourcesOf = (events: BipsyncAuthEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'token-acquired' ? [event.source] : []));

export const readsOf = ({ log }: ScriptedStore): number => log.filter((entry) => entry === 'get').length;

/** What a promise has been settled with by now, without waiting for it. */
export const byNow = <T>(promise: Promise<T>): Promise<T | 'still waiting'> =>
  Promise.race([promise, Promise.resolve('still waiting' as const)]);

export const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

export function pseudoRandom(seed = 1): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
