import { deferred, formOf, rejection, scripted, SECRET, tokenAnswer, type Answer } from '../support/scripted';
import { advance, byNow, request } from './support';

describe('with time under control', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** The outcome of a call that may take up to a minute of the clock. */
  async function outcome(call: () => Promise<unknown>): Promise<Error & Record<string, unknown>> {
    const failed = rejection(call());
    await advance(60_000);
    return failed;
  }

  describe('9. retries', () => {
    it('network errors, 429 and 5xx are retried twice, with exponential backoff', async () => {
      const at: number[] = [];
      const answers: (Answer | Error)[] = [new Error('socket hang up'), { status: 500 }, { status: 429 }];
      const state = scripted();
      state.onToken = () => {
        at.push(performance.now());
        return answers.shift() ?? tokenAnswer('late');
      };
      const failed = rejection(request(state));
      await advance(10_000);
      expect(await failed).toMatchObject({
        code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
        tokenEndpointStatus: 429,
      });
      expect(at).toHaveLength(3);
      expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(125);
      expect(at[1]! - at[0]!).toBeLessThanOrEqual(250);
      expect(at[2]! - at[1]!).toBeGreaterThanOrEqual(250);
      expect(at[2]! - at[1]!).toBeLessThanOrEqual(500);
    });

    it.each([
      ['seconds', '2', 2000],
      ['a date', (): string => new Date(Date.now() + 3000).toUTCString(), 2000],
      [
        'a date as C writes it',
        (): string =>
          new Date(Date.now() + 3000)
            .toUTCString()
            .replace(/(.+), (.+) (.+) (.+) (.+) GMT/, '$1 $3 $2 $5 $4'),
        2000,
      ],
    ])('a Retry-After in %s is honoured', async (_name, value, leastMs) => {
      const state = scripted();
      state.onToken = () =>
        state.tokenRequests.length > 1
          ? tokenAnswer('t')
          : { status: 503, headers: { 'Retry-After': typeof value === 'string' ? value : value() } };
      const answered = request(state);
      await advance(leastMs - 1);
      expect(state.tokenRequests).toHaveLength(1);
      await advance(1002);
      await answered;
      expect(state.tokenRequests).toHaveLength(2);
    });

    it('a Retry-After beyond the time left is not waited for but becomes the cool-down', async () => {
      const state = scripted();
      state.onToken = () => ({ status: 503, headers: { 'Retry-After': '120' } });
      const before = performance.now();
      expect(await rejection(request(state))).toMatchObject({ retryAfterMs: 120_000 });
      expect(performance.now()).toBe(before);
      await advance(119_999);
      expect((await rejection(request(state)))['retryAfterMs']).toBe(1);
      expect(state.tokenRequests).toHaveLength(1);
      await advance(1);
      state.onToken = () => tokenAnswer('t');
      await request(state);
    });

    it('a Retry-After equal to the time left is not waited for', async () => {
      const state = scripted({ tokenTimeoutMs: 1000 });
      state.onToken = () => ({ status: 503, headers: { 'Retry-After': '1' } });
      expect(await rejection(state.api.get('/v1/research'))).toMatchObject({ tokenEndpointStatus: 503 });
    });

    it('a Retry-After of hours is a cool-down of five minutes', async () => {
      const state = scripted();
      state.onToken = () => ({ status: 503, headers: { 'Retry-After': '86400' } });
      expect((await rejection(request(state)))['retryAfterMs']).toBe(300_000);
    });

    it.each(['', 'soon', '-5', '1e3', 'Infinity', '99999999999999999999', '1 Jan, 2099'])(
      'a Retry-After of %p counts as absent',
      async (value) => {
        const state = scripted();
        state.onToken = () => ({ status: 503, headers: { 'Retry-After': value } });
        const error = await outcome(() => request(state));
        expect(error).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
        expect(state.tokenRequests).toHaveLength(3);
      },
    );

    it('a redirect that fetch refuses to follow is not retried', async () => {
      const state = scripted();
      state.onToken = () =>
        Object.assign(new Error('fetch failed'), { cause: new Error('unexpected redirect') });
      expect(await outcome(() => request(state))).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_REQUEST' });
      expect(state.tokenRequests).toHaveLength(1);
    });

    it.each([400, 401, 403, 404, 405])('a refusal with status %d is not retried', async (status) => {
      const state = scripted();
      state.onToken = () => ({ status });
      await rejection(request(state));
      expect(state.tokenRequests).toHaveLength(1);
    });

    it('a refusal is retried once if the clientSecret function now returns another secret', async () => {
      const secrets = ['old', 'new'];
      const state = scripted({ clientSecret: () => Promise.resolve(secrets.shift() ?? 'newest') });
      state.onToken = (request) =>
        formOf(request)['client_secret'] === 'new'
          ? tokenAnswer('t')
          : { status: 401, body: { error: 'invalid_client' } };
      await request(state);
      expect(state.tokenRequests.map((request) => formOf(request)['client_secret'])).toEqual(['old', 'new']);
    });

    it('a refusal is retried once only, even if the secret changes each time', async () => {
      let asked = 0;
      const state = scripted({ clientSecret: () => `secret-${(asked += 1)}` });
      state.onToken = () => ({ status: 401 });
      await rejection(request(state));
      expect(state.tokenRequests).toHaveLength(2);
    });

    it('a second secret that is refused too is not tried again in the cool-down', async () => {
      const secrets = ['old'];
      const state = scripted({ clientSecret: () => secrets.shift() ?? 'new' });
      state.onToken = () => ({ status: 401 });
      await rejection(request(state));
      await advance(1000);
      await rejection(request(state));
      expect(state.tokenRequests).toHaveLength(2);
    });

    it('each retry asks the secret function, and one that fails leaves the secret as it was', async () => {
      const secrets: (() => string)[] = [
        () => 'first',
        () => 'second',
        () => {
          throw new Error(SECRET);
        },
      ];
      const state = scripted({ clientSecret: () => secrets.shift()!() });
      state.onToken = () => (state.tokenRequests.length < 3 ? { status: 503 } : tokenAnswer('t'));
      const answered = request(state);
      await advance(2000);
      await answered;
      expect(state.tokenRequests.map((request) => formOf(request)['client_secret'])).toEqual([
        'first',
        'second',
        'second',
      ]);
    });

    it('a refusal is reported even if the secret function hangs when asked again', async () => {
      const secrets: (string | Promise<string>)[] = ['wrong'];
      const state = scripted({ clientSecret: () => secrets.shift() ?? new Promise<string>(() => undefined) });
      state.onToken = () => ({ status: 401, body: { error: 'invalid_client' } });
      const failed = rejection(request(state));
      await advance(10_000);
      expect(await failed).toMatchObject({ code: 'ERR_BIPSYNC_CREDENTIALS' });
      await advance(15_000);
      const again = rejection(request(state));
      await advance(1000);
      expect(await byNow(again)).toMatchObject({ code: 'ERR_BIPSYNC_CREDENTIALS' });
      expect(state.tokenRequests).toHaveLength(1);
    });

    it('retries and the secret function all end within tokenTimeoutMs', async () => {
      const state = scripted({
        clientSecret: () => new Promise<string>(() => undefined),
        tokenTimeoutMs: 500,
      });
      const failed = rejection(request(state));
      await advance(499);
      const settled = jest.fn();
      void failed.then(settled);
      await advance(0);
      expect(settled).not.toHaveBeenCalled();
      await advance(1);
      expect(await failed).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
      expect(jest.getTimerCount()).toBe(0);
    });
  });

  it('an adapter that ignores the abort signal is given up, and its late answer is ignored', async () => {
    const state = scripted({ tokenTimeoutMs: 1000 });
    const answer = deferred<Answer>();
    state.onToken = () => answer.promise;
    const failed = rejection(request(state));
    await advance(1000);
    expect(await failed).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
    answer.resolve(tokenAnswer('late'));
    await advance(1000);
    state.onToken = () => tokenAnswer('fresh');
    await request(state);
    expect(state.sent).toEqual(['Bearer fresh']);
  });
});
