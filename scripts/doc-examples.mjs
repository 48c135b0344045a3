/**
 * The examples in the doc comments of src: each is type-checked, and each exported function and class has one.
 *
 * An example is a block of TypeScript in a comment. It may use everything that the entry points export, and the names
 * that are declared below.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.doc-examples');
const entryPoints = ['index', 'stores/index', 'nestjs/index', 'testing/index'];

/** What an example takes for granted. */
const surroundings = `
import axios, { type AxiosInstance } from 'axios';
import MockAdapter from 'axios-mock-adapter';
import { HttpService } from '@nestjs/axios';
import { Inject, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { subscribe } from 'node:diagnostics_channel';
import { Redis } from 'ioredis';
import { createClient } from 'redis';

declare const api: AxiosInstance;
declare const auth: BipsyncAuth;
declare const clientId: string, clientSecret: string, teamId: string;
declare const url: string, newerKey: string, olderKey: string;
declare const readSecret: () => Promise<string>;
declare const sendCommand: SendRedisCommand;
declare const log: (error: unknown) => void;
declare class ConfigService { getOrThrow(name: string): string }
declare class ResearchService {}
`;

const strict = ts.parseJsonConfigFileContent({ extends: './tsconfig.json', files: [] }, ts.sys, root).options;
const options = { ...strict, noUnusedLocals: false };

const sources = entryPoints.map((name) => join(root, 'src', `${name}.ts`));
const program = ts.createProgram(sources, options);
const checker = program.getTypeChecker();
const problems = [];

const examples = readdirSync(join(root, 'src'), { recursive: true })
  .filter((name) => name.endsWith('.ts'))
  .flatMap((name) => examplesIn(program.getSourceFile(join(root, 'src', name))));

const exported = sources.map((path) => {
  const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(path)));
  return { path, symbols: symbols.map(original) };
});
for (const { symbols } of exported) {
  for (const symbol of new Set(symbols)) {
    const isCode = (symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class)) !== 0;
    if (isCode && !examples.some(({ declaration }) => isWithin(declaration, symbol.declarations[0]))) {
      problems.push(`${symbol.name} has no example`);
    }
  }
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const files = new Map(
  examples.map((example, position) => [join(folder, `example-${position + 1}.ts`), example]),
);
for (const [path, { code }] of files)
  writeFileSync(path, `${head()}\nasync function example() {\n${code}\n}\n`);

for (const diagnostic of ts.getPreEmitDiagnostics(ts.createProgram([...files.keys()], options))) {
  const example = files.get(diagnostic.file?.fileName);
  problems.push(`${example?.place ?? ''}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')}`);
}
console.log([...problems, `${examples.length} examples, ${problems.length} problems`].join('\n'));
process.exitCode = problems.length === 0 && examples.length > 0 ? 0 : 1;

/** The blocks of TypeScript in the doc comments of a file. */
function examplesIn(file) {
  const found = [];
  const visit = (declaration) => {
    for (const comment of declaration.jsDoc ?? []) {
      const text = comment.getText().replace(/^[ \t]*\* ?/gm, '');
      const { line } = file.getLineAndCharacterOfPosition(comment.getStart());
      const place = `${relative(root, file.fileName)}:${line + 1}`;
      for (const [, code] of text.matchAll(/^```ts\n(.*?)^```/gms)) found.push({ declaration, place, code });
    }
    ts.forEachChild(declaration, visit);
  };
  if (file) visit(file);
  return found;
}

/** Imports of everything that the entry points export, each name once. */
function head() {
  const places = new Map(
    exported.flatMap(({ path, symbols }) => symbols.map(({ name }) => [name, relative(folder, path)])),
  );
  const imports = [...places].map(
    ([name, path]) => `import { ${name} } from '${path.replace(/\.ts$/, '')}';`,
  );
  return imports.join('\n') + surroundings;
}

/** An export may be a name for something elsewhere. */
function original(symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** A class has an example if one of its members has. */
function isWithin(node, parent) {
  for (let at = node; at; at = at.parent) if (at === parent) return true;
  return false;
}
