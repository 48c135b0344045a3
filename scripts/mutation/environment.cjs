const { mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const TestEnvironment = require('../../__tests__/support/environment.cjs');

const reports = join(__dirname, '../../reports');
const file = join(reports, 'test-durations.json');

const isMutant = () => process.env.__STRYKER_ACTIVE_MUTANT__ !== undefined;

/** The describe block right below the root, which is the test file. */
function fileOf(test) {
  let block = test.parent;
  while (block.parent.parent !== undefined) block = block.parent;
  return block.name;
}

/** How many of the latest mutants each file noticed. Mutants of one place follow each other, and are often noticed by one file. */
const noticed = {};

function countNotice(file) {
  for (const name of Object.keys(noticed)) noticed[name] *= 0.9;
  noticed[file] = (noticed[file] ?? 0) + 1;
}

/**
 * Saves time, since the first failure judges a mutant. The run without a mutant notes how long the tests take. With a mutant the
 * files that are quick and often notice come first, a test that hangs is soon given up, and what is slow or follows the first
 * failure is skipped.
 */
module.exports = class extends TestEnvironment {
  #isDecided = false;
  #measured = { files: {}, slow: [] };

  handleTestEvent(event, state) {
    if (isMutant()) this.#judge(event, state);
    else this.#measure(event);
  }

  #judge({ name, test }, state) {
    if (name === 'run_start') {
      this.#measured = JSON.parse(readFileSync(file, 'utf8'));
      const { files } = this.#measured;
      const rank = ({ name }) => (files[name] + 10) / (noticed[name] ?? 0.05);
      state.rootDescribeBlock.children.sort((a, b) => rank(a) - rank(b));
      state.testTimeout = 4000;
    }
    if (name === 'test_start' && (this.#isDecided || this.#measured.slow.includes(test.name)))
      test.mode = 'skip';
    if (this.#isDecided || (name !== 'test_fn_failure' && name !== 'hook_failure')) return;
    this.#isDecided = true;
    if (test) countNotice(fileOf(test));
  }

  #measure({ name, test }) {
    if (name === 'test_done') {
      const { files, slow } = this.#measured;
      files[fileOf(test)] = (files[fileOf(test)] ?? 0) + test.duration;
      if (test.duration > 1000) slow.push(test.name);
    }
    if (name === 'run_finish') {
      mkdirSync(reports, { recursive: true });
      writeFileSync(file, JSON.stringify(this.#measured));
    }
  }
};
