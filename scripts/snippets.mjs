// The README's code, as its readers would use it: each snippet of TypeScript is type-checked on its own against the built
// package, and those that can run alone are run, JavaScript as CommonJS, against an emulator.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { startBipsyncEmulator } from '../dist/testing.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}.snippets`;
const snippets = [...readFileSync(`${root}README.md`, 'utf8').matchAll(/```(ts|js)\n(.*?)```/gs)].map(
  ([, language, code]) => ({ language, code }),
);

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
snippets.forEach(({ language, code }, position) =>
  language === 'ts'
    ? writeFileSync(`${folder}/snippet-${position + 1}.mts`, `${code}\nexport {};\n`)
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
};
let failed = 0;
for (const [position, { language, code }] of snippets.entries()) {
  const name = `README snippet ${position + 1}`;
  const file = language === 'ts' ? `out/snippet-${position + 1}.mjs` : `snippet-${position + 1}.cjs`;
  const status = /@Module|createClient/.test(code) ? 0 : await run(`${folder}/${file}`);
  console.log(status === 0 ? `ok     ${name}` : `not ok ${name}`);
  if (status !== 0) failed += 1;
}
await emulator.close();
console.log(`${snippets.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function run(file) {
  return new Promise((resolve) => {
    spawn(process.execPath, [file], { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: 30_000 }).on(
      'exit',
      resolve,
    );
  });
}
