// npm run cli -- check: runs the command from its sources, without the notices of a whole build.
import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { buildSync } from 'esbuild';

const fromRoot = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const cache = fromRoot('node_modules/.cache/axios-bipsync-auth');
const outfile = `${cache}/dist/cli.cjs`;
buildSync({
  entryPoints: [fromRoot('src/cli/index.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  external: ['axios'],
  logLevel: 'error',
});
copyFileSync(fromRoot('package.json'), `${cache}/package.json`); // for its version
process.on('exit', () => {
  // npx finds the command only where the package is installed.
  if (process.argv[2] === 'demo')
    console.error('  In this clone, write `npm run cli --` for `npx axios-bipsync-auth`.\n');
});
process.argv.splice(1, 1, outfile);
createRequire(import.meta.url)(outfile);
