import { atLength } from '../support/at-length';
import { deferred, formOf, rejection, scripted, tokenAnswer, type Answer } from '../support/scripted';
import { advance, MINUTE, useVirtualTime } from './support';

useVirtualTime();

describe('1. one acquisition in flight per token key', () => {
  atLength('10,000 concurrent requests on a cold start make 1 token request', async () => {
    const state = scripted();
    await Promise.all(Array.from({ length: 10_000 }, () => state.api.get('/v1/research')));
    expect(state.tokenRequests).toHaveLength(1);
    expect(new Set(state.sent)).toEqual(new Set(['Bearer token-1']));
  });

  it('each team and each set of scopes has a token of its own, whatever the order of its scopes', async () => {
    const state = scripted({ scopes: ['users:read', 'research:read'] });
    const get = (bipsyncAuth: object) => state.api.get('/v1/research', { bipsyncAuth });
    await Promise.all([
      state.api.get('/v1/research'),
      get({}),
      get({ scopes: ['research:read', 'users:read', 'research:read'] }),
      get({ teamId: 'a1' }),
      get({ teamId: 'b2' }),
      get({ scopes: [] }),
      get({ scopes: ['users:read research:read'.replace(' ', '')] }),
      get({ scopes: ['users:read', 'x'] }),
      get({ scopes: ['users:readx'] }),
    ]);
    expect(state.tokenRequests.map((request) => formOf(request)['scope'])).toEqual([
      'research:read team_a1 users:read',
      'research:read team_b2 users:read',
      'team_a1',
      'team_a1 users:readresearch:read',
      'team_a1 users:read x',
      'team_a1 users:readx',
    ]);
  });

  it.each([
    ['two teams', { teamId: 'b2', scopes: ['team_c3'] }],
    ['null', null],
    ['an empty text', ''],
    ['two teams among the scopes', { scopes: ['team_b2', 'team_c3'] }],
    ['a bad scope', { scopes: ['a b'] }],
    ['an empty team', { teamId: '' }],
    ['an unknown option', { team: 'b2' }],
    ['something that is no object', 'b2'],
    ['true', true],
  ])('a request that asks for %s is refused, and nothing is sent', async (_name, bipsyncAuth) => {
    const state = scripted();
    const error = await rejection(state.api.get('/v1/research', { bipsyncAuth: bipsyncAuth as object }));
    expect(error['code']).toBe('ERR_BIPSYNC_CONFIG');
    expect(state.tokenRequests).toHaveLength(0);
    expect(state.apiRequests).toHaveLength(0);
  });

  it('scopes may be one string, as in the configuration', async () => {
    const state = scripted({ scopes: ['users:read'] });
    await state.api.get('/v1/research', { bipsyncAuth: { scopes: 'research:read  fields:read' } });
    expect(state.tokenRequests.map((request) => formOf(request)['scope'])).toEqual([
      'fields:read research:read team_a1',
    ]);
  });

  it('a team among the scopes of a request replaces the configured team', async () => {
    const state = scripted({ scopes: ['users:read'] });
    await state.api.get('/v1/research', { bipsyncAuth: { scopes: ['team_c3', 'research:read'] } });
    expect(state.tokenRequests.map((request) => formOf(request)['scope'])).toEqual(['research:read team_c3']);
    expect((await state.auth.getToken({ scopes: ['team_c3'] })).scopes).toEqual(['team_c3']);
  });

  it('scopes alone leave the team as it is, whatever its id is', async () => {
    const state = scripted({ teamId: 'team_team_x' });
    const { scopes } = await state.auth.getToken({ scopes: ['users:read'] });
    expect(scopes).toEqual(['team_team_x', 'users:read']);
  });

  it('bipsyncAuth: false sends a request untouched', async () => {
    const state = scripted();
    await state.api.get('/v1/research', { bipsyncAuth: false, headers: { Authorization: 'Basic mine' } });
    expect(state.sent).toEqual(['Basic mine']);
    expect(state.tokenRequests).toHaveLength(0);
  });

  it('the legacy Token header is left alone', async () => {
    const state = scripted();
    await state.api.get('/v1/research', { headers: { Token: 'legacy' } });
    expect(state.apiRequests[0]?.headers.get('Token')).toBe('legacy');
  });
});

