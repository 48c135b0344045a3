import { setTimeout as delay } from 'node:timers/promises';

import { HttpService } from '@nestjs/axios';
import { Controller, type DynamicModule, Inject, Module, type ModuleMetadata } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { firstValueFrom } from 'rxjs';

import {
  BipsyncHttpModule,
  type BipsyncHttpModuleExtras,
  type BipsyncHttpOptions,
  getBipsyncHttpToken,
} from '../../src/nestjs';
import { configFor, startEmulator } from '../support/emulated';
import { boot, refusalOf } from './application';

type Register = (extras: BipsyncHttpModuleExtras, options: BipsyncHttpOptions) => DynamicModule;

const register: Register = (extras, options) => BipsyncHttpModule.register({ ...extras, ...options });
const registerAsync: Register = (extras, options) =>
  BipsyncHttpModule.registerAsync({ ...extras, useFactory: () => options });
const registerSlowly: Register = (extras, options) =>
  BipsyncHttpModule.registerAsync({ ...extras, useFactory: () => delay(20, options) });

/** A feature of its own, which imports the module and sends requests by it. */
function feature(path: string, bipsync: DynamicModule, name?: string): new () => object {
  @Controller(path)
  class FeatureController {
    constructor(
      @Inject(name === undefined ? HttpService : getBipsyncHttpToken(name)) readonly http: HttpService,
    ) {}
  }

  @Module({ imports: [bipsync], controllers: [FeatureController] })
  class FeatureModule {}
  return FeatureModule;
}

async function twoTenants(): Promise<[BipsyncHttpOptions, BipsyncHttpOptions]> {
  const [acme, globex] = [await startEmulator(), await startEmulator()];
  return [{ auth: configFor(acme) }, { auth: configFor(globex) }];
}

describe.each<[string, Register, Register]>([
  ['register twice', register, register],
  ['registerAsync twice', registerAsync, registerAsync],
  ['register and registerAsync', register, registerAsync],
  ['a factory that is slower than the other', registerSlowly, registerAsync],
  ['a factory that is quicker than the other', register, registerSlowly],
])('two BipsyncHttpModules with different options in one application, by %s', (_, first, second) => {
  it('are refused by name if they have one name', async () => {
    const [acme, globex] = await twoTenants();
    const { error, logged } = await refusalOf({
      imports: [first({ name: 'acme' }, acme), second({ name: 'acme' }, globex)],
    });
    expect(error).toMatchObject({
      code: 'ERR_BIPSYNC_CONFIG',
      message: expect.stringMatching(
        /^BipsyncHttpModule "acme": .* with this name .*different options/,
      ) as unknown,
    });
    for (const { auth } of [acme, globex]) {
      expect(String(error) + logged).not.toContain(auth.clientSecret);
    }
  });

  it('are refused if neither has a name, also in different feature modules', async () => {
    const [acme, globex] = await twoTenants();
    const imports = [feature('acme', first({}, acme)), feature('globex', second({}, globex))];
    const { error } = await refusalOf({ imports });
    expect(error).toMatchObject({
      code: 'ERR_BIPSYNC_CONFIG',
      message: expect.stringMatching(
        /^Another BipsyncHttpModule without a name .*Give each tenant its own name/,
      ) as unknown,
    });
  });
});

it('two BipsyncHttpModules whose clientSecret functions have the same code are refused, with that reason', async () => {
  const { clientSecret, ...config } = configFor(await startEmulator());
  const imports = [1, 2].map(() =>
    BipsyncHttpModule.register({ auth: { ...config, clientSecret: () => String(clientSecret) } }),
  );
  expect((await refusalOf({ imports })).error).toMatchObject({
    code: 'ERR_BIPSYNC_CONFIG',
    message: expect.stringMatching(
      /contain functions, for example clientSecret, they are equal only with/,
    ) as unknown,
  });
});

it('two BipsyncHttpModules of one name are refused also if Nest compares modules by their content', async () => {
  const [acme, globex] = await twoTenants();
  const imports = [acme, globex].map((options) => registerAsync({ name: 'acme' }, options));
  const starting = boot({ imports }, { moduleIdGeneratorAlgorithm: 'deep-hash' });
  await expect(starting).rejects.toMatchObject({ code: 'ERR_BIPSYNC_CONFIG' });
});

it('a second BipsyncHttpModule of one name is refused also if it is loaded lazily', async () => {
  const [acme, globex] = await twoTenants();
  const { app } = await boot({ imports: [register({ name: 'acme' }, acme)] });
  const loading = app.get(LazyModuleLoader).load(() => register({ name: 'acme' }, globex));
  await expect(loading).rejects.toMatchObject({ code: 'ERR_BIPSYNC_CONFIG' });
});

it('two functions count as different options, since nothing shows what they return', async () => {
  const [acme] = await twoTenants();
  const withFunction = (): BipsyncHttpOptions => ({
    auth: { ...acme.auth, clientSecret: () => 'the same' },
  });
  const imports = [register({}, withFunction()), register({}, withFunction())];
  expect((await refusalOf({ imports })).error).toMatchObject({ code: 'ERR_BIPSYNC_CONFIG' });
});

describe('an application starts and reaches Bipsync', () => {
  async function calls(metadata: ModuleMetadata): Promise<void> {
    const { app } = await boot(metadata);
    for (const module of metadata.imports as (new () => object)[]) {
      const http = app.select(module).get(HttpService, { strict: false });
      expect((await firstValueFrom(http.get('/v1/research'))).status).toBe(200);
    }
  }

  it('if two feature modules import the same dynamic module, which makes one token serve both', async () => {
    const emulator = await startEmulator();
    const shared = register({}, { auth: configFor(emulator) });
    await calls({ imports: [feature('one', shared), feature('two', shared)] });
    expect([emulator.tokenRequests, emulator.apiRequests]).toEqual([1, 2]);
  });

  it.each<[string, Register]>([
    ['register', register],
    ['registerAsync', registerSlowly],
  ])('if two feature modules call %s with equal options', async (_, one) => {
    const emulator = await startEmulator();
    const imports = ['one', 'two'].map((path) => feature(path, one({}, { auth: configFor(emulator) })));
    await calls({ imports });
    expect(emulator.apiRequests).toBe(2);
  });

  it('if an application with the name and other options was closed before, or was refused', async () => {
    const [acme, globex] = await twoTenants();
    const first = await boot({ imports: [register({ name: 'acme' }, acme)] });
    await first.app.close();
    await refusalOf({ imports: [register({ name: 'acme' }, acme), register({ name: 'acme' }, globex)] });
    const { app } = await boot({ imports: [register({ name: 'acme' }, globex)] });
    const http = app.get<HttpService>(getBipsyncHttpToken('acme'));
    expect((await firstValueFrom(http.get('/v1/research'))).status).toBe(200);
  });

  it('if another application in the process has the name and other options', async () => {
    const options = await twoTenants();
    const running = await Promise.all(
      options.map((one) => boot({ imports: [register({ name: 'acme' }, one)] })),
    );
    for (const { app } of running) {
      const http = app.get<HttpService>(getBipsyncHttpToken('acme'));
      expect((await firstValueFrom(http.get('/v1/research'))).status).toBe(200);
    }
  });
});
