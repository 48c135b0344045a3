/** For tests that take seconds: left out where each of thousands of mutants is judged. */
export const atLength = process.env['STRYKER_MUTATOR_WORKER'] === undefined ? it : it.skip;
