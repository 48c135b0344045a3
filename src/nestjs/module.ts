import { HttpService } from '@nestjs/axios';
import {
  ConfigurableModuleBuilder,
  type DynamicModule,
  type FactoryProvider,
  type Provider,
} from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';

import {
  createInstallation,
  type GetOptions,
  INSTALLATION,
  type Installation,
  refuseNoObject,
} from './installation';
import {
  BIPSYNC_AUTH,
  type BipsyncHttpModuleAsyncOptions,
  type BipsyncHttpModuleExtras,
  type BipsyncHttpModuleOptions,
  type BipsyncHttpOptions,
  getBipsyncAuthToken,
  getBipsyncHttpToken,
  ownOptions,
} from './options';
import { refuse } from './refusal';
import { createStartCheck, START_CHECK } from './start-check';

// Two tenants whose factories read the same are still two modules, also if Nest compares modules by their content.
const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<BipsyncHttpOptions>({
  moduleName: 'BipsyncHttp',
  alwaysTransient: true,
})
  .setFactoryMethodName('createBipsyncHttpOptions')
  .setExtras<BipsyncHttpModuleExtras>({ name: undefined, global: false }, define)
  .build();

/**
 * BipsyncHttpModule provides Nest's `HttpService` with a separate axios instance on which the plugin is installed. If the
 * configuration is wrong, the application does not start. `app.close()` ejects the plugin, after the server has answered its
 * last request.
 *
 * If a test overrides both providers, nothing is installed and no configuration is needed. A factory given to
 * `registerAsync` is then not called.
 */
export class BipsyncHttpModule extends ConfigurableModuleClass {
  /**
   * Configures the module with values that are already known.
   *
   * @example
   * ```ts
   * @Module({
   *   imports: [BipsyncHttpModule.register({ auth: bipsyncAuthConfigFromEnv(), http: { timeout: 10_000 } })],
   *   providers: [ResearchService], // constructor(@Inject(HttpService) private readonly bipsync: HttpService) {}
   * })
   * class ResearchModule {}
   * ```
   *
   * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG` if `options` is not an object, or `name` is not a non-empty string. When
   * the application starts, it fails with the same code if the configuration is wrong, or if another module has the same name
   * and different options.
   */
  static override register(options: BipsyncHttpModuleOptions): DynamicModule {
    refuseNoObject(options);
    return super.register(options);
  }

  /**
   * Configures the module with values from other providers.
   *
   * @example
   * ```ts
   * BipsyncHttpModule.registerAsync({
   *   name: 'acme',
   *   inject: [ConfigService],
   *   useFactory: (config: ConfigService) => ({
   *     auth: {
   *       client: 'acme',
   *       clientId: config.getOrThrow('ACME_CLIENT_ID'),
   *       clientSecret: () => config.getOrThrow('ACME_CLIENT_SECRET'),
   *       teamId: config.getOrThrow('ACME_TEAM_ID'),
   *     },
   *   }),
   * });
   * ```
   *
   * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG` if `name` is not a non-empty string, or if there is no factory. When the
   * application starts, it fails with the same code if the configuration is wrong, if another module has the same name and
   * different options, or if the factory depends on a request-scoped provider.
   */
  static override registerAsync(options: BipsyncHttpModuleAsyncOptions): DynamicModule {
    const own = ownOptions(options);
    if (!own.useFactory && !own.useClass && !own.useExisting) {
      refuse('BipsyncHttpModule.registerAsync needs useFactory, useClass or useExisting.');
    }
    return super.registerAsync(own);
  }
}

function define(definition: DynamicModule, { name, global }: BipsyncHttpModuleExtras): DynamicModule {
  if (name !== undefined && (typeof (name as unknown) !== 'string' || name.trim() === '')) {
    refuse('The name of a BipsyncHttpModule must be a non-empty string.');
  }
  const httpToken = name === undefined ? HttpService : getBipsyncHttpToken(name);
  const authToken = name === undefined ? BIPSYNC_AUTH : getBipsyncAuthToken(name);

  /** The same name in one application; Nest's own modules have no installation. */
  const installations = (modules: ModulesContainer): Installation[] =>
    [...modules.values()]
      .filter(({ providers }) => providers.has(httpToken))
      .flatMap(
        ({ providers }) => (providers.get(INSTALLATION)?.instance as Installation | null | undefined) ?? [],
      );

  return {
    ...definition,
    global: Boolean(global),
    providers: [
      ...(definition.providers as Provider[]).map(deferOptions),
      {
        provide: INSTALLATION,
        useFactory: (getOptions: GetOptions, modules: ModulesContainer) =>
          createInstallation(name, getOptions, () => installations(modules)),
        inject: [MODULE_OPTIONS_TOKEN, ModulesContainer],
      },
      {
        provide: START_CHECK,
        useFactory: (moduleRef: ModuleRef, modules: ModulesContainer) =>
          createStartCheck(name, moduleRef, modules),
        inject: [ModuleRef, ModulesContainer],
      },
      {
        provide: httpToken,
        useFactory: async ({ get }: Installation) => (await get()).http,
        inject: [INSTALLATION],
      },
      {
        provide: authToken,
        useFactory: async ({ get }: Installation) => (await get()).auth,
        inject: [INSTALLATION],
      },
    ],
    exports: [httpToken, authToken],
  };
}

/** Nest makes every provider at the start. A test that overrides what needs the options must not need them. */
function deferOptions(provider: Provider): Provider {
  if (typeof provider === 'function' || provider.provide !== MODULE_OPTIONS_TOKEN) return provider;
  if ('useValue' in provider) return { ...provider, useValue: () => provider.useValue as unknown };
  const { useFactory } = provider as FactoryProvider<unknown>;
  return {
    ...provider,
    useFactory:
      (...injected: unknown[]) =>
      () =>
        useFactory(...injected),
  } as FactoryProvider;
}
