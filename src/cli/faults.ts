import type { EmulatorFault } from '../testing/index';

/** What `--fail` asks for: a fault of the next `times` requests to the token endpoint or to the API. */
export interface RequestedFault {
  where: 'token' | 'api';
  fault: EmulatorFault;
  times: number;
}

/**
 * parseFault reads `token:503:3`, `api:reset` and the like.
 *
 * @throws Error that says how a fault is written.
 */
export function parseFault(text: string): RequestedFault {
  const [, where, what = '', times] =
    /^(token|api):([1-5]\d\d|reset|stall)(?::([1-9]\d{0,8}))?$/.exec(text) ?? [];
  if (where === undefined) {
    throw new Error(
      '--fail takes WHERE:WHAT or WHERE:WHAT:TIMES, for example token:503:3. WHERE is token or api. WHAT is an HTTP ' +
        'status, reset or stall.',
    );
  }
  return {
    where: where as 'token' | 'api',
    fault: what === 'reset' || what === 'stall' ? what : { status: Number(what) },
    times: times === undefined ? Infinity : Number(times),
  };
}
