import axios from 'axios';

import { installBipsyncAuth } from '../../src';
import { answerJson, type RawServer, startRawServer } from '../support/raw-server';
import { rejection, SECRET } from '../support/scripted';

const GLOBAL = Symbol.for('undici.globalDispatcher.1');

/** As undici's are called. What they dispatch is noted, and goes nowhere. */
const dispatched: string[] = [];
class Dispatcher {
  dispatch(options: { origin: unknown; path: string }): boolean {
    dispatched.push(`${String(options.origin)}${options.path}`);
    throw new Error('goes nowhere');
  }
}
class ProxyAgent extends Dispatcher {}
class EnvHttpProxyAgent extends Dispatcher {}
class RetryAgent extends Dispatcher {}

let server: RawServer;
beforeEach(async () => {
  dispatched.length = 0;
  server = await startRawServer((_request, response) => answerJson(response, 200));
});
afterEach(() => server.close());

function install(fetchOptions: object, adapter: unknown = 'fetch') {
  const api = axios.create({ adapter, fetchOptions } as never);
  const auth = installBipsyncAuth(api, {
    ...{ baseURL: server.url, clientId: 'the-client', clientSecret: SECRET, teamId: 'a1' },
  });
  return { api, auth };
}

describe.each([ProxyAgent, EnvHttpProxyAgent, RetryAgent])(
  '7. a dispatcher %p for a loopback host',
  (Kind) => {
    it.each(['its own', 'the global'] as const)(
      'over fetch, %s dispatcher gets neither secret nor token if it may be a proxy',
      async (whose) => {
        const before: unknown = Reflect.get(globalThis, GLOBAL);
        if (whose === 'the global') Reflect.set(globalThis, GLOBAL, new Kind());
        try {
          const { api, auth } = install(whose === 'its own' ? { dispatcher: new Kind() } : {});
          for (const asked of [auth.getToken(), api.get('/v1/research')]) {
            expect(await rejection(asked)).toMatchObject({
              code: 'ERR_BIPSYNC_CONFIG',
              message: expect.stringContaining('not a plain undici Agent') as string,
            });
          }
        } finally {
          Reflect.set(globalThis, GLOBAL, before);
        }
        expect(dispatched).toEqual([]);
        expect(server.tokenRequests).toHaveLength(0);
      },
    );

    it('a global dispatcher does not concern the http adapter', async () => {
      const before: unknown = Reflect.get(globalThis, GLOBAL);
      Reflect.set(globalThis, GLOBAL, new Kind());
      try {
        expect((await install({}, 'http').api.get('/v1/research')).status).toBe(200);
      } finally {
        Reflect.set(globalThis, GLOBAL, before);
      }
    });

    it('a dispatcher that may be a proxy, set on one request, stops only this request', async () => {
      const { api, auth } = install({});
      await auth.getToken();
      const one = { fetchOptions: { dispatcher: new Kind() } } as never;
      expect(await rejection(api.get('/v1/research', one))).toMatchObject({ code: 'ERR_BIPSYNC_CONFIG' });
      expect((await api.get('/v1/research')).status).toBe(200);
      expect(dispatched).toEqual([]);
    });
  },
);
