import axios from 'axios';

import { installBipsyncAuth } from '../../src';
import { good, rejected } from '../support/rejected';
import { ORIGIN, scripted, SECRET } from '../support/scripted';

describe('a bad configuration fails at installation', () => {
  it('a bad configuration fails with one error that lists every problem and never prints the secret', () => {
    const { message } = rejected({
      ...good,
      client: 'acme.evil',
      clientId: '',
      tokenEncoding: 'xml',
      tokenTimeoutMs: -1,
      refreshWindowMs: 'soon',
      tokenStore: {},
      onEvent: 'log',
      allowedOrigins: ['http://other.example'],
      clientSecert: 'x',
    });
    for (const name of [
      'client (BIPSYNC_CLIENT) must be only the subdomain',
      'clientId',
      'tokenEncoding',
      'tokenTimeoutMs',
      'refreshWindowMs',
      'tokenStore',
      'onEvent',
      'allowedOrigins',
      '"clientSecert"',
    ]) {
      expect(message).toContain(name);
    }
  });

  it.each([
    ['nothing at all', undefined, 'must be an object'],
    ['no credentials', { client: 'acme', teamId: 'a1' }, 'clientId (BIPSYNC_CLIENT_ID) is required'],
    ['no team', { ...good, teamId: undefined }, 'teamId (BIPSYNC_TEAM_ID) is required'],
    [
      'both client and baseURL',
      { ...good, baseURL: ORIGIN },
      'set client (BIPSYNC_CLIENT) or baseURL (BIPSYNC_BASE_URL), not both',
    ],
    [
      'neither client nor baseURL',
      { ...good, client: undefined },
      'client (BIPSYNC_CLIENT) or baseURL (BIPSYNC_BASE_URL) is required',
    ],
    ['plain http', { ...good, client: undefined, baseURL: 'http://api.example' }, 'https'],
    [
      'a host that only looks like loopback',
      { ...good, client: undefined, baseURL: 'http://127.0.0.1.evil.example' },
      'https',
    ],
    [
      'localhost as a subdomain',
      { ...good, client: undefined, baseURL: 'http://localhost.evil.example' },
      'https',
    ],
    [
      'user info',
      { ...good, client: undefined, baseURL: 'https://u:p@api.example' },
      'a user name or password',
    ],
    ['a tokenUrl in clear', { ...good, tokenUrl: 'http://api.example/token' }, 'tokenUrl must use https'],
    ['a tokenUrl with a fragment', { ...good, tokenUrl: 'https://api.example/token#x' }, 'fragment'],
    [
      'an allowed origin with a path',
      { ...good, allowedOrigins: ['https://api.example/v1'] },
      'only origins',
    ],
    ['two teams', { ...good, scopes: ['team_b2'] }, 'only one team'],
    ['a team id with a space', { ...good, teamId: 'a b' }, 'visible ASCII'],
    ['a scope with a quote', { ...good, scopes: ['a"b'] }, 'visible ASCII'],
    ['a scope with a line break', { ...good, scopes: 'a\r\nb' }, 'visible ASCII'],
    [
      'a tokenUrl whose path is taken for a host',
      { ...good, tokenUrl: 'https://api.example//token' },
      'tokenUrl',
    ],
    ['an empty secret', { ...good, clientSecret: ' ' }, 'clientSecret'],
    ['a number for a secret', { ...good, clientSecret: 12345 }, 'clientSecret'],
    ['a margin that is not a number', { ...good, expiryMarginMs: Number.NaN }, 'expiryMarginMs'],
  ])('a configuration with %s is rejected', (_name, config, words) => {
    expect(rejected(config).message).toContain(words);
  });

  it('options that cannot be read are rejected, and what their accessor or proxy threw is not repeated', () => {
    const getter = Object.defineProperty({ ...good }, 'teamId', {
      enumerable: true,
      get() {
        throw new Error(SECRET);
      },
    });
    const trap = new Proxy(good, {
      ownKeys() {
        throw new TypeError(SECRET);
      },
    });
    for (const config of [getter, trap]) {
      expect(rejected(config).message).toBe(
        'The options could not be read: one of them throws an error. Pass plain values.',
      );
    }
  });
});

describe('what is accepted', () => {
  it.each([
    'http://localhost:3000',
    'http://127.0.0.1:3000',
    'http://127.8.8.8',
    'http://[::1]:8080',
    'https://gw.example/x',
  ])('the baseURL %s is accepted', (baseURL) => {
    const api = axios.create();
    installBipsyncAuth(api, { ...good, client: undefined, baseURL });
    expect(api.defaults.baseURL).toBe(baseURL);
  });

  it('an option that is undefined counts as absent', () => {
    const api = axios.create();
    installBipsyncAuth(api, { ...good, baseURL: undefined, scopes: undefined, tokenTimeoutMs: undefined });
    expect(api.defaults.baseURL).toBe(ORIGIN);
  });

  it('the team may be among the scopes, and a teamId may have its prefix', async () => {
    const inScopes = scripted({ teamId: undefined, scopes: 'research:read team_z9 research:read' });
    expect((await inScopes.auth.getToken()).scopes).toEqual(['research:read', 'team_z9']);
    const prefixed = scripted({ teamId: 'team_z9' });
    expect((await prefixed.auth.getToken()).scopes).toEqual(['team_z9']);
  });
});
