/**
 * A moment on both clocks. The wall clock jumps when somebody sets it; the monotonic clock stands still while a machine is
 * suspended. So a moment counts as past as soon as either clock says so.
 */
export interface Instant {
  /** Epoch milliseconds. */
  readonly wall: number;
  /** Milliseconds of the process's monotonic clock. */
  readonly monotonic: number;
}

export const now = (): Instant => ({ wall: Date.now(), monotonic: performance.now() });

/** later returns the moment `ms` milliseconds after `instant`. */
export function later(instant: Instant, ms: number): Instant {
  return { wall: instant.wall + ms, monotonic: instant.monotonic + ms };
}

/** msUntil returns the milliseconds until `instant`, on the clock that reaches it first. */
export function msUntil(instant: Instant): number {
  return Math.min(instant.wall - Date.now(), instant.monotonic - performance.now());
}

export function isPast(instant: Instant): boolean {
  return msUntil(instant) <= 0;
}

/** earlierOf returns the earlier moment, for each clock by itself. */
export function earlierOf(one: Instant, other: Instant): Instant {
  return {
    wall: Math.min(one.wall, other.wall),
    monotonic: Math.min(one.monotonic, other.monotonic),
  };
}

/** pause resolves after `ms` milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
