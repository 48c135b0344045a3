/** cleanSecret cuts off a line break at the end: files have one, secrets do not. */
export function cleanSecret(secret: string): string {
  return secret.replace(/[\r\n]+$/, '');
}

/** isQuoted tells whether quotes of any language are around a value. */
export const isQuoted = (value: string): boolean => /^[`\p{QMark}].*[`\p{QMark}]$/su.test(value.trim());

/** secretProblem names a control character that a secret or an id must not contain, and never shows the value. */
export function secretProblem(value: string): string | undefined {
  const at = cleanSecret(value).search(/\p{Cc}|\ufeff/u);
  if (at < 0) return undefined;
  const code = (value.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const name = names[code];
  return `contains a ${name ?? 'control character'} (U+${code}) at position ${at + 1}`;
}

const names: Readonly<Record<string, string>> = {
  '0000': 'null character',
  '0009': 'tab',
  '000A': 'line break',
  '000D': 'line break',
  FEFF: 'byte order mark',
};
