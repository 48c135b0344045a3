import axios, { type AxiosResponse, type AxiosResponseHeaders } from 'axios';

import { asRecord } from '../values';

const AUTHORIZATION = 'authorization';

/** readResponseHeader reads what an adapter gave for headers, in any form that axios takes. */
export function readResponseHeader({ headers }: AxiosResponse, name: string): unknown {
  return axios.AxiosHeaders.from(headers as AxiosResponseHeaders).get(name);
}

/** readAuthorization looks in whatever a caller gave for headers, and in every spelling. */
export function readAuthorization(headers: unknown): unknown {
  const record = asRecord(headers);
  const found = Object.keys(record).find(isAuthorization);
  return found && record[found];
}

/** takeAuthorization deletes the header in every spelling, and gives what it held. */
export function takeAuthorization(headers: object): unknown {
  let taken: unknown;
  for (const key of Object.keys(headers)) {
    if (isAuthorization(key)) {
      taken ??= Reflect.get(headers, key);
      Reflect.deleteProperty(headers, key);
    }
  }
  return taken;
}

const isAuthorization = (key: string): boolean =>
  key.length === AUTHORIZATION.length && key.toLowerCase() === AUTHORIZATION;

/** shallowCopy keeps what a spread loses: the prototype, and properties that are not enumerable. */
export function shallowCopy<T extends object>(original: T): T {
  return Object.create(
    Object.getPrototypeOf(original) as object | null,
    Object.getOwnPropertyDescriptors(original),
  ) as T;
}
