import type { ConfigurableModuleAsyncOptions } from '@nestjs/common';
import type { CreateAxiosDefaults } from 'axios';

import type { BipsyncAuthConfig } from '../index';

/** BipsyncHttpOptions configures one tenant's `HttpService`. */
export interface BipsyncHttpOptions {
  /** The plugin's configuration, the same as for `installBipsyncAuth`. */
  auth: BipsyncAuthConfig;
  /** axios's configuration, the same as for `axios.create`. Default: none. */
  http?: CreateAxiosDefaults | undefined;
}

/** BipsyncHttpModuleExtras decide how the other modules of the application see this module. */
export interface BipsyncHttpModuleExtras {
  /**
   * The tenant's name. With a name, the module provides only `getBipsyncHttpToken(name)` and `getBipsyncAuthToken(name)`.
   * Default: no name. Then the module provides `HttpService` and `BIPSYNC_AUTH`. If there are several tenants, or if a
   * module also imports Nest's `HttpModule`, give every tenant a name. Two modules with the same name and different options
   * in one application are rejected.
   */
  name?: string | undefined;
  /** Whether every module sees the exports without an import, as with Nest's `HttpModule`. Default: false. */
  global?: boolean | undefined;
}

/** BipsyncHttpModuleOptions are the options of `BipsyncHttpModule.register`. */
export interface BipsyncHttpModuleOptions extends BipsyncHttpOptions, BipsyncHttpModuleExtras {}

/** BipsyncHttpOptionsFactory is the interface of a class for `useClass` or `useExisting`. */
export interface BipsyncHttpOptionsFactory {
  createBipsyncHttpOptions(): BipsyncHttpOptions | Promise<BipsyncHttpOptions>;
}

/**
 * BipsyncHttpModuleAsyncOptions are the options of `BipsyncHttpModule.registerAsync`: `useFactory` (with `inject`),
 * `useClass` or `useExisting`, and `imports`. Write `name` and `global` next to them, because Nest needs both before it calls
 * the factory.
 */
export interface BipsyncHttpModuleAsyncOptions
  extends
    ConfigurableModuleAsyncOptions<BipsyncHttpOptions, keyof BipsyncHttpOptionsFactory>,
    BipsyncHttpModuleExtras {}

/** BIPSYNC_AUTH is the injection token of the `BipsyncAuth` handle of a module without a name. */
export const BIPSYNC_AUTH = 'BIPSYNC_AUTH';

/**
 * getBipsyncHttpToken returns the injection token of the `HttpService` of the module with this name.
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
 * getBipsyncAuthToken returns the injection token of the `BipsyncAuth` handle of the module with this name.
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
