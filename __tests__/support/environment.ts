import { AsyncLocalStorage } from 'node:async_hooks';

import { TestEnvironment } from 'jest-environment-node';

const inUse = new Set<AsyncLocalStorage<unknown>>();
const { prototype } = AsyncLocalStorage;
const run = Reflect.get(prototype, 'run') as (...given: unknown[]) => unknown;

Object.assign(prototype, {
  run(this: AsyncLocalStorage<unknown>, ...given: unknown[]) {
    inUse.add(this);
    return run.apply(this, given);
  },
});

/**
 * Ends each `AsyncLocalStorage` with the test file that used it. jest-circus makes one for each file and leaves it enabled, so
 * that every promise of the files that follow in the same process would carry the stores of all those before them.
 */
export default class extends TestEnvironment {
  override async teardown(): Promise<void> {
    await super.teardown();
    for (const storage of inUse) storage.disable();
    inUse.clear();
  }
}
