import { defineConfig } from 'tsdown';

const entry = ['src/index.ts', 'src/stores.ts', 'src/nestjs.ts', 'src/testing.ts'];

export default defineConfig({
  entry,
  // The command is run, not imported: CommonJS alone.
  format: { esm: {}, cjs: { entry: [...entry, 'src/cli.ts'] } },
  platform: 'node',
  target: 'node20',
  dts: true,
  clean: true,
  outDir: 'dist',
});
