import { BipsyncAuthError } from '../errors';
import { isObject, ownRecord } from '../values';

const MAX_LIST_LENGTH = 10_000;

/** What an option has to be, as a predicate and in words. The words never quote the value. */
export type Rules<Options> = {
  readonly [Option in keyof Options]-?: readonly [
    accepts: (value: unknown) => boolean,
    expectation: string | ((value: unknown) => string),
    isRequired?: true,
  ];
};

/** What a check has made of the options while some of them may be wrong. */
type Incomplete<T> = { [Name in keyof T]: T[Name] | undefined } | undefined;

export const isNonEmptyString = (value: unknown): value is string =>
  typeof value === 'string' && value.trim() !== '';

export const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(isNonEmptyString);

export const isFunction = (value: unknown): boolean => typeof value === 'function';

/**
 * checkOptions runs a check that notes problems, and throws them all as one error. If there are none, nothing that the
 * check returns is missing.
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`, listing every problem.
 */
export function checkOptions<T>(
  what: string,
  given: unknown,
  check: (problems: string[]) => Incomplete<T>,
): T {
  const problems: string[] = [];
  const result = isObject(given) ? check(problems) : undefined;
  if (result === undefined && problems.length === 0) problems.push('it must be an object');
  if (problems.length === 0) return result as T;
  throw new BipsyncAuthError('ERR_BIPSYNC_CONFIG', `${what}: ${[...new Set(problems)].join('; ')}.`);
}

/**
 * readOptions reads each option once, if it is an own property. What is wrong with an option is noted, and its name is
 * among the `rejected`: it is then neither absent nor usable.
 */
export function readOptions<Options extends object>(
  given: Options,
  rules: Rules<Options>,
  problems: string[],
  nameOf: (option: string) => string = (option) => option,
): { options: Partial<Options>; rejected: ReadonlySet<keyof Options> } {
  const options = Object.create(null) as Partial<Options>;
  const rejected = new Set<keyof Options>();
  const names = Object.keys(rules) as (keyof Options & string)[];
  const present = ownValues(given);
  for (const name of names) {
    const [accepts, expectation, isRequired] = rules[name];
    const value = present[name];
    if (value === undefined && !isRequired) continue;
    if (accepts(value)) options[name] = value as Options[typeof name];
    else {
      rejected.add(name);
      problems.push(`${nameOf(name)} ${typeof expectation === 'string' ? expectation : expectation(value)}`);
    }
  }
  const unknown = Object.keys(present).filter((name) => !Object.hasOwn(rules, name));
  if (unknown.length > 0) {
    const named = unknown.map((name) => JSON.stringify(name)).join(', ');
    problems.push(`unknown option ${named} (the options are ${names.join(', ')})`);
  }
  return { options, rejected };
}

/**
 * ownValues copies the options, and arrays among them, so that nothing of the caller's code runs later.
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG` if an accessor or a proxy throws. The thrown error may contain
 * anything, so it is not repeated.
 */
function ownValues(given: object): Readonly<Record<string, unknown>> {
  try {
    const entries = Object.entries(ownRecord(given)).map(([name, value]) => [name, copied(value)]);
    return ownRecord(Object.fromEntries(entries));
  } catch {
    throw new BipsyncAuthError(
      'ERR_BIPSYNC_CONFIG',
      'The options could not be read: one of them throws an error. Pass plain values.',
    );
  }
}

function copied(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const { length } = value;
  // No list of scopes or origins is that long.
  if (length > MAX_LIST_LENGTH) return null;
  return Array.from({ length }, (_, at) => value[at] as unknown);
}
