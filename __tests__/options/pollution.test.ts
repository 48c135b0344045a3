import axios from 'axios';

import { bipsyncAuthConfigFromEnv, installBipsyncAuth } from '../../src';
import { good } from '../support/rejected';
import { formOf, ORIGIN, rejection, scripted } from '../support/scripted';

const EVIL = 'https://evil.example';

/** Every option, with a value that would change what is sent, or where to. */
const options: Record<string, unknown> = {
  client: 'evil',
  baseURL: EVIL,
  tokenUrl: `${EVIL}/token`,
  clientId: 'evil-client',
  clientSecret: 'evil-secret',
  teamId: 'evil',
  scopes: ['evil:write'],
  allowedOrigins: [EVIL],
  tokenEncoding: 'json',
  tokenTimeoutMs: 1,
  refreshWindowMs: 86_400_000,
  expiryMarginMs: 86_400_000,
  tokenStore: { get: () => Promise.resolve(undefined), set: () => Promise.resolve() },
  onEvent: () => undefined,
  dispatcher: {},
};

const prototype = Object.prototype as Record<string, unknown>;
afterEach(() => {
  for (const name of Object.keys(options)) Reflect.deleteProperty(prototype, name);
});

it.each(Object.keys(options))('an option %s on a polluted Object.prototype changes nothing', async (name) => {
  const { tokenStore, onEvent } = options as { tokenStore: object; onEvent: object };
  const touched = [jest.spyOn(tokenStore, 'get' as never), jest.spyOn(options as never, 'onEvent' as never)];
  const api = axios.create();
  const sent: { url: string; to: string; body: Record<string, string>; authorization: unknown }[] = [];
  const adapter = async (config: Parameters<typeof formOf>[0]) => {
    const { url = '', baseURL = '', headers } = config;
    sent.push({ url, to: baseURL, body: formOf(config), authorization: headers.get('Authorization') });
    const data = { token_type: 'bearer', access_token: 'good', expires_in: 3600 };
    return { status: 200, statusText: '', headers: {}, config, data } as never;
  };
  api.defaults.adapter = adapter;
  prototype[name] = name === 'onEvent' ? onEvent : options[name];
  const auth = installBipsyncAuth(api, { ...good });
  expect((await auth.getToken({})).accessToken).toBe('good');
  Reflect.deleteProperty(prototype, name);
  expect(sent).toMatchObject([
    {
      url: '/v1/oauth/token',
      to: ORIGIN,
      body: { client_id: good.clientId, client_secret: good.clientSecret, scope: 'team_a1' },
    },
  ]);
  expect(touched[0]).not.toHaveBeenCalled();
});

it('a signal on a polluted Object.prototype does not cancel getToken()', async () => {
  const state = scripted();
  prototype['signal'] = AbortSignal.abort();
  try {
    expect((await state.auth.getToken()).accessToken).toBe('token-1');
  } finally {
    Reflect.deleteProperty(prototype, 'signal');
  }
});

it.each(['client', 'clientId', 'clientSecret', 'teamId'])(
  'an option %s that is missing is missing, whatever is on Object.prototype',
  (name) => {
    prototype[name] = options[name];
    const rest = Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
    expect(() => installBipsyncAuth(axios.create(), rest as never)).toThrow(/is required/);
  },
);

it.each(['teamId', 'scopes'])("a request's own %s is not read from Object.prototype", async (name) => {
  const state = scripted();
  prototype[name] = options[name];
  await state.api.get('/v1/x', { bipsyncAuth: {} });
  expect(formOf(state.tokenRequests[0]!)['scope']).toBe('team_a1');
});

it('an adapter on a polluted Object.prototype stops the token request, and the error names it', async () => {
  prototype['adapter'] = () => Promise.reject(new Error('polluted'));
  const state = scripted();
  try {
    const error = await rejection(state.auth.getToken());
    expect(error).toMatchObject({
      code: 'ERR_BIPSYNC_CONFIG',
      message: expect.stringContaining('Object.prototype has a property "adapter"') as string,
    });
    expect(state.tokenRequests).toHaveLength(0);
  } finally {
    Reflect.deleteProperty(prototype, 'adapter');
  }
});

it('the environment is not read from Object.prototype', () => {
  prototype['BIPSYNC_CLIENT'] = 'evil';
  try {
    expect(bipsyncAuthConfigFromEnv({})).toEqual({});
  } finally {
    Reflect.deleteProperty(prototype, 'BIPSYNC_CLIENT');
  }
});

it('a config that was frozen by an interceptor is not sent without a token in silence', async () => {
  const instance = axios.create();
  instance.interceptors.request.use((config) => Object.freeze(config));
  const state = scripted({}, instance);
  const outcome = await state.api.get('/v1/x').catch((error: unknown) => error);
  if (outcome instanceof Error) expect(state.apiRequests).toHaveLength(0);
  else expect(state.sent).toEqual(['Bearer token-1']);
});

it('a frozen configuration of the plugin is accepted, and later changes to it change nothing', async () => {
  const config = { ...good, scopes: ['users:read'] };
  const state = scripted(Object.freeze(config));
  config.scopes.push('evil:write');
  await state.api.get('/v1/x');
  expect(formOf(state.tokenRequests[0]!)['scope']).toBe('team_a1 users:read');
  expect((await rejection(state.auth.getToken({ teamId: '' })))['code']).toBe('ERR_BIPSYNC_CONFIG');
});

it.each(['defaultPort', 'ca', 'createConnection', 'transport'])(
  'an option %s on a polluted Object.prototype, which Node or axios could take for its own, stops the token request',
  async (name) => {
    const state = scripted();
    prototype[name] = 8443;
    try {
      const error = await rejection(state.auth.getToken());
      expect(error).toMatchObject({ code: 'ERR_BIPSYNC_CONFIG' });
      expect(error.message).toContain(`"${name}"`);
    } finally {
      Reflect.deleteProperty(prototype, name);
    }
    expect(state.tokenRequests).toEqual([]);
  },
);
