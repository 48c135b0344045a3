import { defineConfig } from 'tsdown';

const entry = {
  index: 'src/index.ts',
  stores: 'src/stores/index.ts',
  nestjs: 'src/nestjs/index.ts',
  testing: 'src/testing/index.ts',
};

export default defineConfig({
  entry,
  // The command is run, not imported, so it is built as CommonJS only.
  format: { esm: {}, cjs: { entry: { ...entry, cli: 'src/cli/index.ts' } } },
  platform: 'node',
  target: 'node20',
  dts: true,
  clean: true,
  outDir: 'dist',
  // ES modules are always strict; without this line the CommonJS build would ignore a write to a frozen config.
  outputOptions: { strict: true },
});
