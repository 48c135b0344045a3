import type { Token } from './token';

/** Issued knows the `Authorization` headers of the last tokens, also of those that were never kept. */
interface Issued {
  readonly add: (token: Token) => void;
  readonly has: (authorization: unknown) => boolean;
}

/** A process that gets ever more tokens must not grow without end. */
const MAX_ISSUED = 1000;

export function createIssued(): Issued {
  /** The oldest first. */
  const issued = new Set<unknown>();
  return {
    add({ authorization }) {
      issued.delete(authorization);
      issued.add(authorization);
      const [oldest] = issued;
      if (issued.size > MAX_ISSUED) issued.delete(oldest);
    },
    has: (authorization) => issued.has(authorization),
  };
}
