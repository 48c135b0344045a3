import { Agent } from 'node:http';
import { inspect } from 'node:util';

import { HttpService } from '@nestjs/axios';
import {
  type BeforeApplicationShutdown,
  Controller,
  type DynamicModule,
  Get,
  Inject,
  Injectable,
  Module,
} from '@nestjs/common';
import axios from 'axios';
import { firstValueFrom } from 'rxjs';

import {
  type BipsyncAuth,
  BipsyncAuthError,
  type BipsyncAuthConfig,
  type BipsyncAuthEvent,
  installBipsyncAuth,
} from '../../src';
import {
  BIPSYNC_AUTH,
  BipsyncHttpModule,
  type BipsyncHttpModuleAsyncOptions,
  type BipsyncHttpOptions,
  type BipsyncHttpOptionsFactory,
} from '../../src/nestjs';
import type { BipsyncEmulator } from '../../src/testing';
import { configFor, startEmulator } from '../support/emulated';
import { boot, type Booted, handlersOf, refusalOf, ResearchController, until } from './application';

/** Stands for `ConfigService`: what the options are made from, known to the container alone. */
@Injectable()
class Settings {
  static current: BipsyncHttpOptions;
  options(): BipsyncHttpOptions {
    return Settings.current;
  }
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

@Injectable()
class SettingsFactory implements BipsyncHttpOptionsFactory {
  constructor(@Inject(Settings) private readonly settings: Settings) {}
  async createBipsyncHttpOptions(): Promise<BipsyncHttpOptions> {
    return this.settings.options();
  }
}

@Module({ imports: [SettingsModule], providers: [SettingsFactory], exports: [SettingsFactory] })
class SettingsFactoryModule {}

const styles: [string, (options: BipsyncHttpOptions) => DynamicModule][] = [
  ['register', (options) => BipsyncHttpModule.register(options)],
  [
    'registerAsync with useFactory and inject',
    () =>
      BipsyncHttpModule.registerAsync({
        imports: [SettingsModule],
        inject: [Settings],
        useFactory: (settings: Settings) => settings.options(),
      }),
  ],
  [
    'registerAsync with useClass',
    () => BipsyncHttpModule.registerAsync({ imports: [SettingsModule], useClass: SettingsFactory }),
  ],
  [
    'registerAsync with useExisting',
    () => BipsyncHttpModule.registerAsync({ imports: [SettingsFactoryModule], useExisting: SettingsFactory }),
  ],
];

/** An application with the controller, on the module without a name. */
async function booted(
  emulator: BipsyncEmulator,
): Promise<Booted & { http: HttpService; auth: BipsyncAuth; events: string[] }> {
  const events: string[] = [];
  const config = { ...configFor(emulator), onEvent: ({ type }: BipsyncAuthEvent) => events.push(type) };
  const application = await boot({
    imports: [BipsyncHttpModule.register({ auth: config })],
    controllers: [ResearchController],
  });
  const { app } = application;
  return { ...application, events, http: app.get(HttpService), auth: app.get<BipsyncAuth>(BIPSYNC_AUTH) };
}

describe('BipsyncHttpModule in an application', () => {
  it.each(styles)('%s: a controller injects HttpService and reaches Bipsync', async (_, module) => {
    const emulator = await startEmulator();
    Settings.current = { auth: configFor(emulator), http: { headers: { 'X-Desk': 'credit' } } };
    const { get } = await boot({ imports: [module(Settings.current)], controllers: [ResearchController] });
    expect(emulator.tokenRequests).toBe(0);

    const { status, body } = await get('/research');

    expect(status).toBe(200);
    expect(body).toMatchObject({ results: expect.arrayContaining([expect.anything()]) as unknown });
    expect(emulator.tokenRequests).toBe(1);
    expect(emulator.requests).toMatchObject([{ authorization: 'valid', headers: { 'x-desk': 'credit' } }]);
  });

  it('asks for one token, however many requests come in', async () => {
    const emulator = await startEmulator({ tokenDelayMs: 50 });
    const { get } = await booted(emulator);
    const answers = await Promise.all(Array.from({ length: 20 }, () => get('/research')));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(emulator.apiRequests).toBe(20);
    expect(emulator.tokenRequests).toBe(1);
  });

  it('gets a new token for a revoked one, and sends the request again', async () => {
    const emulator = await startEmulator();
    const { get } = await booted(emulator);
    await get('/research');
    emulator.revokeTokens();
    expect((await get('/research')).status).toBe(200);
    expect(emulator.requests.map(({ status }) => status)).toEqual([200, 401, 200]);
    expect(emulator.tokenRequests).toBe(2);
  });

  it('provides the handle, which shares its token with the HttpService', async () => {
    const emulator = await startEmulator();
    const { auth, http } = await booted(emulator);
    const { accessToken } = await auth.getToken();
    const { config } = await firstValueFrom(http.get('/v1/research'));
    expect(config.headers['Authorization']).toBe(`Bearer ${accessToken}`);
    expect(emulator.tokenRequests).toBe(1);
  });

  it('leaves the axios that the process shares as it was', async () => {
    const emulator = await startEmulator();
    const before = inspect(axios.defaults, { depth: 9 });
    const { get, http } = await booted(emulator);
    await get('/research');
    expect(http.axiosRef).not.toBe(axios);
    expect(handlersOf(http.axiosRef)).toEqual({ request: 1, response: 1 });
    expect(handlersOf(axios)).toEqual({ request: 0, response: 0 });
    expect(inspect(axios.defaults, { depth: 9 })).toBe(before);
  });

  it('lets a subscriber leave while it waits for the token, and the others stay', async () => {
    const emulator = await startEmulator({ tokenDelayMs: 150 });
    const { events, http } = await booted(emulator);
    const rejected: unknown[] = [];
    http.axiosRef.interceptors.response.use(undefined, (error: Error) => {
      rejected.push(error);
      return Promise.reject(error);
    });
    const leaving = http.get('/v1/research/note-1').subscribe();
    const staying = firstValueFrom(http.get('/v1/research/note-2'));
    await until(() => emulator.tokenRequests > 0);

    leaving.unsubscribe();
    await until(() => rejected.length > 0);

    expect(rejected.map((error) => axios.isCancel(error))).toEqual([true]);
    expect(events).toEqual([]);
    expect((await staying).status).toBe(200);
    expect(rejected).toHaveLength(1);
    expect(events).toEqual(['token-acquired']);
    expect(emulator.requests.map(({ path }) => path)).toEqual(['/v1/research/note-2']);
    expect(emulator.tokenRequests).toBe(1);
  });

  it('provides its handle under a name that does not change', () => {
    expect(BIPSYNC_AUTH).toBe('BIPSYNC_AUTH');
  });

  it.each([true, false, undefined])(
    'with global: %s, other modules see or miss what it exports',
    async (global) => {
      const emulator = await startEmulator();
      @Module({ controllers: [ResearchController] })
      class FeatureModule {}
      const metadata = {
        imports: [
          BipsyncHttpModule.register({ ...(global !== undefined && { global }), auth: configFor(emulator) }),
          FeatureModule,
        ],
      };
      if (global) {
        const { get } = await boot(metadata);
        expect((await get('/research')).status).toBe(200);
      } else {
        const { error } = await refusalOf(metadata);
        expect(String(error)).toMatch(/resolve dependencies of the ResearchController .*HttpService/s);
      }
    },
  );
});

describe('app.close()', () => {
  it('leaves nothing on the axios instance', async () => {
    const emulator = await startEmulator();
    const { app, get, http } = await booted(emulator);
    await get('/research');
    await app.close();
    expect(handlersOf(http.axiosRef)).toEqual({ request: 0, response: 0 });
    expect(http.axiosRef.defaults.baseURL).toBeUndefined();
    // It would refuse an instance that still has the plugin.
    installBipsyncAuth(http.axiosRef, configFor(emulator)).eject();
  });

  it('lets the requests that the server still answers reach Bipsync', async () => {
    const emulator = await startEmulator();
    let resume = (): void => undefined;
    const resumed = new Promise<void>((resolve) => (resume = resolve));
    const paused = { reached: false };

    @Controller('slow')
    class SlowController implements BeforeApplicationShutdown {
      constructor(@Inject(HttpService) private readonly bipsync: HttpService) {}

      @Get()
      async list(): Promise<number> {
        paused.reached = true;
        await resumed;
        return (await firstValueFrom(this.bipsync.get('/v1/research'))).status;
      }

      /** Comes after every `onModuleDestroy`, and before the server ends. */
      beforeApplicationShutdown(): void {
        resume();
      }
    }
    const { app, url } = await boot({
      imports: [BipsyncHttpModule.register({ auth: configFor(emulator) })],
      controllers: [SlowController],
    });
    // A connection that is kept alive would hold up the server's end.
    const answer = axios.get<unknown>(`${url}/slow`, { httpAgent: new Agent() });
    await until(() => paused.reached);
    await app.close();
    expect((await answer).data).toBe(200);
  });
});

describe('a bad configuration keeps the application from starting', () => {
  const clientSecret = 'hunter2-hunter2-hunter2';

  it.each(styles)('%s: with every problem, and without the secret', async (_, module) => {
    const auth = { client: 'acme.evil', clientId: '', clientSecret, tokenTimeoutMs: -1 };
    Settings.current = { auth };
    const { error, logged } = await refusalOf({ imports: [module(Settings.current)] });
    expect(error).toBeInstanceOf(BipsyncAuthError);
    expect(error).toMatchObject({ code: 'ERR_BIPSYNC_CONFIG' });
    const { message } = error as BipsyncAuthError;
    for (const problem of [
      'letters, digits, hyphens',
      'clientId (BIPSYNC_CLIENT_ID) is required',
      'tokenTimeoutMs must',
      'team',
    ]) {
      expect(message).toContain(problem);
    }
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(clientSecret);
    expect(logged).not.toContain(clientSecret);
  });

  it('tells which tenant it is about', async () => {
    const auth: BipsyncAuthConfig = { clientId: 'id', clientSecret, teamId: '1' };
    const { error } = await refusalOf({ imports: [BipsyncHttpModule.register({ name: 'acme', auth })] });
    expect(error).toMatchObject({
      code: 'ERR_BIPSYNC_CONFIG',
      message: expect.stringMatching(
        /^BipsyncHttpModule "acme": .*client \(BIPSYNC_CLIENT\) or baseURL \(BIPSYNC_BASE_URL\) is required/,
      ) as unknown,
    });
  });

  it.each([
    [
      'options of the plugin beside auth',
      { client: 'acme', clientSecret },
      /unknown option "client", "clientSecret"/,
    ],
    ['a name that comes too late', { name: 'acme', auth: {} }, /unknown option "name".* next to useFactory/],
    ['nothing', undefined, /must be an object with auth/],
    ['null', null, /must be an object with auth/],
    [
      'a plugin configuration, in the plugin’s own words',
      { auth: {} },
      /^The configuration of axios-bipsync-auth was rejected/,
    ],
    ['no auth', {}, /configuration .* must be an object/],
  ])('refuses %s', async (_, given, message) => {
    const useFactory = (): BipsyncHttpOptions => given as unknown as BipsyncHttpOptions;
    const { error } = await refusalOf({ imports: [BipsyncHttpModule.registerAsync({ useFactory })] });
    expect(error).toMatchObject({
      code: 'ERR_BIPSYNC_CONFIG',
      message: expect.stringMatching(message) as unknown,
    });
    expect(String(error)).not.toContain(clientSecret);
  });

  it('passes on what a factory throws', async () => {
    const reason = new Error('no such setting');
    const useFactory = (): never => {
      throw reason;
    };
    expect(await refusalOf({ imports: [BipsyncHttpModule.registerAsync({ useFactory })] })).toMatchObject({
      error: reason,
    });
  });

  it.each<[string, object, RegExp]>([
    ['no factory', {}, /needs useFactory, useClass or useExisting/],
    ...badNames(),
  ])('refuses %s at once', (_, options, message) => {
    const register = (): unknown => BipsyncHttpModule.registerAsync(options as BipsyncHttpModuleAsyncOptions);
    expect(register).toThrow(message);
    expect(register).toThrow(expect.objectContaining({ code: 'ERR_BIPSYNC_CONFIG' }) as Error);
  });
});

it('options that an object only inherits do not count, as from a polluted Object.prototype', async () => {
  const emulator = await startEmulator();
  const polluted = {
    name: 'globex',
    global: true,
    http: { headers: { 'X-Desk': 'evil' } },
    useFactory: () => ({ auth: { client: 'evil', clientId: 'id', clientSecret: 'secret', teamId: '1' } }),
  };
  class Options implements BipsyncHttpOptionsFactory {
    createBipsyncHttpOptions(): BipsyncHttpOptions {
      return { auth: configFor(emulator) };
    }
  }
  const pollute = (): void => {
    for (const [key, value] of Object.entries(polluted)) {
      Object.defineProperty(Object.prototype, key, { value, configurable: true, writable: true });
    }
  };
  const clean = (): void => {
    for (const key of Object.keys(polluted)) Reflect.deleteProperty(Object.prototype, key);
  };
  pollute();
  try {
    const modules = [
      BipsyncHttpModule.register({ auth: configFor(emulator) }),
      BipsyncHttpModule.registerAsync({ useClass: Options }),
    ];
    for (const module of modules) {
      const { app, get } = await boot({ imports: [module], controllers: [ResearchController] });
      expect((await get('/research')).status).toBe(200);
      await app.close();
    }
  } finally {
    clean();
  }
  expect(emulator.requests.map(({ headers }) => headers['x-desk'])).toEqual([undefined, undefined]);
});

it.each([undefined, null, 'acme'])(
  'register(%j) is rejected, and says what the options must be',
  (options) => {
    expect(() => BipsyncHttpModule.register(options as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_BIPSYNC_CONFIG',
        message: 'The options of BipsyncHttpModule must be an object with auth and, optionally, http.',
      }) as Error,
    );
  },
);

it.each([undefined, null])('registerAsync(%j) is rejected, and says what the options need', (options) => {
  expect(() => BipsyncHttpModule.registerAsync(options as never)).toThrow(
    expect.objectContaining({
      code: 'ERR_BIPSYNC_CONFIG',
      message: 'BipsyncHttpModule.registerAsync needs useFactory, useClass or useExisting.',
    }) as Error,
  );
});

function badNames(): [string, object, RegExp][] {
  return ['', ' ', 7, null].map((name) => [
    `the name ${JSON.stringify(name)}`,
    { name, useFactory: () => ({}) },
    /name of a BipsyncHttpModule must be a non-empty string/,
  ]);
}
