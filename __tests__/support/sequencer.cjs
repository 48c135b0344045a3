const { default: Sequencer } = require('@jest/test-sequencer');

/** Short files that take long. Where nothing was measured yet, jest starts the large files first. */
const long = ['fleet/fleet', 'fleet-sim/fleet-sim', 'cli/demo', 'race/race', 'stores/source-cost'];

/** Starts what takes long first, so that no worker is left alone with it in the end. */
module.exports = class extends Sequencer {
  sort(tests) {
    const isLong = ({ path }) => long.some((name) => path.endsWith(`${name}.test.ts`));
    const sorted = super.sort(tests);
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
};
