import { join } from 'node:path';

import { benchDir } from './package.mjs';

/** Formatted as the rest of the repository, where its formatter is installed. */
export async function formatted(text, file) {
  try {
    const { format, resolveConfig } = await import('prettier');
    const filepath = join(benchDir, file);
    return await format(text, { ...(await resolveConfig(filepath)), filepath });
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return text;
  }
}
