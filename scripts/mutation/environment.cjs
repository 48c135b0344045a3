const TestEnvironment = require('../../__tests__/support/environment.cjs');

/** Skips what comes after the first failure, which is enough to judge a mutant. */
module.exports = class extends TestEnvironment {
  #isDecided = false;

  handleTestEvent(event) {
    const isMutant = process.env.__STRYKER_ACTIVE_MUTANT__ !== undefined;
    if (isMutant && (event.name === 'test_fn_failure' || event.name === 'hook_failure'))
      this.#isDecided = true;
    if (event.name === 'test_start' && this.#isDecided) event.test.mode = 'skip';
  }
};
