import { createRequire } from 'node:module';

import axios from 'axios';
import { clientCredentials } from 'axios-oauth-client';

// axios-auth-refresh's ESM build does not load everywhere, since its package.json has no `"type": "module"`.
const require = createRequire(import.meta.url);
/** The CommonJS build of axios. The plugin, imported as a module, has the other build, so the two are different copies. */
export const otherCopy = require('axios');
const { createAuthRefresh } = require('axios-auth-refresh');
const tokenProvider = require('axios-token-interceptor');

export const CLIENT_ID = 'bench';
export const CLIENT_SECRET = 'bench-secret';
export const TEAM = 'team_bench';
const SCOPES = ['rest_api:read'];
const SCOPE = [...SCOPES, TEAM].join(' ');

/** The server of the bench accepts this token always. */
export const CONSTANT_TOKEN = 'constant';
const CONSTANT = `Bearer ${CONSTANT_TOKEN}`;

/** In the order of the table's columns. */
export const labels = {
  ours: 'axios-bipsync-auth',
  handWritten: 'hand-written interceptor',
  tokenInterceptor: 'axios-token-interceptor + axios-oauth-client',
  authRefresh: 'axios-auth-refresh',
  bare: 'bare axios, constant header',
  emptyPair: 'empty interceptor pair, no header',
  constantPair: 'pair that sets a constant header',
};

/** Those that get a token by themselves. */
export const peers = ['ours', 'handWritten', 'tokenInterceptor', 'authRefresh'];

/**
 * Every contender as its own README has it for client credentials. `target` is `{ baseURL, tokenUrl, http?, tokenStore? }`,
 * where `http` are axios options (adapter, agent) for API and token requests alike.
 */
export const contenders = {
  async ours({ baseURL, http, tokenStore, copy = axios, build = 'axios-bipsync-auth' }) {
    const { installBipsyncAuth } = await import(build);
    const api = copy.create({ baseURL, ...http });
    installBipsyncAuth(api, {
      baseURL,
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      teamId: TEAM,
      scopes: SCOPES,
      ...(tokenStore && { tokenStore }),
    });
    return api;
  },

  /**
   * The snippet that a search for "axios interceptor refresh token" gives, with client credentials put in. That it tells
   * a refused token request from a refused API request is more than most do: without it, wrong credentials make it send
   * token requests without end.
   */
  async handWritten({ baseURL, tokenUrl, http }) {
    const api = axios.create({ baseURL, ...http });
    const auth = axios.create(http);
    let token;
    let expiresAt = 0;

    async function getToken() {
      if (token && Date.now() < expiresAt) return token;
      const { data } = await auth.post(tokenUrl, credentials());
      token = data.access_token;
      expiresAt = Date.now() + data.expires_in * 1000;
      return token;
    }

    api.interceptors.request.use(async (config) => {
      config.headers.Authorization = `Bearer ${await getToken()}`;
      return config;
    });
    api.interceptors.response.use(
      (response) => response,
      async (error) => {
        const { config, response } = error;
        if (response?.status === 401 && config.url !== tokenUrl && !config._retry) {
          config._retry = true;
          token = undefined;
          return api(config);
        }
        return Promise.reject(error);
      },
    );
    return api;
  },

  async tokenInterceptor({ baseURL, tokenUrl, http }) {
    const api = axios.create({ baseURL, ...http });
    const getClientCredentials = clientCredentials(axios.create(http), tokenUrl, CLIENT_ID, CLIENT_SECRET);
    api.interceptors.request.use(
      tokenProvider({
        getToken: tokenProvider.tokenCache(() => getClientCredentials(SCOPE), {
          getMaxAge: (body) => body.expires_in * 1000,
        }),
        headerFormatter: (body) => `Bearer ${body.access_token}`,
      }),
    );
    return api;
  },

  async authRefresh({ baseURL, tokenUrl, http }) {
    const api = axios.create({ baseURL, ...http });
    const auth = axios.create(http);
    let token;
    createAuthRefresh(api, async (failedRequest) => {
      const { data } = await auth.post(tokenUrl, credentials());
      token = data.access_token;
      failedRequest.response.config.headers['Authorization'] = `Bearer ${token}`;
    });
    api.interceptors.request.use((request) => {
      request.headers['Authorization'] = `Bearer ${token}`;
      return request;
    });
    return api;
  },

  async bare({ baseURL, http, copy = axios }) {
    return copy.create({ baseURL, ...http, headers: { Authorization: CONSTANT } });
  },

  /** Attaches nothing: what interceptors cost before they do anything. */
  async emptyPair({ baseURL, http }) {
    const api = axios.create({ baseURL, ...http });
    api.interceptors.request.use((config) => config);
    api.interceptors.response.use(
      (response) => response,
      (error) => Promise.reject(error),
    );
    return api;
  },

  async constantPair({ baseURL, http }) {
    const api = axios.create({ baseURL, ...http });
    api.interceptors.request.use((config) => {
      config.headers.Authorization = CONSTANT;
      return config;
    });
    api.interceptors.response.use(
      (response) => response,
      (error) => Promise.reject(error),
    );
    return api;
  },
};

function credentials() {
  return new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    scope: SCOPE,
  });
}

const { URLSearchParams } = globalThis;

/**
 * An axios adapter that answers at once, as the API and as the token endpoint; counts token and API requests. `isOpen`
 * lets requests without a token through.
 */
export function noopAdapter({ tokenDelayMs = 0, isOpen = false } = {}) {
  const counts = { tokenRequests: 0, apiRequests: 0 };
  const token = { token_type: 'bearer', expires_in: 86_400, access_token: 'token'.repeat(8) };
  const answer = (config, status, data) => ({
    status,
    statusText: '',
    headers: {},
    data: JSON.stringify(data),
    config,
    request: {},
  });

  async function adapter(config) {
    if (config.url.includes('/oauth/token')) {
      counts.tokenRequests += 1;
      if (tokenDelayMs > 0) await new Promise((resolve) => setTimeout(resolve, tokenDelayMs));
      return answer(config, 200, token);
    }
    counts.apiRequests += 1;
    const { Authorization: authorization } = config.headers;
    if (isOpen || authorization === CONSTANT || authorization === `Bearer ${token.access_token}`) {
      return answer(config, 200, { ok: true });
    }
    const response = answer(config, 401, { error: 'access_denied' });
    throw new axios.AxiosError(
      'Request failed with status code 401',
      'ERR_BAD_REQUEST',
      config,
      {},
      response,
    );
  }
  return { adapter, counts };
}

export const noopTarget = (http) => ({
  baseURL: 'https://acme-api.bipsync.com',
  tokenUrl: 'https://acme-api.bipsync.com/v1/oauth/token',
  http,
});
