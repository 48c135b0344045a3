import * as fc from 'fast-check';

import { scenario } from './scenario';
import { playScenario } from './world';

const runs = Number(process.env['RACE_RUNS'] ?? 600);
// A short run, as in `npm test`, is always the same. A long one looks for something new.
const unseen = process.env['RACE_RUNS'] === undefined ? 1 : Math.floor(Math.random() * 0x7fffffff);
const seed = Number(process.env['RACE_SEED'] ?? unseen);

beforeAll(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask'] });
});

afterAll(() => {
  jest.useRealTimers();
});

test(
  'in any order of requests, answers, clocks, cancellations and the handle’s methods, the rules hold',
  async () => {
    process.stdout.write(`race: ${runs} runs, RACE_SEED=${seed}\n`);
    const property = fc.asyncProperty(fc.scheduler(), scenario, async (scheduler, played) => {
      const broken = await playScenario(scheduler, played);
      if (broken !== undefined) throw new Error(broken);
    });
    await fc.assert(property, {
      numRuns: runs,
      seed,
      endOnFailure: process.env['RACE_SHRINK'] === '0',
      plugins: [fc.afterEach(() => jest.clearAllTimers())],
    });
  },
  60_000 + runs * 50,
);
