// One copy of axios is the application's, another may be the plugin's.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { createRequire } from 'node:module';
import { format, inspect } from 'node:util';

import { install, leaksIn, outcome, tokensAt } from './install.mjs';
import { HOST } from './servers.mjs';

const following = createRequire(import.meta.url)('follow-redirects');

/** How an instance names or wraps its adapter. Before 1.2 there was no `getAdapter`, and the default was a function. */
function adaptersOf(axios) {
  const http = axios.getAdapter?.('http') ?? axios.defaults.adapter;
  return {
    'the default adapter': undefined,
    'the name http': 'http',
    'a list of names': ['xhr', 'http'],
    'the http function': http,
    'a function around it': (config) => http(config),
  };
}

export async function checkCopy({ check, forget, ...parts }) {
  const { axios, isOwn, own, bipsync, other, front, proxy } = parts;
  const adapters = Object.entries(adaptersOf(axios));

  /** One check for all adapters. `run` gets a function that makes an instance, and the adapter. */
  async function checkEach(what, run) {
    const runWith = async (adapter) => {
      forget();
      await run((options) => axios.create({ ...(adapter && { adapter }), ...options }), adapter);
    };
    await check(what, async () => {
      const failures = {};
      for (const [how, adapter] of adapters) {
        await runWith(adapter).catch(({ message }) => (failures[how] = message));
      }
      assert.deepEqual(failures, {});
    });
  }

  await checkEach('a request keeps its headers and body, and a 401 is answered', async (create) => {
    const { api } = install(parts, create({ headers: { 'X-Own': 'of the instance' } }));
    api.defaults.headers.common['X-Common'] = 'of all';
    api.defaults.headers.post['X-Post'] = 'of posts';
    const headers = { 'X-Mine': 'of the request', 'Content-Type': 'application/vnd.note+json' };
    bipsync.statuses.push(200, 401);
    await api.get('/v1/research');
    const { data } = await api.post('/v1/research', JSON.stringify({ title: 'Ünï' }), { headers });
    assert.deepEqual(data, { ok: true });
    assert.deepEqual(tokensAt(bipsync, bipsync), [1, 1, 2]);
    for (const { headers: got, body } of bipsync.apiRequests.slice(1)) {
      const named = ['x-own', 'x-common', 'x-post', 'x-mine', 'content-type'].map((name) => got[name]);
      assert.deepEqual(named, ['of the instance', 'of all', 'of posts', ...Object.values(headers)]);
      assert.equal(body, '{"title":"Ünï"}');
    }
    const strays = bipsync.tokenRequests.filter(({ all }) => /of (the instance|all|posts)/.test(all));
    assert.deepEqual(strays, []);
  });

  await checkEach('an error is one of both copies, and shows no token', async (create) => {
    const { api } = install(parts, create());
    bipsync.statuses.push(500);
    const error = await api.get('/v1/research').catch((reason) => reason);
    assert.deepEqual([axios.isAxiosError(error), own.isAxiosError(error)], [true, true]);
    const shown = [
      inspect(error, { depth: null, showHidden: true }),
      format('%o', error),
      JSON.stringify(error),
    ];
    assert.deepEqual(leaksIn(shown.join('\n')), []);
  });

  await checkEach('allowAbsoluteUrls brings no other host a token', async (create) => {
    const { api } = install(parts, create());
    const no = { allowAbsoluteUrls: false };
    await outcome(api.get(`${other.url}/x`, no));
    await outcome(api.get('/x', { ...no, baseURL: other.url }));
    await outcome(api.get(`${bipsync.url}/x`, { ...no, baseURL: other.url }));
    assert.deepEqual(leaksIn(JSON.stringify(other)), []);
  });

  await checkEach(
    'a redirect takes the token to the same origin alone, not to a subdomain',
    async (create) => {
      const lookup = (_name, { all }, done) =>
        all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
      const httpAgent = new Agent({ lookup });
      const at = (name) => `http://${name}:${bipsync.port}`;
      for (const transport of [undefined, following.http]) {
        for (const beforeRedirect of [undefined, () => undefined]) {
          forget();
          const options = { ...(transport && { transport }), ...(beforeRedirect && { beforeRedirect }) };
          const { api } = install(parts, create({ httpAgent, ...options }), { baseURL: at('localhost') });
          for (const location of [`${at('sub.localhost')}/end`, '/end']) {
            bipsync.location = location;
            await api.get('/redirected');
          }
          assert.deepEqual(tokensAt(bipsync, bipsync), [1, undefined, 1, 1]);
        }
      }
      httpAgent.destroy();
    },
  );

  await checkEach('https behind a proxy goes through a tunnel or is refused', async (create, adapter) => {
    // The plugin's copy opens tunnels. A function of another copy is not known to do so.
    const mayTunnel = isOwn || typeof (adapter ?? axios.defaults.adapter) !== 'function';
    const home = { baseURL: `https://${HOST}` };
    const proxyOption = { protocol: 'http', host: '127.0.0.1', port: proxy.port };
    for (const inEnvironment of [true, false]) {
      if (inEnvironment) process.env.https_proxy = proxy.url;
      const httpsAgent = new TlsAgent({ ca: front.ca });
      const options = { httpsAgent, ...(!inEnvironment && { proxy: proxyOption }) };
      try {
        const { auth } = install(parts, create(options), home);
        const { api } = install(parts, create(options), {
          ...home,
          tokenUrl: `${bipsync.url}/v1/oauth/token`,
        });
        const minted = await outcome(auth.getToken().then(() => ({ status: 200 })));
        const got = [minted, await outcome(api.get('/v1/x'))];
        assert.deepEqual(got, Array(2).fill(mayTunnel ? 200 : 'ERR_BIPSYNC_CONFIG'));
      } finally {
        delete process.env.https_proxy;
      }
    }
    assert.deepEqual(new Set(proxy.asked), new Set(mayTunnel ? [`CONNECT ${HOST}:443`] : []));
    assert.deepEqual(leaksIn(proxy.read), []);
  });

  await checkEach('a loopback host is reached without the proxy', async (create) => {
    const option = { proxy: { protocol: 'http', host: '127.0.0.1', port: proxy.port } };
    process.env.http_proxy = proxy.url;
    try {
      const { api } = install(parts, create());
      assert.equal((await api.get('/v1/x')).status, 200);
      assert.equal((await api.get('/v1/x', option)).status, 200);
      assert.equal((await install(parts, create(option)).api.get('/v1/x')).status, 200);
    } finally {
      delete process.env.http_proxy;
    }
    assert.deepEqual(proxy.asked, []);
  });

  if (axios.VERSION !== own.VERSION) {
    await check('without the plugin, this version shows a proxy what it sends over https', async () => {
      process.env.https_proxy = proxy.url;
      const headers = { Authorization: 'Bearer LIVE-TOKEN-0' };
      await outcome(axios.post(`https://${HOST}/x`, 'a=b', { headers, timeout: 2000 }));
      delete process.env.https_proxy;
      assert.deepEqual(leaksIn(proxy.read), ['/LIVE-TOKEN/']);
    });
  }

  await check('what an interceptor has frozen is sent with a token, or not at all', async () => {
    const frozen = {
      config: (config) => Object.freeze(config),
      copy: (config) => Object.freeze({ ...config }),
      headers: (config) => (Object.freeze(config.headers), config),
    };
    for (const [what, freeze] of Object.entries(frozen)) {
      forget();
      const api = axios.create({ adapter: 'http' });
      api.interceptors.request.use(freeze);
      install(parts, api);
      const got = await outcome(api.get('/v1/x'));
      assert.deepEqual({ what, sent: tokensAt(bipsync, bipsync) }, { what, sent: got === 200 ? [1] : [] });
    }
  });
}
