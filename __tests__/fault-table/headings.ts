import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A heading of docs/troubleshooting.md that is a message, in which `…` stands for anything. */
export interface MessageHeading {
  readonly text: string;
  readonly matches: (message: string) => boolean;
}

/** messageHeadings reads the headings that are literal messages: those in backticks. */
export function messageHeadings(): MessageHeading[] {
  const guide = readFileSync(join(__dirname, '../../docs/troubleshooting.md'), 'utf8');
  return [...guide.matchAll(/^### (`+)(.+)\1$/gm)].map(([, , text = '']) => {
    const literals = text.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const pattern = new RegExp(literals.join('.*'), 's');
    return { text, matches: (message) => pattern.test(message) };
  });
}
