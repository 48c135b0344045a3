import { HttpModule, HttpService } from '@nestjs/axios';
import { Inject, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import axios from 'axios';
import { firstValueFrom } from 'rxjs';

import type { BipsyncAuth, BipsyncAuthConfig } from '../../src';
import { installBipsyncAuthOn } from '../../src/nestjs';
import { type BipsyncEmulator } from '../../src/testing';
import { configFor, startEmulator } from '../support/emulated';
import { boot, handlersOf, refusalOf, ResearchController } from './application';

/** The one line in `onModuleInit`, for applications that keep Nest's own module. */
function researchModule(
  emulator: BipsyncEmulator,
  httpModule: object,
): { module: new (http: HttpService) => object } {
  class ResearchModule implements OnModuleInit {
    constructor(@Inject(HttpService) private readonly http: HttpService) {}

    onModuleInit(): void {
      installBipsyncAuthOn(this.http, configFor(emulator));
    }
  }
  const metadata = { imports: [httpModule as typeof HttpModule], controllers: [ResearchController] };
  return { module: ResearchModule, ...metadata };
}

describe("Nest's own HttpModule", () => {
  it('takes the plugin by one line in onModuleInit', async () => {
    const emulator = await startEmulator();
    const httpModule = HttpModule.register({ headers: { 'X-Desk': 'credit' } });
    const { get } = await boot({ imports: [researchModule(emulator, httpModule)] });
    expect((await get('/research')).status).toBe(200);
    emulator.revokeTokens();
    expect((await get('/research')).status).toBe(200);
    expect(emulator.requests.map(({ status }) => status)).toEqual([200, 401, 200]);
    expect(emulator.requests[0]?.headers['x-desk']).toBe('credit');
    expect(emulator.tokenRequests).toBe(2);
    expect(handlersOf(axios)).toEqual({ request: 0, response: 0 });
  });

  it('without register() hands out the axios of the whole process, which is refused', async () => {
    const emulator = await startEmulator();
    const { error } = await refusalOf({ imports: [researchModule(emulator, HttpModule)] });
    expect(error).toMatchObject({
      name: 'BipsyncAuthError',
      code: 'ERR_BIPSYNC_CONFIG',
      message: expect.stringMatching(
        /default export.*HttpModule\.register\(\{\}\).*BipsyncHttpModule/,
      ) as unknown,
    });
    expect(handlersOf(axios)).toEqual({ request: 0, response: 0 });
    // Why the refusal is needed: the core cannot know that the caller did not choose this instance.
    const { app } = await boot({ imports: [HttpModule] });
    expect(app.get(HttpService).axiosRef).toBe(axios);
  });

  it('names the missing or incomplete axiosRef of a replaced HttpService, and what to add in the test', async () => {
    const config = { client: 'acme', clientId: 'id', clientSecret: 'secret', teamId: '1' };
    const refs = [undefined, { post: () => undefined }, { defaults: {} }, { interceptors: {} }];
    const replacements = refs.map((axiosRef) => ({ get: () => undefined, axiosRef }));
    for (const replacement of [undefined, null, ...replacements]) {
      expect(() => installBipsyncAuthOn(replacement as never, config)).toThrow(
        expect.objectContaining({
          code: 'ERR_BIPSYNC_CONFIG',
          message: expect.stringMatching(
            /has no axios instance in axiosRef\..*add axiosRef: axios\.create\(\)/,
          ) as unknown,
        }) as Error,
      );
    }
    const emulator = await startEmulator();
    @Module({ imports: [HttpModule.register({})] })
    class ApplicationModule implements OnModuleInit {
      @Inject(HttpService) private readonly http!: HttpService;

      onModuleInit(): void {
        installBipsyncAuthOn(this.http, configFor(emulator));
      }
    }
    const application = await Test.createTestingModule({ imports: [ApplicationModule] })
      .overrideProvider(HttpService)
      .useValue({ get: () => undefined, axiosRef: axios.create() })
      .compile();
    await application.init();
    await application.close();
    expect(emulator.tokenRequests).toBe(0);
  });

  it('refuses what installBipsyncAuth refuses', () => {
    const http = new HttpService(axios.create({ baseURL: 'https://example.com' }));
    const config = { client: 'acme', clientId: 'id', clientSecret: 'secret', teamId: '1' };
    expect(() => installBipsyncAuthOn(http, config)).toThrow(
      expect.objectContaining({
        code: 'ERR_BIPSYNC_CONFIG',
        message: expect.stringContaining('example.com') as unknown,
      }) as Error,
    );
  });
});

describe('a second testing module in one process', () => {
  /** As an application has it: the module's decorator runs once, when the file is loaded. */
  function applicationModule(httpModule: object, auth: BipsyncAuthConfig, ejects: boolean): new () => object {
    @Module({ imports: [httpModule as typeof HttpModule] })
    class ApplicationModule implements OnModuleInit, OnApplicationShutdown {
      private auth: BipsyncAuth | undefined;

      @Inject(HttpService) private readonly http!: HttpService;

      onModuleInit(): void {
        this.auth = installBipsyncAuthOn(this.http, auth);
      }

      onApplicationShutdown(): void {
        if (ejects) this.auth?.eject();
      }
    }
    return ApplicationModule;
  }

  async function start(module: new () => object): Promise<number> {
    const application = await Test.createTestingModule({ imports: [module] }).compile();
    try {
      await application.init();
      const http = application.get(HttpService, { strict: false });
      return (await firstValueFrom(http.get('/v1/research'))).status;
    } finally {
      await application.close();
    }
  }

  it('gets the axios of the first one from HttpModule.register(), and is told so if the plugin is still on it', async () => {
    const module = applicationModule(HttpModule.register({}), configFor(await startEmulator()), false);
    expect(await start(module)).toBe(200);
    await expect(start(module)).rejects.toMatchObject({
      code: 'ERR_BIPSYNC_CONFIG',
      message: expect.stringMatching(
        /testing module gets the same axios.*eject\(\).*registerAsync/,
      ) as unknown,
    });
  });

  it('starts on HttpModule.register() if the first one ejected the plugin', async () => {
    const module = applicationModule(HttpModule.register({}), configFor(await startEmulator()), true);
    expect([await start(module), await start(module)]).toEqual([200, 200]);
  });

  it('starts on HttpModule.registerAsync(), which makes an axios each time', async () => {
    const httpModule = HttpModule.registerAsync({ useFactory: () => ({}) });
    const module = applicationModule(httpModule, configFor(await startEmulator()), false);
    expect([await start(module), await start(module)]).toEqual([200, 200]);
  });

  it('is refused on a bare HttpModule as the first one is, with the reason', async () => {
    const module = applicationModule(HttpModule, configFor(await startEmulator()), false);
    for (let count = 0; count < 2; count += 1) {
      await expect(start(module)).rejects.toMatchObject({
        code: 'ERR_BIPSYNC_CONFIG',
        message: expect.stringMatching(/default export.*testing module.*install the plugin twice/) as unknown,
      });
    }
  });
});
