/** One function for each bundler, all minifying: (entry, file, format 'esm' or 'cjs', names of packages that stay outside). */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';

import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import nodeResolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import * as esbuild from 'esbuild';
import { rollup } from 'rollup';
import webpack from 'webpack';

const require = createRequire(import.meta.url);

export const bundlers = {
  esbuild: {
    version: esbuild.version,
    async bundle(entry, file, format, external) {
      // What esbuild's documentation advises where CommonJS code inside an ES module calls `require` on Node's own modules.
      const js =
        "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
      await esbuild.build({
        entryPoints: [entry],
        outfile: file,
        bundle: true,
        minify: true,
        platform: 'node',
        format,
        external,
        logLevel: 'error',
        ...(format === 'esm' && { banner: { js } }),
      });
    },
  },
  webpack: {
    version: webpack.version,
    async bundle(entry, file, format, external) {
      const isModule = format === 'esm';
      const compiler = webpack({
        mode: 'production',
        target: 'node20',
        entry,
        output: {
          path: dirname(file),
          filename: basename(file),
          module: isModule,
          library: { type: isModule ? 'module' : 'commonjs2' },
        },
        experiments: { outputModule: isModule },
        externals: Object.fromEntries(
          external.map((name) => [name, `${isModule ? 'module' : 'commonjs'} ${name}`]),
        ),
      });
      const stats = await new Promise((resolve, reject) =>
        compiler.run((error, result) => (error ? reject(error) : resolve(result))),
      );
      await new Promise((resolve) => compiler.close(resolve));
      if (stats.hasErrors()) throw new Error(stats.toString({ colors: false }));
    },
  },
  rollup: {
    version: require('rollup/package.json').version,
    async bundle(entry, file, format, external) {
      const bundle = await rollup({
        input: entry,
        external: (id) => external.includes(id),
        plugins: [
          nodeResolve({ exportConditions: ['node'], preferBuiltins: true }),
          commonjs(),
          json(),
          terser(),
        ],
        onLog: () => undefined,
      });
      await bundle.write({ file, format, inlineDynamicImports: true, interop: 'auto' });
      await bundle.close();
    },
  },
  ncc: {
    version: require('@vercel/ncc/package.json').version,
    /** ncc writes an ES module where the entry is one. */
    async bundle(entry, file, _format, external) {
      const { code } = await require('@vercel/ncc')(entry, {
        minify: true,
        externals: external,
        quiet: true,
        cache: false,
      });
      writeFileSync(file, code);
    },
  },
};
