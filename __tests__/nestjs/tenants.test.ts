import { HttpService } from '@nestjs/axios';
import { Controller, type DynamicModule, Get, Inject } from '@nestjs/common';
import { map, type Observable } from 'rxjs';

import type { BipsyncAuth } from '../../src';
import { BIPSYNC_AUTH, BipsyncHttpModule, getBipsyncAuthToken, getBipsyncHttpToken } from '../../src/nestjs';
import type { BipsyncEmulator } from '../../src/testing';
import { configFor, startEmulator } from '../support/emulated';
import { boot, refusalOf, ResearchController } from './application';

@Controller()
class TenantsController {
  constructor(
    @Inject(getBipsyncHttpToken('acme')) private readonly acme: HttpService,
    @Inject(getBipsyncHttpToken('globex')) private readonly globex: HttpService,
  ) {}

  @Get('acme')
  listAcme(): Observable<number> {
    return this.acme.get('/v1/research').pipe(map(({ status }) => status));
  }

  @Get('globex')
  listGlobex(): Observable<number> {
    return this.globex.get('/v1/contenttype').pipe(map(({ status }) => status));
  }
}

function tenants(acme: BipsyncEmulator, globex: BipsyncEmulator): DynamicModule[] {
  return [
    BipsyncHttpModule.register({ name: 'acme', auth: configFor(acme) }),
    BipsyncHttpModule.registerAsync({
      name: 'globex',
      useFactory: () => ({ auth: configFor(globex) }),
    }),
  ];
}

/** What an emulator saw, if nobody else's token came its way. */
function seenBy(emulator: BipsyncEmulator): unknown {
  return {
    scopes: emulator.tokenLog.map(({ scope }) => scope?.split(' ').find((one) => one.startsWith('team_'))),
    calls: emulator.requests.map(({ path, authorization }) => `${path} ${authorization}`),
  };
}

describe('BipsyncHttpModule with names', () => {
  it('gives each of two tenants in one application tokens of its own', async () => {
    const [acme, globex] = [await startEmulator(), await startEmulator()];
    const { get } = await boot({ imports: tenants(acme, globex), controllers: [TenantsController] });

    const answers = await Promise.all(['/acme', '/globex', '/acme', '/globex'].map(get));

    expect(answers.map(({ body }) => body)).toEqual([200, 200, 200, 200]);
    expect(seenBy(acme)).toEqual({
      scopes: [`team_${acme.teamId}`],
      calls: ['/v1/research valid', '/v1/research valid'],
    });
    expect(seenBy(globex)).toEqual({
      scopes: [`team_${globex.teamId}`],
      calls: ['/v1/contenttype valid', '/v1/contenttype valid'],
    });
  });

  it('gives each of two tenants a handle of its own', async () => {
    const [acme, globex] = [await startEmulator(), await startEmulator()];
    const { app, get } = await boot({ imports: tenants(acme, globex), controllers: [TenantsController] });
    await get('/acme');
    await get('/globex');
    app.get<BipsyncAuth>(getBipsyncAuthToken('acme')).invalidate();
    await get('/acme');
    await get('/globex');
    expect([acme.tokenRequests, globex.tokenRequests]).toEqual([2, 1]);
  });

  it('provides nothing without a name, so that no service gets one of the tenants by chance', async () => {
    const [acme, globex] = [await startEmulator(), await startEmulator()];
    const { app } = await boot({ imports: tenants(acme, globex) });
    for (const token of [HttpService, BIPSYNC_AUTH]) expect(() => app.get<unknown>(token)).toThrow();
    const { error } = await refusalOf({ imports: tenants(acme, globex), controllers: [ResearchController] });
    expect(String(error)).toMatch(/resolve dependencies of the ResearchController/);
  });
});
