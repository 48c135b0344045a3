import { HttpService } from '@nestjs/axios';
import { Logger, type OnModuleInit } from '@nestjs/common';
import { ModuleRef, type ModulesContainer } from '@nestjs/core';

import { INSTALLATION } from './installation';
import { naming, refuse } from './refusal';

/** START_CHECK is the token of a provider that nothing injects: Nest makes it and calls its hook. */
export const START_CHECK = 'BIPSYNC_HTTP_START_CHECK';

/** NestModule is one module in the container of one application. */
type NestModule = ModulesContainer extends Map<string, infer Module> ? Module : never;

/** createStartCheck makes a provider that looks at how Nest will use the module, once Nest has made all of them. */
export function createStartCheck(
  name: string | undefined,
  moduleRef: ModuleRef,
  modules: ModulesContainer,
): OnModuleInit {
  return {
    onModuleInit: () =>
      naming(name, () => {
        const own = moduleOf(moduleRef, modules);
        if (!own) return;
        if (isMadePerRequest(own)) {
          refuse(
            'The options of a BipsyncHttpModule depend on a request-scoped provider, so every request would need a new ' +
              'token. Inject only providers of the default scope. If one request needs another team, set ' +
              '`bipsyncAuth: { teamId }` in its config.',
          );
        }
        for (const importer of importersOfAnotherHttpService(own, modules)) {
          new Logger('BipsyncHttpModule').warn(
            `${importer.metatype.name} imports BipsyncHttpModule and another module that exports HttpService, so Nest ` +
              'could inject the wrong one. Remove HttpModule if it is left over from a migration. Otherwise give ' +
              'BipsyncHttpModule a name, and inject getBipsyncHttpToken(name).',
          );
        }
      }),
  };
}

/** Every module has a `ModuleRef`. */
function moduleOf(moduleRef: ModuleRef, modules: ModulesContainer): NestModule | undefined {
  return [...modules.values()].find(({ providers }) => providers.get(ModuleRef)?.instance === moduleRef);
}

/** What depends on a durable provider is kept by Nest, usually one instance per tenant, which is all right. */
function isMadePerRequest({ providers }: NestModule): boolean {
  const provider = providers.get(INSTALLATION);
  return provider !== undefined && !provider.isDependencyTreeStatic() && !provider.isDependencyTreeDurable();
}

/** Global modules do not count: Nest adds them to the imports of every module, after those that the module names. */
function importersOfAnotherHttpService(own: NestModule, modules: ModulesContainer): NestModule[] {
  return [...modules.values()].filter(({ imports }) => {
    const exporters = [...imports]
      .filter(({ isGlobal }) => !isGlobal)
      .flatMap((one) => exportersOfHttpService(one));
    return exporters.includes(own) && exporters.some((one) => one.metatype !== own.metatype);
  });
}

/** A module may export the `HttpService` of a module that it imports. */
function exportersOfHttpService(module: NestModule, seen = new Set<NestModule>()): NestModule[] {
  if (seen.has(module)) return [];
  seen.add(module);
  const { exports, imports, providers } = module;
  if (exports.has(HttpService) && providers.has(HttpService)) return [module];
  return [...imports]
    .filter(({ metatype }) => exports.has(metatype))
    .flatMap((one) => exportersOfHttpService(one, seen));
}
