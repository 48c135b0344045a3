import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { build } from 'esbuild';

export const benchDir = dirname(dirname(fileURLToPath(import.meta.url)));
export const rootDir = dirname(benchDir);
export const modulesDir = join(benchDir, 'node_modules');
const shipped = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md'];

/**
 * installBuild puts the built package where an installation would put it, so that it shares the bench's axios with its
 * peers and can be imported by name. Without a build it makes one.
 */
export function installBuild(dist = join(rootDir, 'dist')) {
  if (!existsSync(join(dist, 'index.mjs'))) {
    execFileSync('npm', ['run', '--silent', 'build'], {
      cwd: rootDir,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const home = join(modulesDir, 'axios-bipsync-auth');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  for (const file of shipped) {
    if (existsSync(join(rootDir, file))) cpSync(join(rootDir, file), join(home, file));
  }
  cpSync(resolve(dist), join(home, 'dist'), { recursive: true });
}

/**
 * buildWithoutHiding builds the plugin from its sources, except that the token of an answered request stays where every
 * logger prints it. The hot path beside it shows what the hiding costs. Resolves to the module's URL.
 */
export async function buildWithoutHiding() {
  const outfile = join(modulesDir, '.without-hiding', 'index.mjs');
  const nothing = `
    export const createConcealConfig = () => () => {};
    export const concealRoutes = () => {};
    export const concealResponse = () => {};
    export const concealError = (error) => error;
  `;
  await build({
    entryPoints: [join(rootDir, 'src', 'index.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['axios'],
    plugins: [
      {
        name: 'without-hiding',
        setup: ({ onLoad }) => onLoad({ filter: /request.concealment\.ts$/ }, () => ({ contents: nothing })),
      },
    ],
  });
  return pathToFileURL(outfile).href;
}

export function packageJson(name) {
  return JSON.parse(readFileSync(join(modulesDir, name, 'package.json'), 'utf8'));
}

/** The packages that installing `names` brings, themselves included; peers such as axios are there already. */
export function closure(names, found = new Set()) {
  for (const name of names) {
    if (found.has(name)) continue;
    found.add(name);
    closure(Object.keys(packageJson(name).dependencies ?? {}), found);
  }
  return found;
}

export function sizeOnDisk(path) {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOnDisk(join(path, name)), 0);
}
