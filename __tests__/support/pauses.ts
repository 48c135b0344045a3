import * as clock from '../../src/token/clock';

/**
 * In the tests of a file, one attempt at a token request follows the other at once: for tests over a real network, which are
 * not about the pauses in between. token/minting.test.ts is, on a clock of its own.
 */
export function skipPauses(of: { pause: (ms: number) => Promise<void> } = clock): void {
  let pause: jest.SpyInstance;
  beforeEach(() => {
    pause = jest.spyOn(of, 'pause').mockImplementation(() => new Promise((resolve) => setImmediate(resolve)));
  });
  afterEach(() => pause.mockRestore());
}
