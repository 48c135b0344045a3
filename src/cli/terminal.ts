/** As much of a stream as the commands need. */
interface Output {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** 0: fine, 1: the command failed, 2: wrong usage. */
export type ExitStatus = 0 | 1 | 2;

/** What commands use of the process, so that they run in a test without one. */
export interface Terminal {
  /** The process's own; `--env-file` adds to it. */
  env: Record<string, string | undefined>;
  stdout: Output;
  stderr: Output;
  /** Resolves at Ctrl-C or SIGTERM. */
  interrupted(): Promise<unknown>;
  version(): string;
}

/** Every line fits into a terminal of this many columns, words that are longer than a line apart. */
export const COLUMNS = 80;

const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

export type Paint = (style: keyof typeof styles, text: string) => string;

/** painter colours on a terminal only. `NO_COLOR` and `FORCE_COLOR` have their usual meanings; the first one wins. */
export function painter(env: Environment, { isTTY = false }: Output): Paint {
  const { NO_COLOR, FORCE_COLOR, TERM } = env;
  const isForced = Boolean(FORCE_COLOR) && FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  const isColoured = !NO_COLOR && (isForced || (isTTY && TERM !== 'dumb'));
  return (style, text) => (isColoured ? `\u001b[${styles[style]}m${text}\u001b[0m` : text);
}

/** A line that says what is going on and leaves no trace. */
interface Progress {
  show(text: string): void;
  clear(): void;
}

/** progressOn shows nothing if the terminal cannot overwrite a line. */
export function progressOn({ stderr, env }: Terminal): Progress {
  const write = (text: string): void => {
    if (stderr.isTTY && env['TERM'] !== 'dumb') stderr.write(`\r\u001b[K${text}`);
  };
  return { show: (text) => write(`  … ${text}`), clear: () => write('') };
}

/** wrap breaks a text into lines of at most `width` characters. Control characters in it cannot move the cursor. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  // eslint-disable-next-line no-control-regex
  for (const word of text.split(/[\s\u0000-\u001f\u007f-\u009f]+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** paragraph is a text in lines of at most 80 columns, each indented by `indent` columns. */
export function paragraph(text: string, indent = 0): string {
  return wrap(text, COLUMNS - indent)
    .map((line) => `${' '.repeat(indent)}${line}\n`)
    .join('');
}

export function toJsonLine(value: unknown, indent?: number): string {
  return `${JSON.stringify(value, null, indent)}\n`;
}
