import type { ServerResponse } from 'node:http';

import { startAnswer } from './answers';
import type { EmulatorAnswer } from './answers';
import { ownOptions } from './own-options';

/**
 * EmulatorFault is a fault of one request.
 *
 * These faults replace the answer. No token is issued:
 * - `'reset'`: the connection is reset.
 * - `'stall'`: the request is read but not answered, until the client gives up or the emulator closes.
 * - `{ status, headers?, body? }`: this answer. A string is sent as `text/plain` and bytes as `application/octet-stream`, unless
 *   `headers` has another type. Any other value is sent as JSON. Default: an empty body.
 * - `{ redirectTo, status? }`: a redirect to this URL. Default status: 307, which repeats the method and the body.
 *
 * These faults change the normal answer:
 * - `'reset-mid-body'`: status, headers and half of the body, then the connection ends.
 * - `'stall-mid-body'`: status, headers and half of the body, then nothing more.
 * - `{ delayMs }`: the answer comes this many milliseconds later, in addition to `tokenDelayMs` or `apiDelayMs`.
 * - `{ dripMs }`: one byte of the body every `dripMs` milliseconds.
 * - `{ oversizeBytes }`: JSON white space after the body, up to this total size, without a Content-Length.
 */
export type EmulatorFault =
  | 'reset'
  | 'stall'
  | 'reset-mid-body'
  | 'stall-mid-body'
  | EmulatorAnswer
  | { redirectTo: string; status?: 301 | 302 | 303 | 307 | 308 }
  | { delayMs: number }
  | { dripMs: number }
  | { oversizeBytes: number };

/** Faults that wait for the next requests, each for its number of them, in the order they were added. */
interface FaultQueue {
  add(fault: EmulatorFault, times?: number): () => void;
  next(): EmulatorFault | undefined;
  clear(): void;
}

export function faultQueue(): FaultQueue {
  const queue: { fault: EmulatorFault; left: number }[] = [];
  return {
    add(fault, times = 1) {
      if (times !== Infinity && !(Number.isInteger(times) && times > 0)) {
        throw new RangeError('times must be a whole number above 0, or Infinity');
      }
      const entry = { fault: typeof fault === 'object' ? ownOptions(fault) : fault, left: times };
      queue.push(entry);
      return () => {
        entry.left = 0;
      };
    },
    next() {
      while (queue[0]?.left === 0) queue.shift();
      const entry = queue[0];
      if (entry) entry.left -= 1;
      return entry?.fault;
    },
    clear() {
      queue.length = 0;
    },
  };
}

/** answerOrFault sends `normal()`, or what the fault makes of it; returns the answer, `undefined` if none is ever sent. */
export function answerOrFault(
  response: ServerResponse,
  delayMs: number,
  fault: EmulatorFault | undefined,
  normal: () => EmulatorAnswer,
): EmulatorAnswer | undefined {
  if (fault === 'stall') return undefined;
  if (fault === 'reset') {
    afterDelay(response, delayMs, () => response.socket?.resetAndDestroy());
    return undefined;
  }
  const answer = replacement(fault) ?? normal();
  const ownDelayMs = typeof fault === 'object' && 'delayMs' in fault ? fault.delayMs : 0;
  afterDelay(response, delayMs + ownDelayMs, () => send(response, answer, fault));
  return answer;
}

function replacement(fault: EmulatorFault | undefined): EmulatorAnswer | undefined {
  if (typeof fault !== 'object') return undefined;
  if ('redirectTo' in fault) return { status: fault.status ?? 307, headers: { Location: fault.redirectTo } };
  return 'status' in fault ? fault : undefined;
}

function send(response: ServerResponse, answer: EmulatorAnswer, fault: EmulatorFault | undefined): void {
  const bytes = startAnswer(response, answer);
  const firstHalf = bytes.subarray(0, Math.ceil(bytes.length / 2));
  if (fault === 'stall-mid-body') response.write(firstHalf);
  else if (fault === 'reset-mid-body') response.write(firstHalf, () => response.destroy());
  else if (typeof fault !== 'object') response.end(bytes);
  else if ('dripMs' in fault) drip(response, bytes, fault.dripMs);
  else if ('oversizeBytes' in fault) {
    response.removeHeader('Content-Length');
    response.write(bytes);
    response.end(Buffer.alloc(Math.max(0, fault.oversizeBytes - bytes.length), ' '));
  } else response.end(bytes);
}

function drip(response: ServerResponse, bytes: Uint8Array, intervalMs: number): void {
  let sent = 0;
  response.flushHeaders();
  const timer = setInterval(() => {
    if (sent === bytes.length) response.end();
    else response.write(bytes.subarray(sent, ++sent));
  }, intervalMs);
  response.once('close', () => clearInterval(timer));
}

/** A response also closes when its client or the emulator goes away: no timer outlives it. */
function afterDelay(response: ServerResponse, delayMs: number, run: () => void): void {
  if (delayMs <= 0) {
    run();
    return;
  }
  const timer = setTimeout(run, delayMs);
  response.once('close', () => clearTimeout(timer));
}
