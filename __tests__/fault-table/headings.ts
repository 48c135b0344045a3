import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A message, or a part of one, that docs/troubleshooting.md has an entry for. `…` stands for anything. */
export interface Entry {
  readonly text: string;
  readonly matches: (message: string) => boolean;
}

/** troubleshootingEntries reads the headings that are literal messages: those in backticks. */
export function troubleshootingEntries(): Entry[] {
  return [...guide().matchAll(/^### (`+)(.+)\1$/gm)].map(([, , text = '']) => entry(text));
}

/** configurationProblems reads the first column of the table below the message that lists the problems of a configuration. */
export function configurationProblems(): Entry[] {
  const [, section = ''] = guide().split('### `The configuration of axios-bipsync-auth was rejected: …`\n');
  const [table = ''] = section.split('\n### ');
  const cells = [...table.matchAll(/^\| (`.+?`) +\|/gm)].map(([, cell = '']) => cell);
  return cells.flatMap((cell) =>
    [...cell.matchAll(/(`+)(.+?) ?\1(?!`)/g)].map(([, , text = '']) => entry(text)),
  );
}

const guide = (): string => readFileSync(join(__dirname, '../../docs/troubleshooting.md'), 'utf8');

function entry(text: string): Entry {
  const literals = text.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(literals.join('.*'), 's');
  return { text, matches: (message) => pattern.test(message) };
}
