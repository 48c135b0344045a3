import type { TokenStore } from '../../src';
import { scripted, type Scripted, tokenAnswer } from '../support/scripted';
import { memoryTokenStore } from './memory-store';

/**
 * What a fleet costs, counted. Each "process" is an installation with a memory of its own; they share a store that
 * answers in a millisecond and a token endpoint that takes 200 ms.
 */
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const MINT_MS = 200;

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(Math, 'random').mockImplementation(pseudoRandom());
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

interface Cost {
  tokenRequests: number;
  reads: number;
  writes: number;
  locks: number;
}

function openFleet(size: number) {
  const inner = memoryTokenStore();
  let minted = 0;
  let cost: Cost = { tokenRequests: 0, reads: 0, writes: 0, locks: 0 };
  const after = async <T>(ms: number, answer: () => Promise<T>): Promise<T> => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return answer();
  };
  const store: TokenStore = {
    get(key) {
      cost.reads += 1;
      return after(1, () => inner.get(key));
    },
    set(key, value, ttlMs) {
      cost.writes += 1;
      return after(1, () => inner.set(key, value, ttlMs));
    },
    lock(key, ttlMs) {
      cost.locks += 1;
      return after(1, () => inner.lock(key, ttlMs));
    },
  };
  const good = new Set<string>();
  const processes = Array.from({ length: size }, (): Scripted => {
    const state = scripted({ tokenStore: store });
    state.onToken = () =>
      after(MINT_MS, async () => {
        cost.tokenRequests += 1;
        const accessToken = `token-${(minted += 1)}`;
        good.add(accessToken);
        return tokenAnswer(accessToken);
      });
    state.onApi = ({ headers }) =>
      good.has(String(headers.get('Authorization')).slice('Bearer '.length)) ? {} : { status: 401 };
    return state;
  });
  const tokens = (): Promise<unknown> => Promise.all(processes.map(({ auth }) => auth.getToken()));

  return {
    requests: () => Promise.all(processes.map(({ api }) => api.get('/v1/research'))),
    tokens,
    revoke: () => good.clear(),
    /** What was spent since the last time. */
    spent: (): Cost => {
      const spent = cost;
      cost = { tokenRequests: 0, reads: 0, writes: 0, locks: 0 };
      return spent;
    },
  };
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  await jest.advanceTimersByTimeAsync(ms);
  return promise;
}

describe.each([1, 10, 1000])('a fleet of %i', (size) => {
  it('costs one token a cold start, a revocation and a lifetime, and few store calls a process', async () => {
    const { requests, tokens, revoke, spent } = openFleet(size);

    await within(SECOND, requests());
    const cold = spent();
    expect(cold).toMatchObject({ tokenRequests: 1, writes: 1, locks: size });
    // One read before the lock and one under it, or one every 50 to 100 ms for the 200 ms of the token request.
    expect(cold.reads).toBeLessThanOrEqual(2 + (size - 1) * (1 + 5));

    revoke();
    await within(SECOND, requests());
    const revocation = spent();
    expect(revocation).toMatchObject({ tokenRequests: 1, writes: 1, locks: size });
    expect(revocation.reads).toBeLessThanOrEqual(2 + (size - 1) * (1 + 5));

    // One hour's token, traffic every quarter of a second in the minute in which its refresh window begins.
    await jest.advanceTimersByTimeAsync(54.9 * MINUTE);
    for (let elapsedMs = 0; elapsedMs < 1.2 * MINUTE; elapsedMs += 250) {
      await tokens();
      await jest.advanceTimersByTimeAsync(250);
    }
    const lifetime = spent();
    expect(lifetime).toMatchObject({ tokenRequests: 1, writes: 1 });
    expect(lifetime.reads).toBeLessThanOrEqual(2 + 1.05 * size);
    expect(lifetime.locks).toBeLessThanOrEqual(1 + 0.05 * size);

    process.stdout.write(`${size} processes: ${JSON.stringify({ cold, revocation, lifetime })}\n`);
  });
});

function pseudoRandom(seed = 7): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
