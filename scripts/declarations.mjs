// What a build adds to the declarations that it made.
import { appendFileSync, rmSync } from 'node:fs';

// Nest's HttpService may see axios's declarations in the other module system than the application does: the option
// `bipsyncAuth` has to be declared in both.
appendFileSync('dist/nestjs.d.mts', "\nimport type {} from './index.cjs';\n");
appendFileSync(
  'dist/nestjs.d.cts',
  "\nimport type {} from './index.mjs' with { 'resolution-mode': 'import' };\n",
);

// The command is run, not imported.
rmSync('dist/cli.d.cts');
