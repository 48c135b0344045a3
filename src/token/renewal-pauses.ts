import { type Instant, isPast, later, now } from './clock';

/**
 * RenewalPauses decides when a 401 may cost a token that still looked good. If new tokens do not help a resource, it is
 * likely outside the token's scopes, and every further token would be wasted.
 *
 * The rules: a renewal that a 401 forces starts a pause for its resource. The first pause lasts 1 s, each further one twice as
 * long, up to 5 min. When a replay with a new token is accepted, pause and doubling end. When it is refused, the pause starts
 * again. If there was no replay, or it got no answer, any other accepted request ends the present pause, but not the doubling.
 * Other resources go on. After forced renewals for five different resources without one that helped, every resource pauses:
 * otherwise many forbidden resources would cost a token each.
 */
export interface RenewalPauses {
  /** Whether a 401 of this resource may force a renewal now. */
  admits(resource: string): boolean;
  /** A renewal was forced for this resource. It counts as unhelpful until the opposite is seen. */
  begin(resource: string): Renewal;
  /** A replay with a new token was refused too. The pause starts again from now. */
  refused(resource: string): void;
  /** A request was accepted. `isHelp`: it is a replay with a new token. */
  accepted(resource: string, isHelp: boolean): void;
  /** Whether `accepted` has nothing to do. The hot path asks this first. */
  isIdle(): boolean;
}

/** One renewal that a 401 forced. */
export interface Renewal {
  /** No replay is left that would tell whether the new token helps. Has no effect once one told. */
  end(): void;
}

interface Pause {
  lengthMs: number;
  until: Instant;
  /** What is known of the new token: nothing yet, nothing for good, or that it did not help. */
  evidence: 'awaited' | 'none' | 'refused';
}

const FIRST_MS = 1000;
const MAX_MS = 300_000;
const MAX_RESOURCES = 100;
const MAX_UNHELPED = 5;
/** What the resources beyond the first hundred share. */
const THE_REST = '';

export function createRenewalPauses(): RenewalPauses {
  const pauses = new Map<string, Pause>();
  /** The resources that renewals did not help since one last helped. */
  const unhelped = new Set<string>();
  let ofAll: Pause | undefined;

  const keyOf = (resource: string): string =>
    pauses.has(resource) || pauses.size < MAX_RESOURCES ? resource : THE_REST;

  return {
    isIdle: () => pauses.size === 0,
    admits: (resource) => isOver(ofAll) && isOver(pauses.get(keyOf(resource))),
    begin(resource) {
      const key = keyOf(resource);
      const pause = grown(pauses.get(key));
      pauses.set(key, pause);
      unhelped.add(key);
      if (unhelped.size >= MAX_UNHELPED) ofAll = grown(ofAll);
      return {
        end() {
          if (pause.evidence === 'awaited') pause.evidence = 'none';
        },
      };
    },
    refused(resource) {
      const key = keyOf(resource);
      const pause = pauses.get(key) ?? grown(undefined);
      pauses.set(key, pause);
      pause.evidence = 'refused';
      for (const each of [pause, ofAll]) if (each) each.until = later(now(), each.lengthMs);
    },
    accepted(resource, isHelp) {
      const key = keyOf(resource);
      const pause = pauses.get(key);
      if (isHelp) {
        pauses.delete(key);
        unhelped.clear();
        ofAll = undefined;
      } else if (pause?.evidence === 'none') {
        // Other requests to the resource may still be forbidden, so the next pause is longer all the same.
        pause.until = now();
      }
    },
  };
}

const isOver = (pause: Pause | undefined): boolean => pause === undefined || isPast(pause.until);

function grown(pause: Pause | undefined): Pause {
  const lengthMs = pause ? Math.min(pause.lengthMs * 2, MAX_MS) : FIRST_MS;
  return { lengthMs, until: later(now(), lengthMs), evidence: 'awaited' };
}
