// npm run demo: runs the command from its sources, without the notices of a whole build.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { buildSync } from 'esbuild';

const fromRoot = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const outfile = fromRoot('node_modules/.cache/axios-bipsync-auth/cli.cjs');
buildSync({
  entryPoints: [fromRoot('src/cli/index.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  external: ['axios'],
  logLevel: 'error',
});
process.argv.splice(1, 1, outfile, 'demo');
createRequire(import.meta.url)(outfile);
