import type { InternalAxiosRequestConfig } from 'axios';

import { deferred, ORIGIN, rejection, scripted, type Answer } from '../support/scripted';

type Options = Record<string, unknown>;
type Hook = (options: Options, ...details: unknown[]) => void;

const hookOf = (request: InternalAxiosRequestConfig | undefined): Hook => request!.beforeRedirect as Hook;

describe('18. before a redirect', () => {
  it.each([
    ['to the same origin', `${ORIGIN}/v2`, true],
    ['to an allowed origin', 'https://other.example/x', true],
    ['to a subdomain', ORIGIN.replace('//', '//sub.'), false],
    ['to the same host without TLS', ORIGIN.replace('https', 'http'), false],
    ['to another port', `${ORIGIN}:8443/`, false],
    ['to what is no URL', '/v2', false],
    ['to nowhere', undefined, false],
  ])('%s (%s) the token is kept: %s', async (_where, href, isKept) => {
    const state = scripted({ allowedOrigins: ['https://other.example'] });
    await state.api.get('/v1/x');
    for (const name of ['Authorization', 'authorization']) {
      const headers = { [name]: 'Bearer token-1', 'X-Tracing-Ids': 't' };
      hookOf(state.apiRequests[0])({ href, headers });
      expect(headers).toEqual(
        isKept ? { [name]: 'Bearer token-1', 'X-Tracing-Ids': 't' } : { 'X-Tracing-Ids': 't' },
      );
    }
  });

  it.each([undefined, null, 'x'])('headers that are none (%s) are left alone', async (headers) => {
    const state = scripted();
    await state.api.get('/v1/x');
    expect(() => hookOf(state.apiRequests[0])({ href: 'https://a.example', headers })).not.toThrow();
  });

  it("the caller's own hook is asked afterwards, with all details, and once, on a replay too", async () => {
    const state = scripted();
    const beforeRedirect = jest.fn();
    state.onApi = () => ({ status: state.apiRequests.length === 1 ? 401 : 200 });
    await state.api.get('/v1/x', { beforeRedirect });
    for (const request of state.apiRequests) {
      beforeRedirect.mockClear();
      const options = { href: 'https://a.example', headers: { Authorization: 'Bearer token-1' } };
      hookOf(request)(options, { headers: {} }, { url: 'u' });
      expect(beforeRedirect.mock.calls).toEqual([[options, { headers: {} }, { url: 'u' }]]);
      expect(options.headers).toEqual({});
    }
  });

  it('a config that is sent again has one hook, not one more each time', async () => {
    const state = scripted();
    const beforeRedirect = jest.fn();
    const { config } = await state.api.get('/v1/x', { beforeRedirect });
    await state.api.request(config);
    await state.api.get('/v1/x');
    const [first, second, plain] = state.apiRequests.map(hookOf);
    expect(second).toBe(first);
    await state.api.request(state.apiRequests[2]!);
    expect(hookOf(state.apiRequests[3])).toBe(plain);
  });
});

it('14. a pause is not ended by a replay that needed no new token', async () => {
  jest.useFakeTimers();
  const state = scripted();
  const late = deferred<Answer>();
  state.onApi = (request) => {
    if (request.url === '/v1/late') {
      return request.headers.get('Authorization') === 'Bearer token-1' ? late.promise : { body: {} };
    }
    return { status: 401 };
  };
  const waiting = state.api.get('/v1/late');
  await rejection(state.api.get('/v1/x'));
  await jest.advanceTimersByTimeAsync(1000);
  await rejection(state.api.get('/v1/x'));
  expect(state.tokenRequests).toHaveLength(3);
  late.resolve({ status: 401 });
  expect((await waiting).status).toBe(200);
  await rejection(state.api.get('/v1/x'));
  expect(state.tokenRequests).toHaveLength(3);
  jest.useRealTimers();
});
