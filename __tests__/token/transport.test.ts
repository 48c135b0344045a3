import { addAbortSignal, Readable } from 'node:stream';

import axios from 'axios';

import { formOf, ORIGIN, rejection, scripted, SECRET, tokenAnswer } from '../support/scripted';
import { advance, useVirtualTime } from './support';

const text = (padding = ''): string =>
  JSON.stringify({ ...(tokenAnswer('token-x').body as object), padding });

describe('the token request, as the adapter sees it,', () => {
  it('the token request says what it sends and what it accepts', async () => {
    const { auth, tokenRequests } = scripted();
    await auth.getToken();
    const request = tokenRequests[0]!;
    expect(request).toMatchObject({
      method: 'post',
      baseURL: 'https://acme-api.bipsync.com',
      url: '/v1/oauth/token',
      data: `grant_type=client_credentials&client_id=the-client&client_secret=${SECRET}&scope=team_a1`,
      maxRedirects: 0,
      fetchOptions: { redirect: 'error' },
      responseType: 'stream',
    });
    expect(request.headers.get('Accept')).toBe('application/json');
    expect(request.headers.get('Content-Type')).toBe('application/x-www-form-urlencoded');
  });

  it('the token request takes a dispatcher along, and nothing else of the fetch options', async () => {
    const dispatcher = {};
    const { auth, tokenRequests } = scripted(
      {},
      axios.create({ fetchOptions: { dispatcher, redirect: 'follow', cache: 'force-cache' } as never }),
    );
    await auth.getToken();
    expect(tokenRequests[0]!.fetchOptions).toEqual({ redirect: 'error', dispatcher });
  });

  it("the token request goes through the instance's proxy, except to a loopback host", async () => {
    const proxy = { host: '127.0.0.1', port: 9 };
    const options = { proxy, httpsAgent: {} };
    const near = scripted({ tokenUrl: 'http://127.0.0.1/v1/oauth/token' }, axios.create(options));
    await near.auth.getToken();
    expect(near.tokenRequests[0]!.proxy).toBe(false);
    // Older versions of axios would show the secret to the proxy, unless a mock answers.
    const far = scripted({}, axios.create(options));
    Object.assign(far.api.defaults.adapter as object, { [Symbol.for('axios-bipsync-auth.mock')]: true });
    await far.auth.getToken();
    expect(far.tokenRequests[0]!.proxy).toEqual(proxy);
  });
});

describe('the answer', () => {
  const asks = (body: unknown): Promise<unknown> => {
    const state = scripted();
    const own = state.api.defaults.adapter as (config: never) => Promise<object>;
    state.api.defaults.adapter = async (config) => ({ ...(await own(config as never)), data: body }) as never;
    return state.auth.getToken().then(
      ({ accessToken }) => accessToken,
      (error: unknown) => (error as { code: unknown }).code,
    );
  };
  const atMost = 100_000;
  const padded = (bytes: number): string => text('x'.repeat(bytes - text().length));
  const cut = (whole: Buffer, at: number): Readable =>
    Readable.from([whole.subarray(0, at), whole.subarray(at)], { objectMode: true });

  it.each<[string, () => unknown, boolean]>([
    ['text', () => text(), true],
    ['text behind a byte order mark', () => `\ufeff${text()}`, true],
    ['bytes behind a byte order mark', () => Buffer.from(`\ufeff${text()}`), true],
    ['an object', () => JSON.parse(text()) as unknown, true],
    ['bytes', () => new TextEncoder().encode(text()), true],
    ['a stream of bytes', () => Readable.from([Buffer.from(text())]), true],
    ['a stream of text', () => Readable.from([text().slice(0, 9), text().slice(9)]), true],
    ['a stream of 100 kB', () => Readable.from([Buffer.from(padded(atMost))]), true],
    ['a stream of a byte more', () => Readable.from([Buffer.from(padded(atMost + 1))]), false],
    ['a stream of text of a byte more', () => Readable.from([padded(atMost), ' ']), false],
    ['nothing', () => undefined, false],
    ['null', () => null, false],
    ['half of it', () => text().slice(0, 20), false],
  ])('a token response may be %s, within 100 kB', async (_what, body, isRead) => {
    expect(await asks(body())).toBe(isRead ? 'token-x' : 'ERR_BIPSYNC_TOKEN_RESPONSE');
  });

  it('a 404 with a body is an answer, also from an adapter that sends no headers', async () => {
    const state = scripted();
    state.api.defaults.adapter = (config) =>
      Promise.resolve({
        status: 404,
        statusText: '',
        headers: {},
        data: { message: 'No such tenant' },
        config,
      });
    const { message } = await rejection(state.auth.getToken());
    expect(message).toContain('/v1/oauth/token answered 404 (No such tenant).');
  });

  it('a 401 whose body stalls until tokenTimeoutMs is a time-out, and the secret is not read again', async () => {
    const clientSecret = jest.fn(() => SECRET);
    const state = scripted({ clientSecret, tokenTimeoutMs: 100 });
    state.api.defaults.adapter = (config) => {
      const data = addAbortSignal(config.signal as AbortSignal, new Readable({ read: () => undefined }));
      return Promise.resolve({ status: 401, statusText: '', headers: {}, data, config });
    };
    const failed = rejection(state.auth.getToken());
    await advance(101);
    expect((await failed).message).toContain('within 100 ms (tokenTimeoutMs)');
    await advance(1);
    expect(clientSecret).toHaveBeenCalledTimes(1);
  });

  it('an adapter that rejects with an answer, in spite of validateStatus, is understood', async () => {
    const state = scripted();
    const response = { status: 401, headers: {}, data: { error: 'invalid_client' } };
    const adapter = jest.fn().mockRejectedValue(Object.assign(new axios.AxiosError('401'), { response }));
    state.api.defaults.adapter = adapter;
    expect(await rejection(state.auth.getToken())).toMatchObject({
      code: 'ERR_BIPSYNC_CREDENTIALS',
      tokenEndpointStatus: 401,
      oauthError: 'invalid_client',
    });
    expect(adapter).toHaveBeenCalledTimes(1);
  });

  it('a token response may be cut in the middle of a character', async () => {
    const state = scripted();
    const whole = Buffer.from(JSON.stringify({ error: 'x', error_description: 'né' }));
    const own = state.api.defaults.adapter as (config: never) => Promise<object>;
    state.api.defaults.adapter = async (config) =>
      ({ ...(await own(config as never)), status: 400, data: cut(whole, whole.indexOf('é') + 1) }) as never;
    expect(await rejection(state.auth.getToken())).toMatchObject({ oauthErrorDescription: 'né' });
  });
});

useVirtualTime();

it('the token request goes to /v1/oauth/token of the origin as RFC 6749 has it', async () => {
  const state = scripted({ scopes: 'research:read' });
  await state.api.get('/v1/research');
  const [request] = state.tokenRequests;
  expect(request).toMatchObject({ method: 'post', baseURL: ORIGIN, url: '/v1/oauth/token', maxRedirects: 0 });
  expect(request?.headers.get('Content-Type')).toBe('application/x-www-form-urlencoded');
  expect(formOf(request!)).toEqual({
    grant_type: 'client_credentials',
    client_id: 'the-client',
    client_secret: SECRET,
    scope: 'research:read team_a1',
  });
});
