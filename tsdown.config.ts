import { defineConfig } from 'tsdown';

const entry = ['src/index.ts', 'src/stores.ts', 'src/nestjs.ts', 'src/testing.ts'];

export default defineConfig({
  entry,
  // The command is run, not imported: CommonJS alone.
  format: { esm: {}, cjs: { entry: [...entry, 'src/cli.ts'] } },
  platform: 'node',
  target: 'node20',
  dts: true,
  // A file each, as in src: what an entry point does not use is not loaded.
  unbundle: true,
  clean: true,
  outDir: 'dist',
});
