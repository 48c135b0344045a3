import axios from 'axios';
import type { AxiosInstance } from 'axios';
import MockAdapter from 'axios-mock-adapter';

import { mockBipsyncToken } from '../../src/testing';

const tokenUrl = 'https://acme-api.bipsync.com/v1/oauth/token';

function mocked(options?: { onNoMatch: 'throwException' }): { api: AxiosInstance; mock: MockAdapter } {
  const api = axios.create({ baseURL: 'https://acme-api.bipsync.com' });
  return { api, mock: new MockAdapter(api, options) };
}

async function tokenRequest(api: AxiosInstance, url = tokenUrl): Promise<unknown> {
  return (await api.post<unknown>(url, new URLSearchParams({ grant_type: 'client_credentials' }))).data;
}

describe('mockBipsyncToken', () => {
  test('answers token requests in a suite that throws on anything unexpected', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    const token = mockBipsyncToken(mock);
    mock.onGet('/v1/research').reply(200, { data: [] });
    expect(token.tokenRequests).toBe(0);
    expect(await tokenRequest(api)).toEqual({
      token_type: 'bearer',
      expires_in: 3600,
      access_token: token.accessToken,
    });
    expect(await tokenRequest(api, '/v1/oauth/token')).toHaveProperty('access_token', token.accessToken);
    expect((await api.get('/v1/research')).data).toEqual({ data: [] });
    await expect(api.get('/v1/fields')).rejects.toThrow('Could not find mock');
    expect(token.tokenRequests).toBe(2);
    expect(mock.history['post']).toHaveLength(2);
  });

  test('wins over catch-alls set up before and after it, and leaves them the rest', async () => {
    const { api, mock } = mocked();
    mock.onPost().replyOnce(201, 'created').onAny().reply(200, 'anything');
    mockBipsyncToken(mock);
    mock.onPost(/oauth/).reply(500);
    expect(await tokenRequest(api)).toHaveProperty('access_token');
    expect(await tokenRequest(api)).toHaveProperty('access_token');
    expect((await api.post('/v1/research')).data).toBe('created');
    expect((await api.post('/v1/research')).data).toBe('anything');
  });

  test('takes a handler for the same URL over, also its own', async () => {
    const { api, mock } = mocked();
    mock.onAny(/oauth/).reply(500);
    mockBipsyncToken(mock, { accessToken: 'former' });
    mockBipsyncToken(mock, { accessToken: 'present' });
    expect(await tokenRequest(api)).toHaveProperty('access_token', 'present');
  });

  test('can be called again after a reset', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    mockBipsyncToken(mock);
    mock.reset();
    await expect(tokenRequest(api)).rejects.toThrow('Could not find mock');
    mockBipsyncToken(mock);
    expect(await tokenRequest(api)).toHaveProperty('access_token');
  });

  test('takes a token, a lifetime and a URL', async () => {
    const { api, mock } = mocked({ onNoMatch: 'throwException' });
    const url = 'https://gateway.example/token';
    const token = mockBipsyncToken(mock, { accessToken: 'chosen', expiresIn: 60, tokenUrl: url });
    expect(token.accessToken).toBe('chosen');
    expect(await tokenRequest(api, url)).toMatchObject({ access_token: 'chosen', expires_in: 60 });
    await expect(tokenRequest(api)).rejects.toThrow('Could not find mock');
  });

  test('asks a function for every token', async () => {
    const { api, mock } = mocked();
    let count = 0;
    const token = mockBipsyncToken(mock, { accessToken: () => `token-${(count += 1)}` });
    expect(token.accessToken).toBe('');
    await tokenRequest(api);
    expect(await tokenRequest(api)).toHaveProperty('access_token', 'token-2');
    expect(token.accessToken).toBe('token-2');
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['the axios instance', axios.create()],
    ['the class', MockAdapter],
  ])('refuses %s in place of an axios-mock-adapter, at once', (_, mock) => {
    const call = (): unknown => mockBipsyncToken(mock as MockAdapter);
    expect(call).toThrow(TypeError);
    expect(call).toThrow(/first argument .* axios-mock-adapter/);
  });

  test('refuses options that it does not have, and installs nothing', () => {
    const { mock } = mocked();
    const call = (options: object) => (): unknown => mockBipsyncToken(mock, options);
    expect(call({ token: 'x', expiresIn: 60 })).toThrow(TypeError);
    expect(call({ token: 'x', expiresIn: 60 })).toThrow(
      'mockBipsyncToken has no option "token", only accessToken, expiresIn, tokenUrl.',
    );
    expect(call({ token: undefined, expires_in: 60 })).toThrow('"token", "expires_in"');
    expect((mock as unknown as { handlers: unknown[] }).handlers).toHaveLength(0);
  });

  test.each<[string, unknown]>([
    ['a token', 'token-1'],
    ['null', null],
  ])('refuses %s in place of the options', (_, options) => {
    const call = (): unknown => mockBipsyncToken(mocked().mock, options as object);
    expect(call).toThrow(TypeError);
    expect(call).toThrow('options of mockBipsyncToken must be an object');
  });
});
