/* global testFiles */
// Many test files as one: for a mutant, loading them one by one would take longer than running them.
require('../../__tests__/support/emulated.ts');

afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

for (const file of testFiles) {
  describe(file, () => void require(`../../__tests__/${file}.test.ts`));
}
