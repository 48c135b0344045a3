import { isBipsyncAuthError } from '../../src';
import type { Environment } from '../../src/cli/terminal';
import type { Party } from './parties';
import type { World } from './world';

/**
 * Row is one thing that goes wrong, and what its user has to be told: by the library's error, and by `bipsync-auth check`
 * if the fault is one that the command can see.
 */
export interface Row {
  /** A whole sentence: the title of the test. */
  readonly title: string;
  /** Brings the fault about. */
  readonly fault: (world: World) => Promise<Situation> | Situation;
  readonly library: Told;
  readonly check?: Diagnosed;
}

export interface Situation {
  /** What the application does: it throws, rejects, or returns what it was told by an event. */
  readonly attempt: () => unknown;
  /** The environment in which `check` meets the same fault. */
  readonly env?: Environment;
  /** Whether the command needs a process of its own, because Node reads the environment itself. */
  readonly apart?: true;
}

/** Told is what the library's user has to be told. */
export interface Told {
  /** The code of the error, of its `cause`, or of axios's own error; the type of an event; or `works`. */
  readonly code: string;
  /** The one party that is named as the one that failed. */
  readonly party: Party;
  /** The next step, as the message has it. */
  readonly step: RegExp;
}

/** Diagnosed is what `check` has to say. */
export interface Diagnosed {
  /** The step that fails first, or that carries the warning. */
  readonly at: string;
  /** Who failed, as the step says it. */
  readonly names: RegExp;
  readonly step: RegExp;
  /** The command says `ok`, because the library works in spite of it, and warns. */
  readonly warns?: true;
}

/** Report is what somebody saw of a fault. */
export interface Report {
  readonly code: string;
  readonly message: string;
}

/** reportOf reads a thrown value: this package's error, axios's with this package's as `cause`, or axios's alone. */
export function reportOf(thrown: unknown): Report {
  const { cause } = Object(thrown) as { cause?: unknown };
  const told = isBipsyncAuthError(thrown) ? thrown : isBipsyncAuthError(cause) ? cause : thrown;
  const { code = 'no code', message = String(thrown) } = Object(told) as Partial<Report>;
  return { code, message };
}