describe('2. inside the refresh window requests go on with the present token', () => {
  it('requests continue with the present token while one background refresh runs', async () => {
    const state = scripted();
    await state.api.get('/v1/research');
    await advance(56 * MINUTE);
    const answer = deferred<Answer>();
    state.onToken = () => answer.promise;
    await Promise.all(Array.from({ length: 20 }, () => state.api.get('/v1/research')));
    expect(state.tokenRequests).toHaveLength(2);
    expect(new Set(state.sent)).toEqual(new Set(['Bearer token-1']));
    answer.resolve(tokenAnswer('token-2'));
    await advance(0);
    await state.api.get('/v1/research');
    expect(state.sent.at(-1)).toBe('Bearer token-2');
    expect(state.events).toMatchObject([
      { type: 'token-acquired', reason: 'first', source: 'endpoint', teamId: 'a1', scopes: ['team_a1'] },
      {
        type: 'token-acquired',
        reason: 'refresh',
        source: 'endpoint',
        expiresAt: expect.any(Number) as number,
      },
    ]);
  });

  it('a failing refresh fails no request and backs off', async () => {
    const state = scripted();
    await state.api.get('/v1/research');
    await advance(56 * MINUTE);
    state.onToken = () => ({ status: 400, body: { error: 'invalid_request' } });
    for (let second = 0; second < 20; second += 1) {
      await state.api.get('/v1/research');
      await advance(1000);
    }
    expect(state.tokenRequests).toHaveLength(2);
    await advance(11_000);
    await state.api.get('/v1/research');
    expect(state.tokenRequests).toHaveLength(3);
    expect(new Set(state.sent)).toEqual(new Set(['Bearer token-1']));
  });

  it('a refresh that failed is forgotten once the token has expired: the next request starts an acquisition', async () => {
    const state = scripted();
    await state.api.get('/v1/research');
    await advance(59 * MINUTE + 29_000);
    state.onToken = () => ({ status: 400 });
    await state.api.get('/v1/research');
    await advance(2000);
    state.onToken = () => tokenAnswer('token-2');
    await state.api.get('/v1/research');
    expect(state.sent.at(-1)).toBe('Bearer token-2');
  });

  it('requests that find the token expired wait for the refresh under way', async () => {
    const state = scripted();
    await state.api.get('/v1/research');
    await advance(59 * MINUTE + 25_000);
    const answer = deferred<Answer>();
    state.onToken = () => answer.promise;
    await state.api.get('/v1/research');
    await advance(6000);
    const waiting = state.api.get('/v1/research');
    await advance(0);
    answer.resolve(tokenAnswer('token-2'));
    await waiting;
    expect(state.tokenRequests).toHaveLength(2);
    expect(state.sent.at(-1)).toBe('Bearer token-2');
  });

  it('an idle process has no timers and mints nothing', async () => {
    const state = scripted();
    await state.api.get('/v1/research');
    expect(jest.getTimerCount()).toBe(0);
    await advance(10 * 60 * MINUTE);
    expect(state.tokenRequests).toHaveLength(1);
  });
});

describe('3. windows', () => {
  it.each([
    // lifetime in seconds, refresh starts this long before expiry, unusable this long before expiry
    [3600, 300_000, 30_000],
    [600, 120_000, 30_000],
    [60, 12_000, 3000],
    [10, 2000, 500],
  ])(
    'a token of %d s is refreshed at most %d ms before expiry, and not used in the last %d ms',
    async (lifetime, windowMs, marginMs) => {
      jest.mocked(Math.random).mockReturnValue(0);
      const state = scripted();
      state.onToken = () => tokenAnswer(`token-${state.tokenRequests.length}`, lifetime);
      await state.api.get('/v1/research');
      await advance(lifetime * 1000 - windowMs - 1);
      await state.api.get('/v1/research');
      expect(state.tokenRequests).toHaveLength(1);
      await advance(1);
      state.onToken = () => ({ status: 400 });
      await state.api.get('/v1/research');
      expect(state.tokenRequests).toHaveLength(2);
      await advance(windowMs - marginMs - 1);
      await state.api.get('/v1/research');
      expect(state.sent.at(-1)).toBe('Bearer token-1');
      await advance(1);
      await rejection(state.api.get('/v1/research'));
    },
  );

  it('the start of the refresh window is jittered by up to a fifth', async () => {
    jest.mocked(Math.random).mockReturnValue(0.999999);
    const state = scripted();
    await state.api.get('/v1/research');
    await advance(60 * MINUTE - 241_000);
    await state.api.get('/v1/research');
    expect(state.tokenRequests).toHaveLength(1);
    await advance(2000);
    await state.api.get('/v1/research');
    expect(state.tokenRequests).toHaveLength(2);
  });

  it('the windows can be configured', async () => {
    jest.mocked(Math.random).mockReturnValue(0);
    const state = scripted({ refreshWindowMs: 0, expiryMarginMs: 0 });
    await state.api.get('/v1/research');
    await advance(60 * MINUTE - 1);
    await state.api.get('/v1/research');
    expect(state.tokenRequests).toHaveLength(1);
    await advance(1);
    await state.api.get('/v1/research');
    expect(state.sent.at(-1)).toBe('Bearer token-2');
  });
});

