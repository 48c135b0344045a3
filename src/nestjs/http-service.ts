import type { HttpService } from '@nestjs/axios';

import { type BipsyncAuth, type BipsyncAuthConfig, installBipsyncAuth } from '../index';
import { refuse } from './refusal';

/**
 * installBipsyncAuthOn installs the plugin on the axios of an `HttpService` from `HttpModule.register()` or
 * `HttpModule.registerAsync()`, for applications that keep Nest's module. It does the same as
 * `installBipsyncAuth(httpService.axiosRef, config)`, but it rejects the `HttpService` of a bare `HttpModule`, without
 * `register()`. That one uses axios's default export, which the whole process shares.
 *
 * Call `eject()` on the handle when the application closes. `HttpModule.register()` creates its axios when it is called. In
 * `@Module` this happens only once, when the file is loaded. So the next application in the process, for example the next
 * testing module, gets the same axios.
 *
 * @example
 * ```ts
 * class ResearchModule implements OnModuleInit, OnApplicationShutdown {
 *   private auth?: BipsyncAuth;
 *
 *   constructor(@Inject(HttpService) private readonly http: HttpService) {}
 *
 *   onModuleInit(): void {
 *     this.auth = installBipsyncAuthOn(this.http, bipsyncAuthConfigFromEnv());
 *   }
 *
 *   onApplicationShutdown(): void {
 *     this.auth?.eject();
 *   }
 * }
 * ```
 *
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG` if the `HttpService` has no axios, or uses axios's default export, if the plugin is
 * already installed on its axios, or if `installBipsyncAuth` throws.
 */
export function installBipsyncAuthOn(
  httpService: Pick<HttpService, 'axiosRef'>,
  config: BipsyncAuthConfig,
): BipsyncAuth {
  const { axiosRef } = Object(httpService) as { axiosRef?: Partial<HttpService['axiosRef']> };
  // A replacement in a test may have only what the code under test calls.
  if (!isAxiosInstance(axiosRef)) {
    refuse(
      'This HttpService has no axios instance in axiosRef. In a test that replaces HttpService, add axiosRef: axios.create() ' +
        "to the replacement, or mock the plugin: jest.mock('axios-bipsync-auth/nestjs').",
    );
  }
  // Nest may have loaded another copy of axios (ESM beside CommonJS). In each copy only the default export has this.
  if ('CancelToken' in axiosRef) {
    refuse(
      "This HttpService uses axios's default export. The whole process shares it, so a second application or testing " +
        'module would install the plugin twice. Replace HttpModule by HttpModule.register({}) or BipsyncHttpModule.',
    );
  }
  if (Object.hasOwn(axiosRef, Symbol.for('axios-bipsync-auth.installed'))) {
    refuse(
      'axios-bipsync-auth is already installed on the axios of this HttpService. HttpModule.register() creates its axios ' +
        'only once, so a second application or testing module gets the same axios. Call eject() on the handle in ' +
        'onApplicationShutdown, or use HttpModule.registerAsync() or BipsyncHttpModule.',
    );
  }
  return installBipsyncAuth(axiosRef, config);
}

function isAxiosInstance(ref: Partial<HttpService['axiosRef']> | undefined): ref is HttpService['axiosRef'] {
  return ref?.interceptors !== undefined && ref.defaults !== undefined;
}
