import { HttpService } from '@nestjs/axios';
import {
  type ConfigurableModuleAsyncOptions,
  ConfigurableModuleBuilder,
  type DynamicModule,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import axios, { type CreateAxiosDefaults } from 'axios';

import type { BipsyncAuthConfig } from '../options/types';
import { BipsyncAuthError, isBipsyncAuthError } from '../errors';
import { type BipsyncAuth, installBipsyncAuth } from '../install';

/** BipsyncHttpOptions is what one tenant's `HttpService` is made of. */
export interface BipsyncHttpOptions {
  /** The plugin's configuration, as `installBipsyncAuth` takes it. */
  auth: BipsyncAuthConfig;
  /** axios's own configuration, as `axios.create` takes it. Default: none. */
  http?: CreateAxiosDefaults | undefined;
}

/** BipsyncHttpModuleExtras decide how the rest of the application sees the module. */
export interface BipsyncHttpModuleExtras {
  /**
   * Sets tenants apart: the module then provides nothing but `getBipsyncHttpToken(name)` and
   * `getBipsyncAuthToken(name)`. Default: none, which provides `HttpService` and {@link BIPSYNC_AUTH}. Give every
   * tenant a name as soon as there are two, or where a module imports Nest's own `HttpModule` too.
   */
  name?: string | undefined;
  /** Whether every module sees the exports without importing them, as in Nest's `HttpModule`. Default: false. */
  global?: boolean | undefined;
}

/** BipsyncHttpModuleOptions is what `BipsyncHttpModule.register` takes. */
export interface BipsyncHttpModuleOptions extends BipsyncHttpOptions, BipsyncHttpModuleExtras {}

/** BipsyncHttpOptionsFactory is what a class given as `useClass` or `useExisting` implements. */
export interface BipsyncHttpOptionsFactory {
  createBipsyncHttpOptions(): BipsyncHttpOptions | Promise<BipsyncHttpOptions>;
}

/**
 * BipsyncHttpModuleAsyncOptions is what `BipsyncHttpModule.registerAsync` takes: `useFactory` (with `inject`),
 * `useClass` or `useExisting`, and `imports`. `name` and `global` stand beside them, for Nest needs them earlier.
 */
export interface BipsyncHttpModuleAsyncOptions
  extends
    ConfigurableModuleAsyncOptions<BipsyncHttpOptions, keyof BipsyncHttpOptionsFactory>,
    BipsyncHttpModuleExtras {}

/** BIPSYNC_AUTH is the injection token of the `BipsyncAuth` handle of a module without a name. */
export const BIPSYNC_AUTH = 'BIPSYNC_AUTH';

/**
 * getBipsyncHttpToken is the injection token of the `HttpService` of the module registered under that name.
 *
 * @example
 * ```ts
 * constructor(@Inject(getBipsyncHttpToken('acme')) private readonly acme: HttpService) {}
 * ```
 */
export function getBipsyncHttpToken(name: string): string {
  return `BIPSYNC_HTTP:${name}`;
}

/**
 * getBipsyncAuthToken is the injection token of the `BipsyncAuth` handle of the module registered under that name.
 *
 * @example
 * ```ts
 * constructor(@Inject(getBipsyncAuthToken('acme')) private readonly acme: BipsyncAuth) {}
 * ```
 */
export function getBipsyncAuthToken(name: string): string {
  return `${BIPSYNC_AUTH}:${name}`;
}

/** One private axios with the plugin on it. */
interface Installed {
  readonly http: HttpService;
  readonly auth: BipsyncAuth;
}

/** Installs when the first of the public providers is made: a test that overrides both needs no configuration. */
interface Installation extends OnApplicationShutdown {
  readonly get: () => Installed;
}

/** Reaches the module's own providers only. */
const INSTALLATION = 'BIPSYNC_HTTP_INSTALLATION';

// Two tenants whose factories read the same are still two modules, also where Nest compares modules by their content.
const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<BipsyncHttpOptions>({
  moduleName: 'BipsyncHttp',
  alwaysTransient: true,
})
  .setFactoryMethodName('createBipsyncHttpOptions')
  .setExtras<BipsyncHttpModuleExtras>({ name: undefined, global: false }, define)
  .build();

function define(definition: DynamicModule, { name, global }: BipsyncHttpModuleExtras): DynamicModule {
  if (name !== undefined && (typeof (name as unknown) !== 'string' || name.trim() === '')) {
    refuse('The name of a BipsyncHttpModule must be a string with something in it.');
  }
  const httpToken = name === undefined ? HttpService : getBipsyncHttpToken(name);
  const authToken = name === undefined ? BIPSYNC_AUTH : getBipsyncAuthToken(name);
  return {
    ...definition,
    global: Boolean(global),
    providers: [
      ...(definition.providers as Provider[]),
      {
        provide: INSTALLATION,
        useFactory: (options: BipsyncHttpOptions) => installOnce(options, name),
        inject: [MODULE_OPTIONS_TOKEN],
      },
      { provide: httpToken, useFactory: ({ get }: Installation) => get().http, inject: [INSTALLATION] },
      { provide: authToken, useFactory: ({ get }: Installation) => get().auth, inject: [INSTALLATION] },
    ],
    exports: [httpToken, authToken],
  };
}

/**
 * BipsyncHttpModule provides Nest's `HttpService` on an axios of its own, never the one that a process shares, with
 * the plugin installed. Where the application starts, a bad configuration stops it; where `app.close()` ends, the
 * plugin is ejected, after the server has answered its last request. A test that overrides both providers installs
 * nothing and needs no configuration, though a factory given to `registerAsync` still runs.
 */
export class BipsyncHttpModule extends ConfigurableModuleClass {
  /**
   * Configures the module with values at hand.
   *
   * @example
   * ```ts
   * @Module({
   *   imports: [BipsyncHttpModule.register({ auth: bipsyncAuthConfigFromEnv(), http: { timeout: 10_000 } })],
   *   providers: [ResearchService], // constructor(@Inject(HttpService) private readonly bipsync: HttpService) {}
   * })
   * export class ResearchModule {}
   * ```
   *
   * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`: here if `name` is not a name, and when the application starts if
   * the configuration is wrong, with every problem of it.
   */
  static override register(options: BipsyncHttpModuleOptions): DynamicModule {
    return super.register(options);
  }

  /**
   * Configures the module with what other providers know.
   *
   * @example
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
   *
   * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG`: here if `name` is not a name or there is no factory, and when the
   * application starts if the configuration is wrong, with every problem of it.
   */
  static override registerAsync(options: BipsyncHttpModuleAsyncOptions): DynamicModule {
    if (!options.useFactory && !options.useClass && !options.useExisting) {
      refuse('BipsyncHttpModule.registerAsync needs useFactory, useClass or useExisting.');
    }
    return super.registerAsync(options);
  }
}

/**
 * installBipsyncAuthOn installs the plugin on the axios of an `HttpService` that `HttpModule.register()` gave, for
 * applications that keep Nest's module. It differs from `installBipsyncAuth(httpService.axiosRef, config)` in what it
 * refuses: a bare `HttpModule`, without `register()`, hands out the axios that the whole process shares.
 *
 * @example
 * ```ts
 * class ResearchModule implements OnModuleInit {
 *   constructor(@Inject(HttpService) private readonly http: HttpService) {}
 *
 *   onModuleInit(): void {
 *     installBipsyncAuthOn(this.http, bipsyncAuthConfigFromEnv());
 *   }
 * }
 * ```
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG` if the `HttpService` sends through axios's default export, and
 * whatever `installBipsyncAuth` throws.
 */
export function installBipsyncAuthOn(
  httpService: Pick<HttpService, 'axiosRef'>,
  config: BipsyncAuthConfig,
): BipsyncAuth {
  const { axiosRef } = httpService;
  // Nest may have loaded another copy of axios (ESM beside CommonJS); of each, only the default export has this.
  if ('CancelToken' in axiosRef) {
    refuse(
      "This HttpService sends through axios's default export, which the whole process shares. " +
        'Import HttpModule.register({}) instead of HttpModule, which makes an axios of its own, or BipsyncHttpModule.',
    );
  }
  return installBipsyncAuth(axiosRef, config);
}

/** Nest calls the hook of every provider that has one, also of a plain object. */
function installOnce(options: BipsyncHttpOptions, name: string | undefined): Installation {
  let installed: Installed | undefined;
  return {
    get: () => (installed ??= install(options, name)),
    // Not `onModuleDestroy`: the server is then still answering, with requests to Bipsync that need their token.
    onApplicationShutdown: () => installed?.auth.eject(),
  };
}

function install(options: BipsyncHttpOptions, name: string | undefined): Installed {
  refuseOtherOptions(options);
  const instance = axios.create(options.http);
  const auth = naming(name, () => installBipsyncAuth(instance, options.auth));
  return { http: new HttpService(instance), auth };
}

/** A `name` that a factory returned, for one, would be passed over in silence, and two tenants mixed up. */
function refuseOtherOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    refuse('The options of BipsyncHttpModule must be an object with auth and, where needed, http.');
  }
  const others = Object.keys(options).filter((option) => option !== 'auth' && option !== 'http');
  if (others.length > 0) {
    refuse(
      `BipsyncHttpModule has no option ${others.map((option) => JSON.stringify(option)).join(', ')}, only auth and http. ` +
        'What concerns the plugin goes into auth, what concerns axios into http; name and global go beside useFactory.',
    );
  }
}

/** Among several tenants, a refusal says which one it is about. */
function naming<T>(name: string | undefined, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (name === undefined || !isBipsyncAuthError(error)) throw error;
    throw new BipsyncAuthError(error.code, `BipsyncHttpModule ${JSON.stringify(name)}: ${error.message}`);
  }
}

function refuse(message: string): never {
  throw new BipsyncAuthError('ERR_BIPSYNC_CONFIG', message);
}
