import { HttpService } from '@nestjs/axios';
import { Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import axios from 'axios';

import { type BipsyncAuth, bipsyncAuthConfigFromEnv } from '../../src';
import {
  BIPSYNC_AUTH,
  BipsyncHttpModule,
  type BipsyncHttpModuleAsyncOptions,
  type BipsyncHttpOptions,
  type BipsyncHttpOptionsFactory,
  getBipsyncAuthToken,
  getBipsyncHttpToken,
} from '../../src/nestjs';
import { configFor, startEmulator } from '../support/emulated';
import { handlersOf, ResearchController } from './application';

const emptyEnvironment = {};

/** As an application has it: tests import the module that imports ours. */
@Module({
  imports: [BipsyncHttpModule.register({ auth: bipsyncAuthConfigFromEnv(emptyEnvironment) })],
  controllers: [ResearchController],
})
class ResearchModule {}

@Module({
  imports: [
    BipsyncHttpModule.registerAsync({
      name: 'acme',
      useFactory: () => ({ auth: bipsyncAuthConfigFromEnv(emptyEnvironment) }),
    }),
  ],
})
class AcmeModule {}

const modules: [string, typeof ResearchModule, typeof HttpService | string, string][] = [
  ['without a name', ResearchModule, HttpService, BIPSYNC_AUTH],
  ['with one', AcmeModule, getBipsyncHttpToken('acme'), getBipsyncAuthToken('acme')],
];

async function overridden(
  module: typeof ResearchModule,
  overrides: [token: typeof HttpService | string, value: unknown][],
): Promise<TestingModule> {
  const builder = Test.createTestingModule({ imports: [module] });
  for (const [token, value] of overrides) builder.overrideProvider(token).useValue(value);
  const application = await builder.compile();
  return application.init();
}

describe.each(modules)('a module %s, in a test that overrides its providers', (_, module, http, auth) => {
  const fake = { get: () => undefined };

  it('needs no configuration where both are overridden', async () => {
    const application = await overridden(module, [
      [http, fake],
      [auth, {}],
    ]);
    expect(application.get<unknown>(http, { strict: false })).toBe(fake);
    await application.close();
  });

  it.each<[string, [typeof HttpService | string, unknown][]]>([
    ['neither', []],
    ['HttpService alone', [[http, fake]]],
    ['the handle alone', [[auth, {}]]],
  ])('refuses a wrong configuration where %s is overridden', async (_overridden, overrides) => {
    await expect(overridden(module, overrides)).rejects.toMatchObject({ code: 'ERR_BIPSYNC_CONFIG' });
  });
});

describe('a factory that throws without its settings, in a test', () => {
  const settings = new Map<string, string>();

  /** Stands for ConfigService. */
  function getOrThrow(key: string): string {
    const value = settings.get(key);
    if (value === undefined) throw new TypeError(`Configuration key "${key}" does not exist`);
    return value;
  }

  class OptionsFactory implements BipsyncHttpOptionsFactory {
    createBipsyncHttpOptions(): BipsyncHttpOptions {
      return { auth: { client: getOrThrow('CLIENT'), clientId: 'id', clientSecret: 'secret', teamId: '1' } };
    }
  }

  const styles: [string, BipsyncHttpModuleAsyncOptions][] = [
    ['useFactory', { useFactory: () => new OptionsFactory().createBipsyncHttpOptions() }],
    ['an async useFactory', { useFactory: async () => new OptionsFactory().createBipsyncHttpOptions() }],
    ['useClass', { useClass: OptionsFactory }],
  ];

  it.each(styles)('%s: is not called if both providers are overridden', async (_, options) => {
    @Module({ imports: [BipsyncHttpModule.registerAsync(options)], controllers: [ResearchController] })
    class SettingsModule {}
    const application = await overridden(SettingsModule, [
      [HttpService, { get: () => undefined }],
      [BIPSYNC_AUTH, {}],
    ]);
    await application.close();
  });

  it.each(styles)('%s: is called if one of them is not overridden', async (_, options) => {
    @Module({ imports: [BipsyncHttpModule.registerAsync(options)], controllers: [ResearchController] })
    class SettingsModule {}
    const starting = overridden(SettingsModule, [[HttpService, {}]]);
    await expect(starting).rejects.toThrow('Configuration key "CLIENT" does not exist');
  });
});

it('an application that overrides HttpService alone still ejects the plugin when it closes', async () => {
  const emulator = await startEmulator();
  const instance = axios.create();
  const create = jest.spyOn(axios, 'create').mockReturnValueOnce(instance);
  @Module({ imports: [BipsyncHttpModule.register({ auth: configFor(emulator) })] })
  class GoodModule {}
  const application = await overridden(GoodModule, [[HttpService, {}]]);
  create.mockRestore();
  await application.get<BipsyncAuth>(BIPSYNC_AUTH, { strict: false }).getToken();
  expect(handlersOf(instance)).toEqual({ request: 1, response: 1 });
  await application.close();
  expect(handlersOf(instance)).toEqual({ request: 0, response: 0 });
});
