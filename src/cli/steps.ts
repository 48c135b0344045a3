import { COLUMNS, type Paint, wrap } from './terminal';

/** One step of a diagnosis. A hint next to `ok` is a warning. */
export interface Step {
  name: string;
  ok: boolean;
  detail: string;
  hint?: string;
}

export function passed(name: string, detail: string, hint?: string): Step {
  return { name, ok: true, detail, ...(hint !== undefined && { hint }) };
}

export function failed(name: string, detail: string, hint?: string): Step {
  return { ...passed(name, detail, hint), ok: false };
}

/** assumed marks what the command did not see and Bipsync's docs do not state. */
export const assumed = (fact: string): string => `${ASSUMED} ${fact}`;

/** What {@link assumed} begins with. */
export const ASSUMED = 'Assumed:';

/** describeToken is what a report may hold about a token. */
export function describeToken(startedAt: number, expiresAt: number): string {
  const took = Math.round(performance.now() - startedAt);
  return `obtained in ${took} ms, valid for ${describeDuration(expiresAt - Date.now())}`;
}

/** describeDuration rounds up, so that whoever waits that long has waited long enough. */
export function describeDuration(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds > 120) return `${Math.ceil(seconds / 60)} minutes`;
  return seconds === 1 ? '1 second' : `${seconds} seconds`;
}

const NAME_WIDTH = 'configuration'.length;
const INDENT = ' '.repeat(NAME_WIDTH + 6);
const WIDTH = COLUMNS - INDENT.length;

/** formatStep is a line with a tick or a cross, and the hint below it. */
export function formatStep({ name, ok, detail, hint }: Step, paint: Paint): string {
  const mark = ok ? (hint === undefined ? paint('green', '✓') : paint('yellow', '!')) : paint('red', '✗');
  const hintLines = hint === undefined ? [] : wrap(hint, WIDTH - 2);
  const lines = [
    ...wrap(detail, WIDTH),
    ...hintLines.map((line, at) => paint(ok ? 'yellow' : 'bold', `${at === 0 ? '→' : ' '} ${line}`)),
  ];
  return `  ${mark} ${name.padEnd(NAME_WIDTH)}  ${lines.join(`\n${INDENT}`)}\n`;
}
