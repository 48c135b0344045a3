import { memoryTokenStore } from '../stores/memory-store';
import { atLength } from '../support/at-length';
import {
  advance,
  MINUTE,
  openProcess,
  pseudoRandom,
  request,
  scriptedBipsync,
  SECOND,
  storeFailures,
  useVirtualTime,
} from './support';

useVirtualTime();

atLength(
  'twenty processes with one store make one token on a cold start, one per revocation and one per lifetime',
  async () => {
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
  },
);
