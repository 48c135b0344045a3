import { type Instant, isPast, later, now } from './clock';

/**
 * RenewalPauses decides when a 401 may cost a token that still looked good. If new tokens do not help a resource, it is
 * likely outside the token's scopes, and every further token would be wasted.
 *
 * The rules: a renewal that a 401 forces starts a pause for its resource. The first pause lasts 1 s, each further one twice as
 * long, up to 5 min. When the replay of the request that forced a renewal is accepted, pause and doubling end. As long as no
 * replay was refused, another accepted request ends only the present pause. Other resources go on. After forced renewals for
 * five different resources without one that helped, every resource pauses: otherwise many forbidden resources would cost a
 * token each.
 */
export interface RenewalPauses {
  /** Whether a 401 of this resource may force a renewal now. */
  admits(resource: string): boolean;
  /** A renewal was forced for this resource. It counts as unhelpful until the opposite is seen. */
  begin(resource: string): void;
  /** A replay with a new token was refused too. The pause starts again from now. */
  prove(resource: string): void;
  /** A request with the present token was accepted. `isHelp`: it is the replay of the request that forced the renewal. */
  accepted(resource: string, isHelp: boolean): void;
  /** Whether `accepted` has nothing to do. The hot path asks this first. */
  isIdle(): boolean;
}

interface Pause {
  lengthMs: number;
  until: Instant;
  isProven: boolean;
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
      pauses.set(key, grown(pauses.get(key)));
      unhelped.add(key);
      if (unhelped.size >= MAX_UNHELPED) ofAll = grown(ofAll);
    },
    prove(resource) {
      const key = keyOf(resource);
      const pause = pauses.get(key) ?? grown(undefined);
      pauses.set(key, pause);
      for (const proven of [pause, ofAll]) {
        if (proven) Object.assign(proven, { until: later(now(), proven.lengthMs), isProven: true });
      }
    },
    accepted(resource, isHelp) {
      const key = keyOf(resource);
      const pause = pauses.get(key);
      if (isHelp) {
        pauses.delete(key);
        unhelped.clear();
        ofAll = undefined;
      } else if (pause && !pause.isProven) {
        // Other requests to the resource may still be forbidden, so the next pause is longer all the same.
        pause.until = now();
      }
    },
  };
}

const isOver = (pause: Pause | undefined): boolean => pause === undefined || isPast(pause.until);

function grown(pause: Pause | undefined): Pause {
  const lengthMs = pause ? Math.min(pause.lengthMs * 2, MAX_MS) : FIRST_MS;
  return { lengthMs, until: later(now(), lengthMs), isProven: false };
}