describe('4. lifetime counts', () => {
  it('the lifetime counts from the moment the token request was sent', async () => {
    const state = scripted({ refreshWindowMs: 0, expiryMarginMs: 0 });
    state.onToken = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5000));
      return tokenAnswer(`token-${state.tokenRequests.length}`, 60);
    };
    const first = state.api.get('/v1/research');
    await advance(5000);
    await first;
    await advance(54_999);
    await state.api.get('/v1/research');
    expect(state.tokenRequests).toHaveLength(1);
    await advance(1);
    const second = state.api.get('/v1/research');
    await advance(5000);
    await second;
    expect(state.tokenRequests).toHaveLength(2);
  });

  it('a token expires on the wall clock, which continues while a machine is suspended', async () => {
    const state = scripted();
    await state.api.get('/v1/research');
    jest.setSystemTime(Date.now() + 60 * MINUTE);
    await state.api.get('/v1/research');
    expect(state.sent).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  it('a token expires on the monotonic clock, even if the wall clock is set back', async () => {
    const state = scripted();
    await state.api.get('/v1/research');
    jest.setSystemTime(Date.now() - 24 * 60 * MINUTE);
    await advance(60 * MINUTE);
    await state.api.get('/v1/research');
    expect(state.sent).toEqual(['Bearer token-1', 'Bearer token-2']);
  });
});

describe('the handle', () => {
  it('getToken() gives the present token with its expiry and scopes', async () => {
    const state = scripted({ scopes: ['research:read'] });
    expect(await state.auth.getToken()).toEqual({
      accessToken: 'token-1',
      expiresAt: Date.now() + 60 * MINUTE,
      scopes: ['research:read', 'team_a1'],
    });
    expect((await state.auth.getToken({ teamId: 'b2', scopes: [] })).scopes).toEqual(['team_b2']);
    await state.api.get('/v1/research');
    expect(state.tokenRequests).toHaveLength(2);
  });

  it('getToken() can be cancelled alone', async () => {
    const state = scripted();
    const answer = deferred<Answer>();
    state.onToken = () => answer.promise;
    const controller = new AbortController();
    const cancelled = rejection(state.auth.getToken({ signal: controller.signal }));
    const other = state.auth.getToken();
    controller.abort();
    expect(await cancelled).toMatchObject({ code: 'ERR_CANCELED', name: 'CanceledError' });
    answer.resolve(tokenAnswer('token-1'));
    expect((await other).accessToken).toBe('token-1');
  });

  it('getToken() with bad options is refused', async () => {
    expect((await rejection(scripted().auth.getToken({ teamId: 'a b' })))['code']).toBe('ERR_BIPSYNC_CONFIG');
  });

  it('invalidate() gives up every present token and ends cool-downs', async () => {
    const state = scripted();
    await state.api.get('/v1/research');
    state.auth.invalidate();
    await state.api.get('/v1/research');
    expect(state.sent).toEqual(['Bearer token-1', 'Bearer token-2']);
    expect(state.events.at(-1)).toMatchObject({ type: 'token-acquired', reason: 'invalidated' });
    state.auth.invalidate();
    state.onToken = () => ({ status: 401 });
    await rejection(state.api.get('/v1/research'));
    await rejection(state.api.get('/v1/research'));
    expect(state.tokenRequests).toHaveLength(3);
    state.auth.invalidate();
    await rejection(state.api.get('/v1/research'));
    expect(state.tokenRequests).toHaveLength(4);
  });
});
