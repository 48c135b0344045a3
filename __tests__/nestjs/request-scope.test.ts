import { HttpService } from '@nestjs/axios';
import {
  Controller,
  type DynamicModule,
  Get,
  Inject,
  Injectable,
  Module,
  type Provider,
  Scope,
} from '@nestjs/common';
import { ContextIdFactory, type ContextIdStrategy, REQUEST } from '@nestjs/core';
import { map, type Observable } from 'rxjs';

import { BipsyncHttpModule } from '../../src/nestjs';
import type { BipsyncEmulator } from '../../src/testing';
import { configFor, startEmulator } from '../support/emulated';
import { boot, refusalOf, ResearchController } from './application';

/** What the factory depends on, in a scope of its own. */
function settings(scope: Scope, durable = false): DynamicModule {
  @Injectable({ scope, durable })
  class Settings {}

  @Module({ providers: [Settings, { provide: 'SETTINGS', useExisting: Settings }], exports: ['SETTINGS'] })
  class SettingsModule {}
  return { module: SettingsModule };
}

function bipsync(
  emulator: BipsyncEmulator,
  imports: DynamicModule[],
  token: Provider | string,
): DynamicModule {
  const useFactory = (): object => ({ auth: configFor(emulator) });
  return BipsyncHttpModule.registerAsync({
    imports,
    inject: [token as string],
    useFactory: useFactory as never,
  });
}

describe('a factory that depends on a request-scoped provider', () => {
  it.each<[string, DynamicModule[], string]>([
    ['the request itself', [], REQUEST],
    ['a service that is made per request', [settings(Scope.REQUEST)], 'SETTINGS'],
  ])('is refused when the application starts: %s', async (_, imports, token) => {
    const emulator = await startEmulator();
    const { error } = await refusalOf({
      imports: [bipsync(emulator, imports, token)],
      controllers: [ResearchController],
    });
    expect(error).toMatchObject({
      code: 'ERR_BIPSYNC_CONFIG',
      message: expect.stringMatching(/request-scoped.*every request would need a new token/) as unknown,
    });
  });
});

it('a factory may depend on a transient provider', async () => {
  const emulator = await startEmulator();
  const { get } = await boot({
    imports: [bipsync(emulator, [settings(Scope.TRANSIENT)], 'SETTINGS')],
    controllers: [ResearchController],
  });
  expect([(await get('/research')).status, (await get('/research')).status]).toEqual([200, 200]);
  expect(emulator.tokenRequests).toBe(1);
});

it('a factory may depend on a durable provider, of which Nest keeps one per tenant', async () => {
  const emulator = await startEmulator();

  @Controller(':tenant')
  class TenantController {
    constructor(@Inject(HttpService) private readonly bipsync: HttpService) {}

    @Get()
    list(): Observable<number> {
      return this.bipsync.get('/v1/research').pipe(map(({ status }) => status));
    }
  }
  const contexts = new Map<string, ReturnType<typeof ContextIdFactory.create>>();
  const strategy: ContextIdStrategy<{ url: string }> = {
    attach(contextId, { url }) {
      const kept = contexts.get(url) ?? ContextIdFactory.create();
      contexts.set(url, kept);
      return { payload: {}, resolve: ({ isTreeDurable }) => (isTreeDurable ? kept : contextId) };
    },
  };
  ContextIdFactory.apply(strategy);
  const { get } = await boot({
    imports: [bipsync(emulator, [settings(Scope.REQUEST, true)], 'SETTINGS')],
    controllers: [TenantController],
  });
  for (const path of ['/acme', '/globex', '/acme', '/globex']) {
    expect(await get(path)).toEqual({ status: 200, body: 200 });
  }
  expect([emulator.tokenRequests, emulator.apiRequests]).toEqual([2, 4]);
});
