import type { ConfigurableModuleAsyncOptions } from '@nestjs/common';
import type { CreateAxiosDefaults } from 'axios';

import type { BipsyncAuthConfig } from '../index';

/** BipsyncHttpOptions is what one tenant's `HttpService` is made of. */
export interface BipsyncHttpOptions {
  /** The plugin's configuration, the same as for `installBipsyncAuth`. */
  auth: BipsyncAuthConfig;
  /** axios's own configuration, the same as for `axios.create`. Default: none. */
  http?: CreateAxiosDefaults | undefined;
}

/** BipsyncHttpModuleExtras decide how the rest of the application sees the module. */
export interface BipsyncHttpModuleExtras {
  /**
   * Names the tenant. The module then provides nothing but `getBipsyncHttpToken(name)` and
   * `getBipsyncAuthToken(name)`. Default: no name, which provides `HttpService` and `BIPSYNC_AUTH`. Give every
   * tenant a name as soon as there are two, or if a module imports Nest's own `HttpModule` too. Two modules of one
   * name with different options in one application are refused.
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
 * `useClass` or `useExisting`, and `imports`. `name` and `global` stand next to them, because Nest needs them before
 * it calls the factory.
 */
export interface BipsyncHttpModuleAsyncOptions
  extends
    ConfigurableModuleAsyncOptions<BipsyncHttpOptions, keyof BipsyncHttpOptionsFactory>,
    BipsyncHttpModuleExtras {}

/** BIPSYNC_AUTH is the injection token of the `BipsyncAuth` handle of a module without a name. */
export const BIPSYNC_AUTH = 'BIPSYNC_AUTH';

/**
 * getBipsyncHttpToken returns the injection token of the `HttpService` of the module registered under that name.
 *
 * @example
 * ```ts
 * class ResearchService {
 *   constructor(@Inject(getBipsyncHttpToken('acme')) private readonly acme: HttpService) {}
 * }
 * ```
 */
export function getBipsyncHttpToken(name: string): string {
  return `BIPSYNC_HTTP:${name}`;
}

/**
 * getBipsyncAuthToken returns the injection token of the `BipsyncAuth` handle of the module registered under that name.
 *
 * @example
 * ```ts
 * class ResearchService {
 *   constructor(@Inject(getBipsyncAuthToken('acme')) private readonly acme: BipsyncAuth) {}
 * }
 * ```
 */
export function getBipsyncAuthToken(name: string): string {
  return `${BIPSYNC_AUTH}:${name}`;
}

/** ownOptions leaves out what an object inherits, for example from a polluted `Object.prototype`. */
export function ownOptions<T extends object>(options: T): T {
  return Object.assign(Object.create(null) as T, options);
}
