// undici's dispatchers, real ones: to a loopback host, fetch goes by none that could be a proxy.
import assert from 'node:assert/strict';
import { connect } from 'node:net';

import { install, leaksIn, outcome } from './install.mjs';

/** Everything that hands requests to a proxy, however it is made and named. */
const kindsOf = ({ Agent, Client, EnvHttpProxyAgent, Pool, ProxyAgent, RetryAgent }, { url, port }) => {
  const through = () => new ProxyAgent({ uri: url, proxyTunnel: true });
  return {
    'a ProxyAgent': through,
    'a ProxyAgent that opens no tunnel': () => new ProxyAgent({ uri: url, proxyTunnel: false }),
    'an EnvHttpProxyAgent': () => new EnvHttpProxyAgent({ httpProxy: url, noProxy: '' }),
    "a ProxyAgent's subclass": () => new (class Corporate extends ProxyAgent {})(url),
    "a ProxyAgent's subclass that is named Agent": () =>
      new { Agent: class Agent extends ProxyAgent {} }.Agent(url),
    'a ProxyAgent whose class was renamed': () => {
      class Renamed extends ProxyAgent {}
      Object.defineProperty(Renamed, 'name', { value: 'Agent' });
      return new Renamed(url);
    },
    'a RetryAgent around a ProxyAgent': () => new RetryAgent(through()),
    'a Client of the proxy': () => new Client(url),
    'a Pool of the proxy': () => new Pool(url),
    'an Agent that is composed with a ProxyAgent': () => {
      const proxy = through();
      return new Agent().compose(() => (options, handler) => proxy.dispatch(options, handler));
    },
    'an Agent with a dispatch of its own': () => {
      const proxy = through();
      return Object.assign(new Agent(), { dispatch: (options, handler) => proxy.dispatch(options, handler) });
    },
    "an Agent's subclass with a dispatch of its own": () => {
      const proxy = through();
      return new (class extends Agent {
        dispatch(options, handler) {
          return proxy.dispatch(options, handler);
        }
      })();
    },
    'a Proxy object around an Agent': () => {
      const proxy = through();
      const dispatch = (options, handler) => proxy.dispatch(options, handler);
      return new Proxy(new Agent(), { get: (agent, key) => (key === 'dispatch' ? dispatch : agent[key]) });
    },
    'an Agent with a factory of its own': () => new Agent({ factory: () => new Client(url) }),
    'an Agent with a connect of its own': () =>
      new Agent({
        connect: (_options, done) => {
          const socket = connect(port, '127.0.0.1', () => done(null, socket));
        },
      }),
  };
};

/** Where undici 6 and Node 20 have the global dispatcher, and where newer versions of undici have it besides. */
const symbols = ['1', '2'].map((version) => Symbol.for(`undici.globalDispatcher.${version}`));

async function asGlobal(dispatchers, run) {
  const before = symbols.map((symbol) => globalThis[symbol]);
  symbols.forEach((symbol, position) => (globalThis[symbol] = dispatchers[position]));
  try {
    return await run();
  } finally {
    symbols.forEach((symbol, position) => (globalThis[symbol] = before[position]));
  }
}

export async function checkDispatchers({ check, forget, ...parts }) {
  const { axios, undici, bipsync, proxy } = parts;
  const kinds = Object.entries(kindsOf(undici, proxy));

  await check('a plain Agent is used, as the option and as the global one', async () => {
    const dispatcher = new undici.Agent();
    const { api } = install(parts, axios.create({ adapter: 'fetch', fetchOptions: { dispatcher } }));
    assert.equal(await outcome(api.get('/v1/x')), 200);
    const { api: plain } = install(parts, axios.create({ adapter: 'fetch' }));
    assert.equal(await asGlobal([dispatcher, undefined], () => outcome(plain.get('/v1/x'))), 200);
    await dispatcher.close();
  });

  const everyKind = async (run) => {
    const failures = {};
    for (const [kind, create] of kinds) {
      forget();
      const dispatcher = create();
      await run(dispatcher).catch(({ message }) => (failures[kind] = message));
      await dispatcher.destroy();
    }
    assert.deepEqual(failures, {});
  };

  const what = 'shows a proxy neither secret nor token for a loopback host';
  await check('without the plugin, each dispatcher shows a proxy what fetch sends', () =>
    everyKind(async (dispatcher) => {
      const headers = { Authorization: 'Bearer LIVE-TOKEN-0' };
      await outcome(
        axios.get(`${bipsync.url}/x`, { adapter: 'fetch', fetchOptions: { dispatcher }, headers }),
      );
      assert.deepEqual(leaksIn(proxy.read), ['/LIVE-TOKEN/']);
    }),
  );

  await check(`a global dispatcher of undici 6 ${what}, if undici 7 has set a plain one`, async () => {
    const { ProxyAgent, Agent } = undici;
    const dispatchers = [new ProxyAgent(proxy.url), new Agent()];
    const { api } = install(parts, axios.create({ adapter: 'fetch' }));
    const got = await asGlobal(dispatchers, () => outcome(api.get('/v1/x')));
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.destroy()));
    assert.deepEqual(leaksIn(proxy.read), []);
    assert.equal(got, 'ERR_BIPSYNC_CONFIG');
  });

  /** As the instance's, a request's and the global one. */
  async function isRefused(dispatcher) {
    const own = install(parts, axios.create({ adapter: 'fetch', fetchOptions: { dispatcher } }));
    const { api, auth } = install(parts, axios.create({ adapter: 'fetch' }));
    await auth.getToken();
    const got = [
      await outcome(own.auth.getToken().then(() => ({ status: 200 }))),
      await outcome(own.api.get('/v1/x')),
      await outcome(api.get('/v1/x', { fetchOptions: { dispatcher } })),
    ];
    got.push(await asGlobal([dispatcher, undefined], () => outcome(api.get('/v1/x'))));
    assert.deepEqual(leaksIn(proxy.read), []);
    assert.deepEqual(got, Array(4).fill('ERR_BIPSYNC_CONFIG'));
  }

  await check(`no dispatcher ${what}`, () => everyKind(isRefused));
}
