import { HttpModule } from '@nestjs/axios';
import { type DynamicModule, forwardRef, Module, type ModuleMetadata } from '@nestjs/common';

import { BipsyncHttpModule } from '../../src/nestjs';
import { boot } from './application';

const auth = { client: 'acme', clientId: 'id', clientSecret: 'secret', teamId: '1' };

function bipsync(extras: { name?: string; global?: boolean } = {}): DynamicModule {
  return BipsyncHttpModule.register({ auth, ...extras });
}

@Module({ imports: [HttpModule], exports: [HttpModule] })
class CommonModule {}

/** What an application logs while it starts with a module of that metadata. */
async function warningsOf(metadata: ModuleMetadata, ...others: DynamicModule[]): Promise<string[]> {
  @Module(metadata)
  class ResearchModule {}
  const warnings: string[] = [];
  const ignore = (): void => undefined;
  const warn = (message: unknown): void => void warnings.push(String(message));
  await boot(
    { imports: [ResearchModule, ...others] },
    { logger: { log: ignore, error: ignore, debug: ignore, verbose: ignore, warn } },
  );
  return warnings;
}

describe('a module that imports BipsyncHttpModule without a name', () => {
  it.each<[string, ModuleMetadata['imports'] & object]>([
    ['HttpModule', [HttpModule, bipsync()]],
    ['HttpModule in second place', [bipsync(), HttpModule]],
    ['HttpModule.register()', [HttpModule.register({}), bipsync()]],
    ['a module that exports HttpModule', [CommonModule, bipsync()]],
  ])('is warned of, by its name, if it imports %s too', async (_, imports) => {
    const warnings = await warningsOf({ imports });
    expect(warnings).toEqual([
      expect.stringMatching(
        /^ResearchModule imports .*Remove HttpModule if it is left over .*getBipsyncHttpToken\(name\)/,
      ),
    ]);
  });

  it('starts if its importer imports modules that export each other', async () => {
    @Module({ imports: [forwardRef(() => SecondModule)], exports: [forwardRef(() => SecondModule)] })
    class FirstModule {}
    @Module({ imports: [forwardRef(() => FirstModule)], exports: [forwardRef(() => FirstModule)] })
    class SecondModule {}
    expect(await warningsOf({ imports: [bipsync(), FirstModule] })).toEqual([]);
  });

  it('is not warned of without another HttpService', async () => {
    expect(await warningsOf({ imports: [bipsync()] })).toEqual([]);
  });

  it('is not warned of if a global module exports another HttpService', async () => {
    const others = HttpModule.register({ global: true });
    expect(await warningsOf({ imports: [bipsync()] }, others)).toEqual([]);
  });
});

it('a module that imports HttpModule is not warned of if BipsyncHttpModule is global', async () => {
  expect(await warningsOf({ imports: [HttpModule] }, bipsync({ global: true }))).toEqual([]);
});

it('a module that imports HttpModule and BipsyncHttpModule with a name is not warned of', async () => {
  expect(await warningsOf({ imports: [HttpModule, bipsync({ name: 'acme' })] })).toEqual([]);
});
