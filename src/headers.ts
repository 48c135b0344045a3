import { asRecord } from './json';

const AUTHORIZATION = 'authorization';

/** readHeader looks a header up whatever its case, in whatever an adapter or a caller gave for headers. */
export function readHeader(headers: unknown, name: string): unknown {
  const record = asRecord(headers);
  const found = Object.keys(record).find((key) => isNamed(key, name));
  return found && record[found];
}

export function readAuthorization(headers: unknown): unknown {
  return readHeader(headers, AUTHORIZATION);
}

/** takeAuthorization deletes the header in every spelling, and gives what it held. */
export function takeAuthorization(headers: object): unknown {
  let taken: unknown;
  for (const key of Object.keys(headers)) {
    if (isNamed(key, AUTHORIZATION)) {
      taken ??= Reflect.get(headers, key);
      Reflect.deleteProperty(headers, key);
    }
  }
  return taken;
}

const isNamed = (key: string, name: string): boolean =>
  key.length === name.length && key.toLowerCase() === name;

/** shallowCopy keeps what a spread loses: the prototype, and properties that are not enumerable. */
export function shallowCopy<T extends object>(original: T): T {
  return Object.create(
    Object.getPrototypeOf(original) as object | null,
    Object.getOwnPropertyDescriptors(original),
  ) as T;
}
