import { createCache } from 'cache-manager';
import Keyv from 'keyv';

import type { BipsyncAuthConfig, BipsyncAuthEvent, TokenStore } from '../../src';
import { atLength } from '../support/at-length';
import {
  type Answer,
  deferred,
  rejection,
  scripted,
  type Scripted,
  SECRET,
  tokenAnswer,
} from '../support/scripted';
import { memoryTokenStore } from './memory-store';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const tick = (): Promise<void> => advance(0);

interface ScriptedStore extends Required<TokenStore> {
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
function scriptedStore(
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
function scriptedBipsync(expiresIn: unknown = 3600) {
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
function openProcess(
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

const request = (state: Scripted): Promise<unknown> => state.api.get('/v1/research');

const storedToken = (accessToken: string, remainingMs = HOUR, lifetimeMs = HOUR): string =>
  JSON.stringify({ v: 1, accessToken, expiresAt: Date.now() + remainingMs, lifetimeMs });

const storeFailures = (events: BipsyncAuthEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'store-failed' ? [event.operation] : []));

const sourcesOf = (events: BipsyncAuthEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'token-acquired' ? [event.source] : []));

const readsOf = ({ log }: ScriptedStore): number => log.filter((entry) => entry === 'get').length;

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

describe('the order', () => {
  it('is memory, store, lock, store again, token endpoint, store, release', async () => {
    const store = scriptedStore();
    const process = openProcess(store);
    await request(process);
    await tick();
    expect(store.log).toEqual(['get', 'lock', 'get', 'endpoint', 'set', 'release']);
  });

  it('is store, token endpoint, store where there is no lock', async () => {
    const { log, get, set } = scriptedStore();
    const process = openProcess({ get, set });
    process.onToken = () => {
      log.push('endpoint');
      return tokenAnswer('token-1');
    };
    process.onApi = () => ({});
    await request(process);
    expect(log).toEqual(['get', 'endpoint', 'set']);
  });

  it('ends where a token is found: a stored one costs one read', async () => {
    const store = scriptedStore();
    const bipsync = scriptedBipsync();
    await request(openProcess(store, bipsync));
    await tick();
    store.log.length = 0;
    const second = openProcess(store, bipsync);
    await request(second);
    expect(second.sent).toEqual(['Bearer token-1']);
    expect(sourcesOf(second.events)).toEqual(['store']);
    expect(store.log).toEqual(['get']);
  });

  it('ends at the second read when another process was faster', async () => {
    const store = scriptedStore({
      lock: async () => {
        store.value = storedToken('token-of-another');
        return async () => void store.log.push('release');
      },
    });
    const process = openProcess(store);
    const { accessToken } = await process.auth.getToken();
    await tick();
    expect(accessToken).toBe('token-of-another');
    expect(store.log).toEqual(['get', 'lock', 'get', 'release']);
  });

  it('does not touch the store while memory has a good token', async () => {
    const store = scriptedStore();
    const process = openProcess(store);
    await request(process);
    await tick();
    const calls = store.log.length;
    for (let minute = 0; minute < 50; minute += 1) {
      await Promise.all(Array.from({ length: 20 }, () => request(process)));
      await advance(MINUTE);
    }
    expect(process.apiRequests).toHaveLength(1001);
    expect(store.log).toHaveLength(calls);
  });

  it('is gone through once, however many requests wait', async () => {
    const store = scriptedStore();
    const process = openProcess(store);
    await Promise.all(Array.from({ length: 100 }, () => request(process)));
    await tick();
    expect(store.log).toEqual(['get', 'lock', 'get', 'endpoint', 'set', 'release']);
  });

  it('keeps the lock until the token is stored, and no request waits for that', async () => {
    const written = deferred<undefined>();
    const store = scriptedStore({ set: () => written.promise });
    await request(openProcess(store));
    await advance(500);
    expect(store.log.at(-1)).toBe('set');
    written.resolve(undefined);
    await tick();
    expect(store.log.at(-1)).toBe('release');
  });

  it('releases the lock when the token endpoint refuses', async () => {
    const store = scriptedStore();
    const process = openProcess(store);
    process.onToken = () => ({ status: 401 });
    await rejection(request(process));
    await tick();
    expect(store.log).toEqual(['get', 'lock', 'get', 'release']);
  });

  it('releases the lock when the acquisition runs out of time', async () => {
    const store = scriptedStore();
    const process = openProcess(store);
    process.onToken = ({ signal }) =>
      new Promise<Answer>((_resolve, reject) => {
        signal?.addEventListener?.('abort', () => reject(new Error('canceled')));
      });
    const failed = rejection(request(process));
    await advance(10 * SECOND);
    expect((await failed)['code']).toBe('ERR_BIPSYNC_TOKEN_UNAVAILABLE');
    await tick();
    expect(store.log).toEqual(['get', 'lock', 'get', 'release']);
  });

  it.each([
    [10_000, 5000],
    [60_000, 5000],
    [3001, 1501],
    [1, 1],
  ])('with a tokenTimeoutMs of %i takes the lock for %i ms', async (tokenTimeoutMs, ttlMs) => {
    const store = scriptedStore();
    await openProcess(store, undefined, { tokenTimeoutMs }).auth.getToken();
    expect(store.locks).toEqual([{ key: store.sets[0]?.key, ttlMs }]);
  });
});

describe('a refused token', () => {
  /** A process whose token was just revoked. */
  async function revoked(store: ScriptedStore) {
    const bipsync = scriptedBipsync();
    const process = openProcess(store, bipsync);
    await request(process);
    await tick();
    bipsync.revoke();
    store.log.length = 0;
    return { bipsync, process };
  }

  it('counts as absent in the store, both times it is read', async () => {
    const store = scriptedStore();
    const { process } = await revoked(store);
    await request(process);
    await tick();
    expect(process.sent).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2']);
    expect(store.log).toEqual(['get', 'lock', 'get', 'endpoint', 'set', 'release']);
    expect(store.value).toContain('token-2');
  });

  it('gives way to a newer one in the store, at no token request', async () => {
    const store = scriptedStore();
    const { bipsync, process } = await revoked(store);
    store.value = storedToken('token-of-another');
    bipsync.good.add('token-of-another');
    await request(process);
    expect(process.sent.at(-1)).toBe('Bearer token-of-another');
    expect(store.log).toEqual(['get']);
    expect(bipsync.minted).toBe(1);
  });

  it('counts as absent while polling for the one who holds the lock', async () => {
    const store = scriptedStore();
    const { bipsync, process } = await revoked(store);
    store.held = true;
    const answered = request(process);
    await advance(SECOND);
    expect(bipsync.minted).toBe(1);
    store.value = storedToken('token-of-another');
    bipsync.good.add('token-of-another');
    await advance(100);
    await answered;
    expect(process.sent.at(-1)).toBe('Bearer token-of-another');
  });

  it('stays absent when a slow, late set brings it back', async () => {
    const late: (() => void)[] = [];
    const store = scriptedStore({
      set: (_key, value) =>
        value.includes('token-1"')
          ? new Promise<undefined>((resolve) =>
              late.push(() => {
                store.value = value;
                resolve(undefined);
              }),
            )
          : Promise.resolve(void (store.value = value)),
    });
    const { bipsync, process } = await revoked(store);
    await advance(7 * SECOND);
    await request(process);
    expect(process.sent.at(-1)).toBe('Bearer token-2');
    await advance(7 * SECOND);

    late.forEach((land) => land());
    expect(store.value).toContain('token-1');
    bipsync.revoke();
    await request(process);
    expect(process.sent.slice(-2)).toEqual(['Bearer token-2', 'Bearer token-3']);
    expect(store.value).toContain('token-3');

    const cold = openProcess(store, bipsync);
    await request(cold);
    expect(cold.sent).toEqual(['Bearer token-3']);
  });

  it('and one that it had replaced, which a slow, late set brings back, stay absent', async () => {
    const store = scriptedStore();
    const bipsync = scriptedBipsync();
    const process = openProcess(store, bipsync);
    await request(process);
    await tick();
    const first = store.value;
    await advance(56 * MINUTE);
    await request(process);
    await tick();
    store.value = first;
    bipsync.revoke();
    await request(process);
    expect(process.sent.slice(-2)).toEqual(['Bearer token-2', 'Bearer token-3']);
  });

  it.each([
    ['eight refused tokens are', 8, 'Bearer token-9'],
    ['the one before them is not', 9, 'Bearer token-1'],
  ])('is remembered for a while: %s', async (_what, refusals, sent) => {
    const store = scriptedStore();
    const { process, bipsync } = await revoked(store);
    const first = store.value;
    for (let refusal = 1; refusal < refusals; refusal += 1) {
      await Promise.all([request(process), request(process), request(process)]);
      await tick();
      bipsync.revoke();
    }
    store.value = first;
    bipsync.good.add('token-1');
    await request(process);
    expect(process.sent.at(-1)).toBe(sent);
  });

  it('that a store gives to a process which never saw it costs that process one replay', async () => {
    const store = scriptedStore();
    store.value = storedToken('long-revoked');
    const process = openProcess(store);
    await request(process);
    expect(process.sent).toEqual(['Bearer long-revoked', 'Bearer token-1']);
  });

  it('is good again where the token endpoint itself gives it again', async () => {
    const store = scriptedStore();
    const { bipsync, process } = await revoked(store);
    const given = ['token-1', 'token-2'];
    process.onToken = () => {
      const accessToken = given.shift()!;
      bipsync.good.add(accessToken);
      return tokenAnswer(accessToken);
    };
    await request(process);
    await tick();
    expect(process.sent.at(-1)).toBe('Bearer token-1');
    expect(store.value).toContain('token-1');
    bipsync.revoke();
    await request(process);
    expect(process.sent.at(-1)).toBe('Bearer token-2');
  });
});

describe('invalidate()', () => {
  it('is not undone by the store', async () => {
    const store = scriptedStore();
    const process = openProcess(store);
    await request(process);
    await tick();
    process.auth.invalidate();
    await request(process);
    expect(process.sent).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  it('is not undone by a store that was never read', async () => {
    const store = scriptedStore();
    store.value = storedToken('from-before');
    const process = openProcess(store);
    process.auth.invalidate();
    await request(process);
    await tick();
    expect(process.sent).toEqual(['Bearer token-1']);
    expect(store.value).toContain('token-1');
  });

  it('is not undone by a read under way', async () => {
    const answer = deferred<unknown>();
    const store = scriptedStore({ get: () => answer.promise });
    const process = openProcess(store);
    const answered = request(process);
    await tick();
    process.auth.invalidate();
    answer.resolve(storedToken('from-before'));
    await answered;
    expect(process.sent).toEqual(['Bearer token-1']);
  });

  /** What ten processes that share a store, and invalidate as told, make of one request each. */
  async function invalidated(
    isWarm: boolean,
    invalidate: (processes: Scripted[]) => Promise<void>,
  ): Promise<{ minted: number; tookMs: number }> {
    const store = memoryTokenStore();
    const bipsync = scriptedBipsync();
    const processes = Array.from({ length: 10 }, () => openProcess(store, bipsync));
    if (isWarm) {
      const answered = Promise.all(processes.map(request));
      await advance(200);
      await answered;
    }
    await invalidate(processes);
    const before = bipsync.minted;
    const start = performance.now();
    const answered = Promise.all(processes.map(request)).then(() => performance.now() - start);
    await advance(6 * SECOND);
    return { minted: bipsync.minted - before, tookMs: await answered };
  }

  it.each([
    ['twice, where there was a token', true, 2],
    ['where there never was a token', false, 1],
  ])(
    '%s, keeps no process from taking the token that another one makes next',
    async (_how, isWarm, times) => {
      const { minted, tookMs } = await invalidated(isWarm, async (processes) => {
        for (let time = 0; time < times; time += 1) processes.forEach(({ auth }) => auth.invalidate());
        await advance(1);
      });
      expect(minted).toBe(1);
      expect(tookMs).toBeLessThan(200);
    },
  );

  it('keeps nobody from the store where the clock is set back after it', async () => {
    const store = memoryTokenStore();
    const bipsync = scriptedBipsync();
    const [one, other] = [openProcess(store, bipsync), openProcess(store, bipsync)];
    other.auth.invalidate();
    jest.setSystemTime(Date.now() - 10 * MINUTE);
    await request(one);
    await tick();
    await request(other);
    expect(bipsync.minted).toBe(1);
  });

  it('is over and done with: hours later the store serves a team not asked for before', async () => {
    const store = memoryTokenStore();
    const bipsync = scriptedBipsync();
    const processes = [openProcess(store, bipsync), openProcess(store, bipsync)];
    for (const { auth } of processes) auth.invalidate();
    await advance(6 * HOUR);
    for (const { api } of processes) await api.get('/v1/research', { bipsyncAuth: { teamId: 'b2' } });
    expect(bipsync.minted).toBe(1);
    expect(processes[1]!.events).toMatchObject([
      { type: 'token-acquired', reason: 'first', source: 'store', teamId: 'b2' },
    ]);
  });

  it('of every process of a fleet costs one token, as they all had the same', async () => {
    const store = memoryTokenStore();
    const bipsync = scriptedBipsync();
    const processes = Array.from({ length: 10 }, () => openProcess(store, bipsync));
    const requestAll = async (): Promise<void> => {
      const answered = Promise.all(processes.map(request));
      await advance(200);
      await answered;
    };
    await requestAll();
    expect(bipsync.minted).toBe(1);
    processes.forEach(({ auth }) => auth.invalidate());
    await advance(1);
    await requestAll();
    expect(bipsync.minted).toBe(2);
  });
});

describe('in the refresh window', () => {
  /** A process with a token of one hour, four minutes before its end. */
  async function inWindow(store: ScriptedStore) {
    const bipsync = scriptedBipsync();
    const process = openProcess(store, bipsync);
    await request(process);
    await advance(56 * MINUTE);
    store.log.length = 0;
    process.events.length = 0;
    const refresh = async (): Promise<string | undefined> => {
      await request(process);
      await advance(10);
      return (await process.auth.getToken()).accessToken;
    };
    return { bipsync, process, refresh };
  }

  it('the stored token does not count while it is the present one', async () => {
    const store = scriptedStore();
    const { refresh } = await inWindow(store);
    expect(await refresh()).toBe('token-2');
    expect(store.log).toEqual(['get', 'lock', 'get', 'endpoint', 'set', 'release']);
  });

  it('a stored token that differs and expires later is taken, at no token request', async () => {
    const store = scriptedStore();
    const { refresh, process } = await inWindow(store);
    store.value = storedToken('refreshed-by-another', 59 * MINUTE);
    expect(await refresh()).toBe('refreshed-by-another');
    expect(store.log).toEqual(['get']);
    expect(process.events).toMatchObject([{ type: 'token-acquired', reason: 'refresh', source: 'store' }]);
  });

  it('the present one is not, even if the store says that it expires later', async () => {
    const store = scriptedStore();
    const { refresh } = await inWindow(store);
    store.value = storedToken('token-1', 59 * MINUTE);
    expect(await refresh()).toBe('token-2');
  });

  it('one that differs and expires earlier is not', async () => {
    const store = scriptedStore();
    const { refresh } = await inWindow(store);
    store.value = storedToken('older', 3 * MINUTE);
    expect(await refresh()).toBe('token-2');
  });

  it('nor is one that differs and expires at the same moment', async () => {
    const store = scriptedStore();
    const { refresh } = await inWindow(store);
    store.value = storedToken('other', 4 * MINUTE);
    expect(await refresh()).toBe('token-2');
  });

  it('a background refresh without the lock gives up until its back-off ends, and nothing fails', async () => {
    const store = scriptedStore();
    const { process, refresh, bipsync } = await inWindow(store);
    store.held = true;
    expect(await refresh()).toBe('token-1');
    expect(store.log).toEqual(['get', 'lock']);
    await advance(970);
    expect(await refresh()).toBe('token-1');
    expect(store.log).toEqual(['get', 'lock']);

    store.value = storedToken('refreshed-by-another', 59 * MINUTE);
    await advance(10);
    expect(await refresh()).toBe('refreshed-by-another');
    expect(store.log).toEqual(['get', 'lock', 'get']);
    expect(bipsync.minted).toBe(1);
    expect(process.events.filter(({ type }) => type !== 'token-acquired')).toEqual([]);
  });

  it('a background refresh for which somebody waits by now does not give up', async () => {
    const answer = deferred<undefined>();
    const store = scriptedStore();
    const { process, bipsync } = await inWindow(store);
    store.lock = () => {
      store.log.push('lock');
      return answer.promise;
    };
    await request(process);
    await tick();
    bipsync.revoke();
    const answered = request(process);
    await tick();
    answer.resolve(undefined);
    await advance(75);
    store.value = storedToken('token-of-another');
    bipsync.good.add('token-of-another');
    await advance(75);
    await answered;
    expect(process.sent.at(-1)).toBe('Bearer token-of-another');
    expect(readsOf(store)).toBe(3);
  });

  it('a request that comes just as a background refresh gives up goes on to the next', async () => {
    for (let microtasks = 0; microtasks < 20; microtasks += 1) {
      const answer = deferred<undefined>();
      const store = scriptedStore();
      const { process, bipsync } = await inWindow(store);
      const lock = store.lock.bind(store);
      store.lock = () => answer.promise;
      await request(process);
      await tick();
      answer.resolve(undefined);
      for (let i = 0; i < microtasks; i += 1) await Promise.resolve();
      store.lock = lock;
      process.auth.invalidate();
      store.value = undefined;
      const answered = process.auth.getToken();
      await advance(6000);
      expect((await answered).accessToken).toBe('token-2');
      expect(bipsync.minted).toBe(2);
    }
  });

  it('a store that fails leaves the refresh to the token endpoint', async () => {
    const store = scriptedStore();
    const { process, refresh } = await inWindow(store);
    store.get = () => Promise.reject(new Error('down'));
    expect(await refresh()).toBe('token-2');
    expect(storeFailures(process.events)).toEqual(['get']);
  });
});

describe('a lock that someone else holds', () => {
  it('means polling every 50 to 100 ms, and taking the token as soon as it is stored', async () => {
    const store = scriptedStore();
    store.held = true;
    const bipsync = scriptedBipsync();
    const process = openProcess(store, bipsync);
    const answered = request(process);
    await advance(749);
    expect(readsOf(store)).toBe(10);
    store.value = storedToken('token-of-another');
    bipsync.good.add('token-of-another');
    await advance(1);
    await answered;
    expect(process.sent).toEqual(['Bearer token-of-another']);
    expect(bipsync.minted).toBe(0);
  });

  it.each([
    [0, 50],
    [0.999999, 99],
  ])('with a jitter of %f after %i ms', async (random, afterMs) => {
    jest.spyOn(Math, 'random').mockReturnValue(random);
    const store = scriptedStore();
    store.held = true;
    void request(openProcess(store));
    await advance(afterMs - 1);
    expect(readsOf(store)).toBe(1);
    await advance(1.01);
    expect(readsOf(store)).toBe(2);
  });

  it.each([
    [10_000, 5000],
    [2000, 1000],
  ])(
    'with a tokenTimeoutMs of %i stops no request for longer than %i ms',
    async (tokenTimeoutMs, boundMs) => {
      const store = scriptedStore();
      store.held = true;
      const process = openProcess(store, undefined, { tokenTimeoutMs });
      const answered = request(process);
      await advance(boundMs - 1);
      expect(process.sent).toEqual([]);
      await advance(76);
      await answered;
      expect(process.sent).toEqual(['Bearer token-1']);
      expect(store.log.slice(-2)).toEqual(['endpoint', 'set']);
      expect(store.held).toBe(true);
      expect(storeFailures(process.events)).toEqual([]);
    },
  );
});

describe('a lock obtained late', () => {
  it('is released at once, by when the request is long answered', async () => {
    const answer = deferred<() => Promise<void>>();
    const release = jest.fn(async () => undefined);
    const store = scriptedStore({ lock: () => answer.promise });
    const process = openProcess(store);
    const answered = request(process);
    await advance(SECOND);
    await answered;
    expect(storeFailures(process.events)).toEqual(['lock']);
    await advance(MINUTE);
    answer.resolve(release);
    await tick();
    expect(release).toHaveBeenCalledTimes(1);
  });

  it('is released also where the acquisition had run out of time', async () => {
    const answer = deferred<() => Promise<void>>();
    const release = jest.fn(async () => undefined);
    const process = openProcess(scriptedStore({ lock: () => answer.promise }), undefined, {
      tokenTimeoutMs: 500,
    });
    const outcome = request(process).catch(() => undefined);
    await advance(700);
    answer.resolve(release);
    await tick();
    await outcome;
    expect(release).toHaveBeenCalledTimes(1);
  });

  it('harms nobody if it is none after all, or fails', async () => {
    const answers = [deferred<undefined>(), deferred<undefined>()];
    let calls = 0;
    const store = scriptedStore({ lock: () => answers[calls++]!.promise });
    const process = openProcess(store);
    for (let index = 0; index < 2; index += 1) {
      process.auth.invalidate();
      const answered = request(process);
      await advance(SECOND);
      await answered;
      await advance(6 * SECOND);
    }
    answers[0]!.resolve(undefined);
    answers[1]!.reject(new Error('too late'));
    await tick();
    expect(storeFailures(process.events)).toEqual(['lock', 'lock']);
  });

  it('whose release fails is told by an event and forgotten', async () => {
    const answer = deferred<() => Promise<void>>();
    const process = openProcess(scriptedStore({ lock: () => answer.promise }));
    const answered = request(process);
    await advance(SECOND);
    await answered;
    answer.resolve(() => {
      throw new Error('gone');
    });
    await tick();
    expect(storeFailures(process.events)).toEqual(['lock', 'release']);
  });
});

describe('a store that is down', () => {
  const failures: [how: string, fail: () => Promise<never>, afterMs: number][] = [
    ['rejects', () => Promise.reject(new Error('down')), 0],
    [
      'throws synchronously',
      () => {
        throw new Error('down');
      },
      0,
    ],
    ['hangs', never, SECOND],
  ];
  const operations = ['get', 'set', 'lock'] as const;
  const cases = operations.flatMap((operation) =>
    failures.map(([how, fail, afterMs]) => ({ operation, how, fail, afterMs })),
  );

  it.each(cases)(
    'where $operation $how serves from memory, says so, and is left alone for 5 s',
    async ({ operation, fail, afterMs }) => {
      const store = scriptedStore({ [operation]: fail });
      const process = openProcess(store);
      const mint = async (): Promise<void> => {
        process.auth.invalidate();
        const answered = request(process);
        await advance(afterMs);
        await answered;
        await tick();
      };
      await mint();
      expect(process.sent).toEqual(['Bearer token-1']);
      expect(storeFailures(process.events)).toEqual([operation]);

      const callsAtFailure = store.log.filter((entry) => entry !== 'endpoint').length;
      const calls = (): number => store.log.filter((entry) => entry !== 'endpoint').length;
      // From memory, without a word to the store.
      await request(process);
      // Not even for another token.
      process.auth.invalidate();
      await request(process);
      await advance(4999 - afterMs);
      process.auth.invalidate();
      await request(process);
      expect(calls()).toBe(callsAtFailure);
      expect(process.sent).toHaveLength(4);

      await advance(afterMs + 1);
      await mint();
      expect(calls()).toBeGreaterThan(callsAtFailure);
      expect(storeFailures(process.events)).toEqual([operation, operation]);
    },
  );

  it('is used again after its rest, by itself', async () => {
    let isDown = true;
    const store = scriptedStore({
      get: () => (isDown ? Promise.reject(new Error('down')) : Promise.resolve(store.value)),
    });
    const bipsync = scriptedBipsync();
    const process = openProcess(store, bipsync);
    await request(process);
    isDown = false;
    await advance(55.5 * MINUTE);
    await request(process);
    await tick();
    expect(store.value).toContain('token-2');
    const other = openProcess(store, bipsync);
    await request(other);
    expect(other.sent).toEqual(['Bearer token-2']);
  });

  it.each(failures)('where release %s delays nobody', async (_how, release) => {
    const store = scriptedStore({ release });
    const process = openProcess(store);
    await request(process);
    await advance(HOUR);
    await request(process);
    expect(process.sent).toEqual(['Bearer token-1', 'Bearer token-2']);
    expect(new Set(storeFailures(process.events))).toEqual(new Set(release === never ? [] : ['release']));
  });

  it('and slow, but within a second, is used', async () => {
    const store = scriptedStore({
      get: () => new Promise((resolve) => setTimeout(() => resolve(storedToken('stored')), 999)),
    });
    const process = openProcess(store);
    const token = process.auth.getToken();
    await advance(999);
    expect((await token).accessToken).toBe('stored');
    expect(storeFailures(process.events)).toEqual([]);
  });

  it('and answers after a second is not listened to any more', async () => {
    const store = scriptedStore({
      get: () => new Promise((resolve) => setTimeout(() => resolve(storedToken('stored')), 1001)),
    });
    const process = openProcess(store);
    const answered = request(process);
    await advance(1000);
    await answered;
    await advance(10);
    await request(process);
    expect(process.sent).toEqual(['Bearer token-1', 'Bearer token-1']);
  });

  it('costs at most one bound for all requests together', async () => {
    const store = scriptedStore({ get: never, set: never, lock: never });
    const process = openProcess(store);
    const answered = Promise.all(Array.from({ length: 50 }, () => request(process)));
    await advance(SECOND);
    await answered;
    expect(process.tokenRequests).toHaveLength(1);
    expect(store.log).toEqual(['get', 'endpoint']);
  });
});

describe('a store that returns rubbish', () => {
  const good = { v: 1, accessToken: 'stored', expiresAt: 1e13, lifetimeMs: HOUR };
  const rubbish: [what: string, value: unknown][] = [
    ['an empty text', ''],
    ['text', 'rubbish'],
    ['half a value', JSON.stringify(good).slice(0, 40)],
    ['a bare token', 'stored'],
    ['a JSON null', 'null'],
    ['a JSON text', '"stored"'],
    ['a JSON array', '[1]'],
    ['an empty record', '{}'],
    ['nesting without end', '['.repeat(100_000)],
    ['a megabyte', 'x'.repeat(1_000_000)],
    ['a number', 42],
    ['true', true],
    ['false', false],
    ['NaN', Number.NaN],
    ['a bigint', 1n],
    ['a symbol', Symbol('stored')],
    ['a function', () => good],
    ['an array', [good]],
    ['a date', new Date(0)],
    ['a Buffer', Buffer.from(JSON.stringify(good))],
    ['a Map', new Map(Object.entries(good))],
    ['an error', new Error('rubbish')],
    ['an empty object', {}],
    ['another version', { ...good, v: 2 }],
    ['no version', { ...good, v: undefined }],
    ['a version that is text', { ...good, v: '1' }],
    ['no token', { ...good, accessToken: undefined }],
    ['an empty token', { ...good, accessToken: '' }],
    ['a token with a line break', { ...good, accessToken: 'a\r\nX-Injected: 1' }],
    ['a token with a space', { ...good, accessToken: 'a b' }],
    ['a token beyond ASCII', { ...good, accessToken: 'tökèn' }],
    ['a token that is a number', { ...good, accessToken: 1 }],
    ['a token that is an array', { ...good, accessToken: ['stored'] }],
    ['no expiry', { ...good, expiresAt: undefined }],
    ['an expiry that is text', { ...good, expiresAt: '1e13' }],
    ['an expiry that is a date', { ...good, expiresAt: new Date(1e13) }],
    ['no lifetime', { ...good, lifetimeMs: undefined }],
    ['a lifetime of nothing', { ...good, lifetimeMs: 0 }],
    ['a negative lifetime', { ...good, lifetimeMs: -HOUR }],
    ['a lifetime of NaN', { ...good, lifetimeMs: Number.NaN }],
    ['a lifetime without end', { ...good, lifetimeMs: Infinity }],
    ['a lifetime of more than a day', { ...good, lifetimeMs: 24 * HOUR + 1 }],
    ['a lifetime that is text', { ...good, lifetimeMs: '3600000' }],
  ];

  it.each(rubbish)('%s, is not used, and told by an event', async (_what, value) => {
    const store = scriptedStore();
    store.value = value;
    const process = openProcess(store);
    await request(process);
    await tick();
    expect(process.sent).toEqual(['Bearer token-1']);
    expect(storeFailures(process.events)[0]).toBe('get');
    expect(storeFailures(process.events).length).toBeLessThanOrEqual(2);
  });

  it.each([undefined, null])('nothing (%s), is empty, which is no failure', async (value) => {
    const store = scriptedStore();
    store.value = value;
    const process = openProcess(store);
    await request(process);
    expect(process.sent).toEqual(['Bearer token-1']);
    expect(storeFailures(process.events)).toEqual([]);
  });

  it('or answers without a promise, is taken at its word', async () => {
    const store = scriptedStore();
    store.value = storedToken('stored');
    const { get } = store;
    store.get = ((key: string) => {
      void get(key);
      return store.value;
    }) as unknown as TokenStore['get'];
    expect((await openProcess(store).auth.getToken()).accessToken).toBe('stored');
  });

  it('or parses what it keeps, is understood', async () => {
    const store = scriptedStore();
    store.value = JSON.parse(storedToken('stored'));
    expect((await openProcess(store).auth.getToken()).accessToken).toBe('stored');
  });

  it.each([
    ['text', 'OK'],
    ['true', true],
    ['an object', {}],
  ])('as a lock: %s, is gone on without', async (_what, lock) => {
    const process = openProcess(scriptedStore({ lock: async () => lock as unknown as undefined }));
    await request(process);
    await tick();
    expect(process.sent).toEqual(['Bearer token-1']);
    expect(storeFailures(process.events)).toEqual(['release']);
  });
});

describe('a store, whatever it does,', () => {
  it('a stored object whose members throw is rubbish like any other', async () => {
    const store = scriptedStore();
    store.value = {
      get v() {
        throw new Error('rubbish');
      },
    };
    const process = openProcess(store);
    await request(process);
    expect(process.sent).toEqual(['Bearer token-1']);
  });

  it('invalidate() is not undone by the store for a team that was never asked for', async () => {
    const store = memoryTokenStore();
    const bipsync = scriptedBipsync();
    const asB = { bipsyncAuth: { teamId: 'b2' } };
    await openProcess(store, bipsync).api.get('/v1/research', asB);
    const process = openProcess(store, bipsync);
    process.auth.invalidate();
    await process.api.get('/v1/research', asB);
    expect(process.sent).toEqual(['Bearer token-2']);
  });

  it('invalidate() is not undone by the store where the present token had expired', async () => {
    const store = scriptedStore();
    const process = openProcess(store);
    await request(process);
    await advance(HOUR);
    store.value = storedToken('from-before');
    process.auth.invalidate();
    await request(process);
    expect(process.sent).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  it('a hanging store fails no request, however short tokenTimeoutMs is', async () => {
    const store = scriptedStore({ get: never });
    const process = openProcess(store, undefined, { tokenTimeoutMs: 900 });
    const outcome = request(process).then(
      () => 'answered',
      (error: unknown) => String(error),
    );
    await advance(2 * SECOND);
    expect(await outcome).toBe('answered');
  });

  it('a slow store fails no request, however short tokenTimeoutMs is', async () => {
    const slowly = <T>(value: T): Promise<T> =>
      new Promise((resolve) => setTimeout(() => resolve(value), 900));
    const store = scriptedStore({ get: () => slowly(undefined), lock: () => slowly(undefined) });
    const process = openProcess(store, undefined, { tokenTimeoutMs: 3000 });
    const outcome = request(process).then(
      () => 'answered',
      (error: unknown) => String(error),
    );
    await advance(5 * SECOND);
    expect(await outcome).toBe('answered');
  });

  it('nobody goes on polling a store that has failed', async () => {
    const store = scriptedStore();
    store.held = true;
    const process = openProcess(store);
    void request(process);
    await advance(500);
    store.get = () => Promise.reject(new Error('down'));
    await advance(200);
    expect(process.sent).toEqual(['Bearer token-1']);
  });
});

describe('stores at their worst; where a test is marked as failing, a limit that is known', () => {
  it('a store that is slow in everything fails no request, however short tokenTimeoutMs is', async () => {
    const slowly = <T>(value: T): Promise<T> =>
      new Promise((resolve) => setTimeout(() => resolve(value), 490));
    const store = scriptedStore({ get: () => slowly(undefined), lock: () => slowly(undefined) });
    const process = openProcess(store, undefined, { tokenTimeoutMs: 2000 });
    const outcome = request(process).then(
      () => 'answered',
      (error: unknown) => String(error),
    );
    await advance(5 * SECOND);
    expect(await outcome).toBe('answered');
  });

  it.failing('a revocation fails no request where each process had a token of its own', async () => {
    const { get, set } = memoryTokenStore();
    const bipsync = scriptedBipsync();
    const processes = Array.from({ length: 3 }, () => openProcess({ get, set }, bipsync));
    await Promise.all(processes.map(request));
    expect(bipsync.minted).toBe(3);
    bipsync.revoke();
    for (const process of processes) await request(process);
    expect(bipsync.minted).toBe(4);
  });

  it.failing('a lock that its holder gave back without a token is taken by one who waits', async () => {
    const store = scriptedStore();
    store.held = true;
    const process = openProcess(store);
    void request(process);
    await advance(500);
    store.held = false;
    await advance(200);
    expect(process.sent).toEqual(['Bearer token-1']);
  });

  it.failing('a lock whose holder died costs one token, not one for each who waits', async () => {
    jest.spyOn(Math, 'random').mockImplementation(pseudoRandom());
    const store = memoryTokenStore();
    const bipsync = scriptedBipsync();
    const slowly = bipsync.onToken;
    bipsync.onToken = async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return slowly();
    };
    const dead = openProcess(store, bipsync);
    dead.onToken = never;
    void request(dead).catch(() => undefined);
    await advance(100);
    const answered = Promise.all(Array.from({ length: 10 }, () => request(openProcess(store, bipsync))));
    await advance(6 * SECOND);
    await answered;
    expect(bipsync.minted).toBe(1);
  });

  it('rubbish that stays is told once, and an empty store in between is none', async () => {
    const store = scriptedStore({ set: () => Promise.resolve() });
    const process = openProcess(store);
    const told: number[] = [];
    for (const value of ['rubbish', 'rubbish', undefined, 'rubbish', null, 'rubbish']) {
      store.value = value;
      process.auth.invalidate();
      await process.auth.getToken();
      told.push(storeFailures(process.events).length);
    }
    expect(new Set(told)).toEqual(new Set([1]));
  });

  it('polling past rubbish is told by one event, not by one a poll', async () => {
    const store = scriptedStore();
    store.held = true;
    store.value = 'rubbish';
    const process = openProcess(store);
    void request(process);
    await advance(5.1 * SECOND);
    expect(storeFailures(process.events).length).toBeLessThanOrEqual(2);
  });

  it('nor where the store parses what it keeps', async () => {
    const store = scriptedStore({ get: () => Promise.resolve({ v: 2 }) });
    store.held = true;
    const process = openProcess(store);
    void request(process);
    await advance(5.1 * SECOND);
    expect(storeFailures(process.events).length).toBeLessThanOrEqual(2);
  });

  it('a store is never asked to keep a token for longer than it lives, not by a fraction', async () => {
    const store = scriptedStore();
    await openProcess(store, scriptedBipsync(10.0001)).auth.getToken();
    expect(store.sets[0]?.ttlMs).toBe(10_000);
  });
});

describe('what a store says about time', () => {
  it('is cut to the lifetime: ten hours left of one hour are one hour', async () => {
    const store = scriptedStore();
    store.value = storedToken('stored', 10 * HOUR);
    const process = openProcess(store);
    const { accessToken, expiresAt } = await process.auth.getToken();
    expect(accessToken).toBe('stored');
    expect(expiresAt).toBe(Date.now() + HOUR);
    store.value = undefined;
    await advance(59.6 * MINUTE);
    expect((await process.auth.getToken()).accessToken).toBe('token-1');
  });

  it('may be a day', async () => {
    const store = scriptedStore();
    store.value = storedToken('stored', 24 * HOUR, 24 * HOUR);
    expect((await openProcess(store).auth.getToken()).accessToken).toBe('stored');
  });

  it.each([
    ['has expired', -1],
    ['expired long ago', -1e300],
    ['is within its margin', 30 * SECOND],
  ])('is believed where the token %s: no failure, but no token', async (_what, remainingMs) => {
    const store = scriptedStore();
    store.value = storedToken('stored', remainingMs);
    const process = openProcess(store);
    await request(process);
    expect(process.sent).toEqual(['Bearer token-1']);
    expect(storeFailures(process.events)).toEqual([]);
  });

  it('counts what is left, on the wall clock and on the monotonic one', async () => {
    const store = scriptedStore();
    store.value = storedToken('stored', 10 * MINUTE);
    const process = openProcess(store);
    await process.auth.getToken();
    store.value = undefined;
    await advance(9 * MINUTE);
    const wall = Date.now();
    jest.setSystemTime(wall - HOUR);
    await advance(31 * SECOND);
    expect((await process.auth.getToken()).accessToken).toBe('token-1');
  });

  it('is compared on both clocks: one made after the clock was set back is taken for a refresh too', async () => {
    const store = scriptedStore();
    const bipsync = scriptedBipsync();
    const process = openProcess(store, bipsync);
    await request(process);
    await advance(56 * MINUTE);
    jest.setSystemTime(Date.now() - 2 * HOUR);
    store.value = storedToken('made-since-by-another');
    await request(process);
    await tick();
    expect((await process.auth.getToken()).accessToken).toBe('made-since-by-another');
    expect(bipsync.minted).toBe(1);
  });

  it('is not compared with a token that has ended: one made after the clock was set back is taken', async () => {
    const store = scriptedStore();
    const bipsync = scriptedBipsync();
    const process = openProcess(store, bipsync);
    await request(process);
    jest.setSystemTime(Date.now() - 2 * HOUR);
    await advance(HOUR);
    store.value = storedToken('made-since-by-another');
    expect((await process.auth.getToken()).accessToken).toBe('made-since-by-another');
    expect(bipsync.minted).toBe(1);
  });
});

describe('14. processes that share a store and call an endpoint outside the token’s scopes', () => {
  it.each([
    ['each in turn, every 2 s', 2, 2 * SECOND],
    ['each in turn, every second', 2, SECOND],
    ['three of them', 3, 2 * SECOND],
  ])('make some 20 tokens an hour each, %s', async (_how, count, everyMs) => {
    const store = memoryTokenStore();
    const bipsync = scriptedBipsync();
    const processes = Array.from({ length: count }, () => openProcess(store, bipsync));
    for (const process of processes) process.onApi = () => ({ status: 401 });
    for (let call = 0; call * everyMs < HOUR; call += 1) {
      const failed = rejection(request(processes[call % count]!));
      await advance(everyMs);
      await failed;
    }
    expect(bipsync.minted).toBeLessThanOrEqual(22 * count);
  });
});

describe('what is stored', () => {
  it('names neither client, team nor secret in its key, and no secret in its value', async () => {
    const store = scriptedStore();
    await openProcess(store, undefined, {
      clientId: 'the-client',
      teamId: 'theteam',
      scopes: 'users:read',
    }).auth.getToken();
    const [{ key, value }] = store.sets as [(typeof store.sets)[0]];
    expect(key).toMatch(/^bipsync-token-[\w-]{43}$/);
    for (const part of ['client', 'theteam', 'users', 'acme', SECRET]) expect(key).not.toContain(part);
    expect(value).not.toContain(SECRET);
    expect(Object.keys(JSON.parse(value) as object).sort()).toEqual([
      'accessToken',
      'expiresAt',
      'lifetimeMs',
      'v',
    ]);
    expect(JSON.parse(value)).toEqual({
      v: 1,
      accessToken: 'token-1',
      expiresAt: Date.now() + HOUR,
      lifetimeMs: HOUR,
    });
  });

  it('lies under a key for each origin, client, token endpoint and set of scopes, whatever their order', async () => {
    const keyOf = async (config: Partial<BipsyncAuthConfig>): Promise<string | undefined> => {
      const store = scriptedStore();
      await openProcess(store, undefined, config).auth.getToken();
      return store.sets[0]?.key;
    };
    const keys = await Promise.all(
      [
        {},
        { client: 'other' },
        { clientId: 'other' },
        { tokenUrl: 'https://tokens.example.com/v1/oauth/token' },
        { teamId: 'b2' },
        { scopes: 'users:read' },
        { scopes: 'users:read research:read' },
      ].map(keyOf),
    );
    expect(new Set(keys).size).toBe(keys.length);
    expect(
      await keyOf({ scopes: ['research:read', 'users:read', 'users:read'], clientSecret: 'other' }),
    ).toBe(keys.at(-1));
  });

  it.each([
    [3600, 0],
    [3600, 250],
    ['3599.5', 0],
    [10.0001, 0],
    [7.5, 1234],
    [0.5, 0],
    [1e6, 0],
  ])(
    'lives a whole number of milliseconds, no longer than the token (expires_in %p, asked for %i ms ago)',
    async (expiresIn, tookMs) => {
      const store = scriptedStore();
      const process = openProcess(store);
      process.onToken = async () => {
        await new Promise((resolve) => setTimeout(resolve, tookMs));
        return tokenAnswer('token-1', expiresIn);
      };
      const sentAt = Date.now();
      const token = process.auth.getToken();
      await advance(tookMs);
      await token;
      const { ttlMs } = store.sets[0]!;
      const remainingMs = sentAt + Math.min(Number(expiresIn), 86_400) * SECOND - Date.now();
      expect(Number.isInteger(ttlMs)).toBe(true);
      expect(ttlMs).toBeGreaterThan(0);
      // A fraction of a millisecond may be rounded up, no more.
      expect(ttlMs).toBeLessThan(remainingMs + 1);
      expect(ttlMs).toBeGreaterThan(remainingMs - 1);
    },
  );

  it.each([0, -1, '0'])('is nothing where the token is not to be kept (expires_in %p)', async (expiresIn) => {
    const store = scriptedStore();
    const process = openProcess(store, scriptedBipsync(expiresIn));
    await request(process);
    await tick();
    expect(store.log).toEqual(['get', 'lock', 'get', 'endpoint', 'release']);
  });

  it('is overwritten by the next token, never deleted', async () => {
    const store = scriptedStore();
    const process = openProcess(store);
    await request(process);
    await advance(56 * MINUTE);
    await request(process);
    await tick();
    expect(store.sets.map(({ key }) => key)).toEqual([store.sets[0]?.key, store.sets[0]?.key]);
    expect(store.value).toContain('token-2');
  });
});

describe('during a cool-down', () => {
  it('the store is asked at most once a second, and a token found there ends it', async () => {
    const store = scriptedStore();
    const bipsync = scriptedBipsync();
    const process = openProcess(store, bipsync);
    process.onToken = () => ({ status: 403 });
    await rejection(request(process));
    await tick();
    store.log.length = 0;
    for (let tenths = 0; tenths < 100; tenths += 1) {
      expect((await rejection(request(process)))['code']).toBe('ERR_BIPSYNC_IP_NOT_ALLOWED');
      await advance(100);
    }
    expect([9, 10]).toContain(store.log.length);
    expect(new Set(store.log)).toEqual(new Set(['get']));
    expect(process.tokenRequests).toHaveLength(1);

    store.value = storedToken('token-of-another');
    bipsync.good.add('token-of-another');
    await advance(SECOND);
    await request(process);
    expect(process.sent).toEqual(['Bearer token-of-another']);
    expect(process.tokenRequests).toHaveLength(1);
  });
});

describe('a fleet in one process', () => {
  atLength('mints one token on a cold start, one a revocation and one a lifetime', async () => {
    jest.spyOn(Math, 'random').mockImplementation(pseudoRandom());
    const store = memoryTokenStore();
    const bipsync = scriptedBipsync();
    const slowly = bipsync.onToken;
    bipsync.onToken = async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return slowly();
    };
    const processes = Array.from({ length: 20 }, () => openProcess(store, bipsync));
    const requestAll = (): Promise<unknown> => Promise.all(processes.map(request));

    const cold = requestAll();
    await advance(SECOND);
    await cold;
    expect(bipsync.minted).toBe(1);

    bipsync.revoke();
    const replayed = requestAll();
    await advance(SECOND);
    await replayed;
    expect(bipsync.minted).toBe(2);
    bipsync.refusals = 0;

    for (let elapsedMs = 0; elapsedMs < 9 * 57 * MINUTE; elapsedMs += MINUTE) {
      await requestAll();
      await advance(MINUTE);
    }
    expect(bipsync.refusals).toBe(0);
    expect(bipsync.minted).toBe(2 + 9);
    expect(processes.flatMap(({ events }) => storeFailures(events))).toEqual([]);
  });
});

describe('stores as people have them', () => {
  beforeEach(() => {
    jest.useRealTimers();
  });

  const shared: [name: string, open: () => TokenStore][] = [
    ['Keyv', () => new Keyv()],
    ['cache-manager', () => createCache()],
    ['cache-manager on a Keyv', () => createCache({ stores: [new Keyv({ namespace: 'tokens' })] })],
  ];

  it.each(shared)('%s shares a token, and keeps a refused one from coming back', async (_name, open) => {
    const store = open();
    const bipsync = scriptedBipsync();
    const [one, other] = [openProcess(store, bipsync), openProcess(store, bipsync)];
    await request(one);
    await request(other);
    expect(sourcesOf(other.events)).toEqual(['store']);
    bipsync.revoke();
    await request(other);
    await request(one);
    expect(bipsync.minted).toBe(2);
    expect([...one.sent, ...other.sent].filter((sent) => sent === 'Bearer token-2')).toHaveLength(2);
    expect([...storeFailures(one.events), ...storeFailures(other.events)]).toEqual([]);
  });

  it('Keyv lets a stored token go with its life', async () => {
    const store = new Keyv();
    const bipsync = scriptedBipsync(0.05);
    const [one, other] = [openProcess(store, bipsync), openProcess(store, bipsync)];
    await request(one);
    await new Promise((resolve) => setTimeout(resolve, 80));
    await request(other);
    expect(bipsync.minted).toBe(2);
  });
});

function pseudoRandom(seed = 1): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
