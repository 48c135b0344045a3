import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

import { runChild } from '../lib/child.mjs';
import { median, shuffled } from '../lib/measure.mjs';
import { benchDir, closure, modulesDir, rootDir, sizeOnDisk } from '../lib/package.mjs';

/** What each contender adds to a program that has axios already. */
const packages = {
  ours: ['axios-bipsync-auth'],
  tokenInterceptor: ['axios-token-interceptor', 'axios-oauth-client'],
  authRefresh: ['axios-auth-refresh'],
};
/** How a program reaches it; axios-auth-refresh's ESM build does not load on every Node. */
const entries = {
  ours: ['axios-bipsync-auth'],
  tokenInterceptor: ['axios-token-interceptor', 'axios-oauth-client'],
  authRefresh: ['./import-auth-refresh.cjs'],
};
const inMemory = [
  'ours',
  'handWritten',
  'tokenInterceptor',
  'authRefresh',
  'bare',
  'emptyPair',
  'constantPair',
];
const youngGeneration = ['--expose-gc', '--min-semi-space-size=256', '--max-semi-space-size=256'];

export const title = 'Footprint';

export async function run({ quick, million }) {
  // Memory does not mind company: two at a time.
  const memory = {};
  const waiting = [...inMemory];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const total = ['ours', 'constantPair', 'handWritten'].includes(name) ? million : 0;
      memory[name] = {
        ...(await runChild('memory-child.mjs', [name, total], youngGeneration)),
        after: total,
      };
    }
  };
  await Promise.all([work(), work()]);
  return {
    memory,
    imports: await imports(quick ? 5 : 21),
    sizes: await sizes(),
    parts: await parts(),
    installed: installed(),
  };
}

async function imports(rounds) {
  const cases = { axios: [], ...entries };
  const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of shuffled(Object.keys(cases))) {
      times[name].push(await runChild('import-child.mjs', ['axios', ...cases[name]]));
    }
  }
  const added = (name) => median(times[name]) / median(times.axios) - 1;
  return { rounds, added: Object.fromEntries(Object.keys(entries).map((name) => [name, added(name)])) };
}

async function sizes() {
  const result = {};
  for (const [name, names] of Object.entries(packages)) {
    const dependencies = [...closure(names)].filter((dependency) => !names.includes(dependency));
    result[name] = {
      alone: await bundled(names, ['axios', ...dependencies]),
      whole: await bundled(names, ['axios']),
    };
  }
  return result;
}

/** Everything that a program gets by importing the packages, minified by esbuild and compressed by gzip -9. */
async function bundled(names, external) {
  const { outputFiles } = await build({
    stdin: {
      contents: names.map((name, index) => `export * as p${index} from '${name}';`).join('\n'),
      resolveDir: benchDir,
    },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external,
  });
  const [{ contents }] = outputFiles;
  return { minified: contents.length, compressed: gzipSync(contents, { level: 9 }).length };
}

/** Minified bytes of the core by folder of `src`, the largest first. */
async function parts() {
  const { metafile } = await build({
    absWorkingDir: rootDir,
    entryPoints: ['src/index.ts'],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['axios'],
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  const bytes = {};
  for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
    const [, part] = file.split('/');
    const name = part.endsWith('.ts') ? 'the files beside the folders' : part;
    bytes[name] = (bytes[name] ?? 0) + bytesInOutput;
  }
  return Object.fromEntries(Object.entries(bytes).sort(([, one], [, other]) => other - one));
}

function installed() {
  return Object.fromEntries(
    Object.entries(packages).map(([name, names]) => {
      const all = [...closure(names)];
      const bytes = all.reduce((sum, dependency) => sum + sizeOnDisk(join(modulesDir, dependency)), 0);
      return [name, { bytes, packages: all.length, dependencies: all.length - names.length }];
    }),
  );
}

export function rows({ memory, imports, sizes, installed }) {
  const base = memory.constantPair.bytes;
  const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  return [
    [
      'memory allocated a request (constant pair = 1)',
      (name) => memory[name] && (memory[name].bytes / base).toFixed(3),
    ],
    [
      `heap kept after ${memory.ours.after.toLocaleString('en-US')} requests`,
      (name) => (memory[name]?.after ? kB(memory[name].retained) : undefined),
    ],
    [
      "import, on top of `import 'axios'`",
      (name) => name in imports.added && `${Math.max(0, imports.added[name] * 100).toFixed(0)} % more`,
    ],
    [
      'size minified / compressed, without dependencies',
      (name) => sizes[name] && `${kB(sizes[name].alone.minified)} / ${kB(sizes[name].alone.compressed)}`,
    ],
    [
      'size minified / compressed, with dependencies (axios apart)',
      (name) => sizes[name] && `${kB(sizes[name].whole.minified)} / ${kB(sizes[name].whole.compressed)}`,
    ],
    ['installed size, all entry points and types', (name) => installed[name] && kB(installed[name].bytes)],
    ['packages it brings (axios apart)', (name) => installed[name]?.packages],
  ];
}
