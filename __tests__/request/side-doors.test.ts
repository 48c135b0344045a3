import { inspect } from 'node:util';

import axios, { type AxiosAdapter, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';

import { installBipsyncAuth } from '../../src';

const SECRET = 'q7Hk2Lr9Zx4Vb8Nm3Wc6Tp1Yd5Sf0Ga8';
const credentials = { clientId: 'my-client', clientSecret: SECRET, teamId: '1' };

/** An adapter that answers token requests with `granted`, and hands API requests to `answer`. */
function adapterWith(
  answer: (config: InternalAxiosRequestConfig) => Promise<unknown>,
  granted: object = {},
): AxiosAdapter {
  return async (config) => {
    const isToken = String(config.url).includes('/oauth/token');
    const data = isToken
      ? { token_type: 'bearer', access_token: 'THE-TOKEN', expires_in: 3600, ...granted }
      : await answer(config);
    return { status: 200, statusText: 'OK', headers: {}, config, data } as AxiosResponse;
  };
}

it.each(['url', 'baseURL'] as const)(
  'an adapter function that waits before it sends reads no token once the %s names another origin',
  async (option) => {
    let kept: InternalAxiosRequestConfig | undefined;
    const read: unknown[] = [];
    const adapter = adapterWith(async (config) => {
      kept = config;
      await new Promise((resolve) => setTimeout(resolve, 5));
      read.push(config.headers.toJSON()['Authorization']);
    });
    const api = axios.create({ adapter });
    installBipsyncAuth(api, { ...credentials, client: 'acme' });
    await api.get('/v1/field');
    const moving = api.get('/v1/field');
    await new Promise(setImmediate);
    kept![option] = 'https://other.example/x';
    await moving;
    expect(read).toEqual(['Bearer THE-TOKEN', undefined]);
  },
);

it('a config that is frozen while its request is under way hides no answer and shows no token', async () => {
  const adapter = adapterWith(async (config) => {
    await new Promise(setImmediate);
    Object.freeze(config);
  });
  const api = axios.create({ adapter, validateStatus: null });
  installBipsyncAuth(api, { ...credentials, client: 'acme' });
  let seen: InternalAxiosRequestConfig | undefined;
  api.interceptors.request.use((config) => (seen = config));
  await api.get('/v1/field').catch(() => undefined);
  expect(Object.isFrozen(seen)).toBe(true);
  for (const shown of [inspect(seen, { depth: null }), JSON.stringify(seen)])
    expect(shown).not.toContain('THE-TOKEN');
});

it('a scope that the server made of the secret is not among the granted scopes', async () => {
  const adapter = adapterWith(async () => undefined, { scope: `team_1 ${SECRET}` });
  const auth = installBipsyncAuth(axios.create({ adapter }), { ...credentials, client: 'acme' });
  expect((await auth.getToken()).scopes).toEqual(['team_1']);
});

