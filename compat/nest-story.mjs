import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';

// The checks of every supported version of NestJS: nest10 and nest12 run them. Jest runs on NestJS 11.

/** tell runs the same checks on the libraries that it is given, however they were loaded. */
export async function tell(system, libraries, check) {
  const { nestAxios, nestTesting, common, core, axios, plugin, pluginNest, testing, rxjs } = libraries;
  const { HttpModule, HttpService } = nestAxios;
  const { BIPSYNC_AUTH, BipsyncHttpModule, getBipsyncAuthToken, getBipsyncHttpToken } = pluginNest;
  const named = (what) => `Nest ${system}: ${what}`;
  const opened = [];

  const startBipsync = async (options) => {
    const bipsync = await testing.startBipsyncEmulator({ record: true, ...options });
    opened.push(bipsync);
    return bipsync;
  };
  const configFor = ({ url, clientId, clientSecret, teamId }) => {
    return { baseURL: url, clientId, clientSecret, teamId, scopes: ['rest_api:read'] };
  };

  /** A controller at `path` that passes on the research list; decorators by hand, for this file is not compiled. */
  const controllerAt = (path, httpToken = HttpService) => {
    class ResearchController {
      constructor(http) {
        this.http = http;
      }
      list() {
        return this.http.get('/v1/research').pipe(rxjs.map(({ status }) => ({ status })));
      }
    }
    common.Controller(path)(ResearchController);
    common.Inject(httpToken)(ResearchController, undefined, 0);
    const { prototype } = ResearchController;
    common.Get()(prototype, 'list', Object.getOwnPropertyDescriptor(prototype, 'list'));
    return ResearchController;
  };

  const boot = async (metadata, logger = false) => {
    class ApplicationModule {}
    common.Module(metadata)(ApplicationModule);
    const app = await core.NestFactory.create(ApplicationModule, { logger, abortOnError: false });
    opened.push(app);
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address();
    const get = async (path) => (await fetch(`http://127.0.0.1:${port}/${path}`)).json();
    return { app, get };
  };

  const handlersOf = ({ interceptors: { request, response } }) => {
    let handlers = 0;
    for (const manager of [request, response]) manager.forEach(() => (handlers += 1));
    return handlers;
  };

  const scenario = (what, run) =>
    check(named(what), async () => {
      try {
        await run();
      } finally {
        for (const it of opened.splice(0).reverse()) await it.close();
      }
    });

  await scenario('register, inject, request; closing ejects; the shared axios stays as it was', async () => {
    const bipsync = await startBipsync();
    const { app, get } = await boot({
      imports: [
        BipsyncHttpModule.register({ auth: configFor(bipsync), http: { headers: { 'X-Desk': 'a' } } }),
      ],
      controllers: [controllerAt('research')],
    });
    assert.deepEqual(await get('research'), { status: 200 });
    assert.deepEqual([bipsync.tokenRequests, bipsync.apiRequests], [1, 1]);
    assert.equal(bipsync.requests[0].headers['x-desk'], 'a');
    const { axiosRef } = app.get(HttpService);
    assert.equal(handlersOf(axiosRef), 2);
    assert.equal(handlersOf(axios), 0);
    const { accessToken } = await app.get(BIPSYNC_AUTH).getToken();
    assert.equal(typeof accessToken, 'string');
    assert.equal(bipsync.tokenRequests, 1);
    await app.close();
    assert.equal(handlersOf(axiosRef), 0);
  });

  await scenario('a revoked token is replaced, and the request sent again', async () => {
    const bipsync = await startBipsync();
    const { get } = await boot({
      imports: [BipsyncHttpModule.register({ auth: configFor(bipsync) })],
      controllers: [controllerAt('research')],
    });
    await get('research');
    bipsync.revokeTokens();
    assert.deepEqual(await get('research'), { status: 200 });
    assert.deepEqual(
      bipsync.requests.map(({ status }) => status),
      [200, 401, 200],
    );
    assert.equal(bipsync.tokenRequests, 2);
  });

  await scenario('unsubscribing ends one wait for the token, and no other', async () => {
    const bipsync = await startBipsync({ tokenDelayMs: 200 });
    const events = [];
    const auth = { ...configFor(bipsync), onEvent: ({ type }) => events.push(type) };
    const { app } = await boot({ imports: [BipsyncHttpModule.register({ auth })] });
    const http = app.get(HttpService);
    const rejected = [];
    http.axiosRef.interceptors.response.use(undefined, (error) => {
      rejected.push(error);
      throw error;
    });
    const leaving = http.get('/v1/research/note-1').subscribe();
    const staying = rxjs.firstValueFrom(http.get('/v1/research/note-2'));
    await until(() => bipsync.tokenRequests > 0);
    leaving.unsubscribe();
    await until(() => rejected.length > 0);
    assert.deepEqual(rejected.map(axios.isCancel), [true]);
    assert.deepEqual(events, []);
    assert.equal((await staying).status, 200);
    assert.deepEqual(
      bipsync.requests.map(({ path }) => path),
      ['/v1/research/note-2'],
    );
    assert.equal(bipsync.tokenRequests, 1);
  });

  await scenario('two named tenants (useFactory, useClass) are not mixed up', async () => {
    const [acme, globex] = [await startBipsync(), await startBipsync()];
    class GlobexOptions {
      createBipsyncHttpOptions() {
        return { auth: configFor(globex) };
      }
    }
    const { app, get } = await boot({
      imports: [
        BipsyncHttpModule.registerAsync({ name: 'acme', useFactory: () => ({ auth: configFor(acme) }) }),
        BipsyncHttpModule.registerAsync({ name: 'globex', useClass: GlobexOptions }),
      ],
      controllers: [
        controllerAt('acme', getBipsyncHttpToken('acme')),
        controllerAt('globex', getBipsyncHttpToken('globex')),
      ],
    });
    assert.deepEqual(await get('acme'), { status: 200 });
    assert.deepEqual(await get('globex'), { status: 200 });
    for (const { requests, tokenLog, teamId } of [acme, globex]) {
      assert.deepEqual(
        requests.map(({ authorization }) => authorization),
        ['valid'],
      );
      assert.equal(tokenLog.length, 1);
      assert.ok(tokenLog[0].scope.split(' ').includes(`team_${teamId}`));
    }
    app.get(getBipsyncAuthToken('acme')).invalidate();
    await get('acme');
    await get('globex');
    assert.deepEqual([acme.tokenRequests, globex.tokenRequests], [2, 1]);
    assert.throws(() => app.get(HttpService));
  });

  await scenario('a bad configuration keeps the application from starting', async () => {
    const auth = { client: 'acme', clientSecret: 'hunter2-hunter2', teamId: '1', tokenTimeoutMs: -1 };
    await assert.rejects(boot({ imports: [BipsyncHttpModule.register({ name: 'acme', auth })] }), (error) => {
      assert.ok(plugin.isBipsyncAuthError(error));
      assert.match(
        error.message,
        /"acme".*clientId \(BIPSYNC_CLIENT_ID\) is required.*tokenTimeoutMs must be/,
      );
      assert.doesNotMatch(error.stack, /hunter2/);
      return true;
    });
  });

  await scenario('two modules of one name with different options are refused', async () => {
    const [acme, globex] = [await startBipsync(), await startBipsync()];
    const module = (name, bipsync) => BipsyncHttpModule.register({ name, auth: configFor(bipsync) });
    await assert.rejects(boot({ imports: [module('acme', acme), module('acme', globex)] }), {
      code: 'ERR_BIPSYNC_CONFIG',
      message: /"acme".*different options/,
    });
    const first = await boot({ imports: [module('acme', acme), module('acme', acme)] });
    await first.app.close();
    await boot({ imports: [module('acme', globex)] });
  });

  await scenario('a factory that depends on the request is refused', async () => {
    const bipsync = await startBipsync();
    const useFactory = () => ({ auth: configFor(bipsync) });
    const module = BipsyncHttpModule.registerAsync({ inject: [core.REQUEST], useFactory });
    await assert.rejects(boot({ imports: [module], controllers: [controllerAt('research')] }), {
      code: 'ERR_BIPSYNC_CONFIG',
      message: /request-scoped/,
    });
  });

  await scenario('a module that imports HttpModule too is warned of', async () => {
    const bipsync = await startBipsync();
    const warnings = [];
    const logger = { log() {}, error() {}, warn: (message) => warnings.push(message) };
    const imports = [HttpModule, BipsyncHttpModule.register({ auth: configFor(bipsync) })];
    await boot({ imports }, logger);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /^ApplicationModule imports BipsyncHttpModule and another module/);
  });

  await scenario('a factory is not called if both of its providers are overridden', async () => {
    const useFactory = () => {
      throw new Error('no settings');
    };
    class ResearchModule {}
    common.Module({ imports: [BipsyncHttpModule.registerAsync({ useFactory })] })(ResearchModule);
    const module = await nestTesting.Test.createTestingModule({ imports: [ResearchModule] })
      .overrideProvider(HttpService)
      .useValue({})
      .overrideProvider(BIPSYNC_AUTH)
      .useValue({})
      .compile();
    await module.init();
    await module.close();
  });

  await scenario('HttpModule.register() takes the plugin, the bare HttpModule is refused', async () => {
    const bipsync = await startBipsync();
    const withPlugin = (httpModule) => {
      class ResearchModule {
        constructor(http) {
          this.http = http;
        }
        onModuleInit() {
          pluginNest.installBipsyncAuthOn(this.http, configFor(bipsync));
        }
      }
      common.Inject(HttpService)(ResearchModule, undefined, 0);
      common.Module({ imports: [httpModule], controllers: [controllerAt('research')] })(ResearchModule);
      return { imports: [ResearchModule] };
    };
    const { get } = await boot(withPlugin(HttpModule.register({})));
    assert.deepEqual(await get('research'), { status: 200 });
    await assert.rejects(boot(withPlugin(HttpModule)), {
      code: 'ERR_BIPSYNC_CONFIG',
      message: /default export.*HttpModule\.register\(\{\}\)/,
    });
    // In CommonJS Nest's axios is another copy than this file's.
    const { app } = await boot({ imports: [HttpModule] });
    assert.equal(handlersOf(app.get(HttpService).axiosRef), 0);
  });

  await scenario(
    'HttpModule.register() makes its axios once, registerAsync() one for each application',
    async () => {
      const axiosOf = async (httpModule) =>
        (await boot({ imports: [httpModule] })).app.get(HttpService, { strict: false }).axiosRef;
      const registered = HttpModule.register({});
      assert.equal(await axiosOf(registered), await axiosOf(registered));
      const registeredAsync = HttpModule.registerAsync({ useFactory: () => ({}) });
      assert.notEqual(await axiosOf(registeredAsync), await axiosOf(registeredAsync));
    },
  );
}

async function until(happened) {
  const deadline = Date.now() + 3000;
  while (!happened()) {
    assert.ok(Date.now() < deadline, 'it did not happen');
    await delay(2);
  }
}
