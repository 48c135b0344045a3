import { type Paint, wrap } from './terminal';

/** One step of a diagnosis. A hint beside `ok` is a warning. */
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

/** describeToken says of a token what may be said of it. */
export function describeToken(startedAt: number, expiresAt: number): string {
  const took = Math.round(performance.now() - startedAt);
  return `obtained in ${took} ms, good for ${describeLifetime(expiresAt)}`;
}

export function describeLifetime(expiresAt: number): string {
  const seconds = Math.max(0, Math.round((expiresAt - Date.now()) / 1000));
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

const NAME_WIDTH = 'configuration'.length;
const INDENT = ' '.repeat(NAME_WIDTH + 6);
const WIDTH = 98 - INDENT.length;

/** formatStep is a line with a tick or a cross, and the hint below it. */
export function formatStep({ name, ok, detail, hint }: Step, paint: Paint): string {
  const mark = ok ? (hint === undefined ? paint('green', '✓') : paint('yellow', '!')) : paint('red', '✗');
  const lines = [
    ...wrap(detail, WIDTH),
    ...wrap(hint ?? '', WIDTH - 2).flatMap((line, index) =>
      line === '' ? [] : [paint(ok ? 'yellow' : 'bold', `${index === 0 ? '→' : ' '} ${line}`)],
    ),
  ];
  return `  ${mark} ${name.padEnd(NAME_WIDTH)}  ${lines.join(`\n${INDENT}`)}\n`;
}
