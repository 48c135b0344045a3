// The code in the README and in the guides named below, as their readers would use it: each snippet of TypeScript is
// type-checked on its own against the built package, and then every snippet is run against an emulator, JavaScript as
// CommonJS. Snippets that use Redis run while Redis is down. Nest modules are type-checked only.
//
// A block under a comment with the name of a file is a quotation, and is left to scripts/quotes.mjs.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { startBipsyncEmulator } from '../dist/testing.mjs';

const DOCUMENTS = ['README.md', 'docs/getting-started.md', 'docs/security.md'];

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}.snippets`;
const snippets = DOCUMENTS.flatMap((document) =>
  [...readFileSync(`${root}${document}`, 'utf8').matchAll(/(<!-- [^\n]+ -->\n\n)?^```(ts|js)\n(.*?)^```/gms)]
    .filter(([, quoted]) => !quoted)
    .map(([, , language, code], position) => ({
      name: `${document} snippet ${position + 1}`,
      language,
      code,
    })),
);

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
snippets.forEach(({ language, code }, position) =>
  language === 'ts'
    ? writeFileSync(`${folder}/snippet-${position + 1}.mts`, `${code}\nexport {};\n${ending(code)}`)
    : writeFileSync(`${folder}/snippet-${position + 1}.cjs`, code),
);
writeFileSync(
  `${folder}/tsconfig.json`,
  JSON.stringify({
    compilerOptions: {
      module: 'nodenext',
      target: 'es2022',
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      experimentalDecorators: true,
      skipLibCheck: false,
      types: ['node'],
      rootDir: folder,
      outDir: `${folder}/out`,
    },
    include: ['*.mts'],
  }),
);
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', folder], {
  stdio: 'inherit',
});

const emulator = await startBipsyncEmulator();
const env = {
  ...process.env,
  BIPSYNC_BASE_URL: emulator.url,
  BIPSYNC_CLIENT_ID: emulator.clientId,
  BIPSYNC_CLIENT_SECRET: emulator.clientSecret,
  BIPSYNC_TEAM_ID: emulator.teamId,
  BIPSYNC_SCOPES: 'rest_api:read research:read',
  TOKEN_KEY: randomBytes(32).toString('base64'),
  REDIS_URL: 'redis://127.0.0.1:1', // nothing listens there
};
let failed = 0;
for (const [position, { name, language, code }] of snippets.entries()) {
  const file = language === 'ts' ? `out/snippet-${position + 1}.mjs` : `snippet-${position + 1}.cjs`;
  const status = code.includes('@Module') ? 0 : await run(`${folder}/${file}`);
  console.log(status === 0 ? `ok     ${name}` : `not ok ${name}`);
  if (status !== 0) failed += 1;
}
await emulator.close();
console.log(`${snippets.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** A Redis client that goes on trying to connect would keep its process alive. */
function ending(code) {
  return code.includes('createClient') ? 'process.exit();\n' : '';
}

function run(file) {
  return new Promise((resolve) => {
    spawn(process.execPath, [file], { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: 30_000 }).on(
      'exit',
      resolve,
    );
  });
}
