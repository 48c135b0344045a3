const { AsyncLocalStorage } = require('node:async_hooks');

const { TestEnvironment } = require('jest-environment-node');

const inUse = new Set();
// HTTP dates are in UTC. In another zone a test notices if one is read as local time.
process.env.TZ = 'Asia/Kolkata';

const { run } = AsyncLocalStorage.prototype;
AsyncLocalStorage.prototype.run = function (...given) {
  inUse.add(this);
  return run.apply(this, given);
};

/**
 * Ends each `AsyncLocalStorage` with the test file that used it. jest-circus makes one for each file and leaves it enabled, so
 * that every promise of the files that follow in the same process would carry the stores of all those before them.
 */
module.exports = class extends TestEnvironment {
  async teardown() {
    await super.teardown();
    for (const storage of inUse) storage.disable();
    inUse.clear();
  }
};
