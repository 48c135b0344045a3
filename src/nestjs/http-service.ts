import type { HttpService } from '@nestjs/axios';

import { type BipsyncAuth, installBipsyncAuth } from '../index';
import type { BipsyncAuthConfig } from '../index';
import { refuse } from './refusal';

/**
 * installBipsyncAuthOn installs the plugin on the axios of an `HttpService` from `HttpModule.register()` or
 * `HttpModule.registerAsync()`, for applications that keep Nest's module. It differs from
 * `installBipsyncAuth(httpService.axiosRef, config)` in what it refuses: a bare `HttpModule`, without `register()`,
 * hands out the axios that the whole process shares.
 *
 * Call `eject()` on the handle when the application closes. `HttpModule.register()` makes its axios when the file is
 * loaded, so the next application in the process (the next testing module, for example) gets the same one.
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
 * @throws BipsyncAuthError `ERR_BIPSYNC_CONFIG` if the `HttpService` sends through axios's default export, if an
 * earlier application left the plugin on its axios, and whatever `installBipsyncAuth` throws.
 */
export function installBipsyncAuthOn(
  httpService: Pick<HttpService, 'axiosRef'>,
  config: BipsyncAuthConfig,
): BipsyncAuth {
  const { axiosRef } = httpService;
  // Nest may have loaded another copy of axios (ESM beside CommonJS). In each copy only the default export has this.
  if ('CancelToken' in axiosRef) {
    refuse(
      "This HttpService sends through axios's default export, which the whole process shares, so that a second " +
        'application or testing module would find the plugin installed twice. ' +
        'Import HttpModule.register({}) instead of HttpModule, which makes a separate axios, or BipsyncHttpModule.',
    );
  }
  if (Object.hasOwn(axiosRef, Symbol.for('axios-bipsync-auth.installed'))) {
    refuse(
      'The axios of this HttpService has the plugin already. HttpModule.register() makes its axios once, when the file ' +
        'is loaded, so a second application or testing module gets the same one. Call eject() on the handle in ' +
        'onApplicationShutdown, or use HttpModule.registerAsync() or BipsyncHttpModule, which make one per application.',
    );
  }
  return installBipsyncAuth(axiosRef, config);
}
