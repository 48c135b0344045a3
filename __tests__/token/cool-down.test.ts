import { emulated } from '../support/emulated';
import { deferred, formOf, rejection, scripted, SECRET, tokenAnswer, type Answer } from '../support/scripted';
import { advance, byNow, request } from './support';

describe('with time under control', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  describe('10. cool-down', () => {
    it.each([
      ['CREDENTIALS', { status: 401 }, 30_000],
      ['CREDENTIALS', { status: 400, body: { error: 'unauthorized_client' } }, 30_000],
      ['CREDENTIALS', { status: 400, body: { error: 'invalid_client' } }, 30_000],
      ['SCOPE', { status: 400, body: { error: 'invalid_scope', error_description: 'no such team' } }, 30_000],
      ['IP_NOT_ALLOWED', { status: 403, body: { error: 'forbidden', message: 'no', hint: 'ip' } }, 30_000],
      ['TOKEN_REQUEST', { status: 404, body: '<html>' }, 30_000],
      ['TOKEN_RESPONSE', { status: 200, body: '<html>' }, 1000],
    ])('after %s (%j), the next requests fail at once for %d ms', async (kind, answer, coolDownMs) => {
      const state = scripted();
      state.onToken = () => answer;
      const first = await rejection(request(state));
      expect(first).toMatchObject({ code: `ERR_BIPSYNC_${kind}`, tokenEndpointStatus: answer.status });
      await advance(coolDownMs - 1);
      const next = await Promise.all(Array.from({ length: 100 }, () => rejection(request(state))));
      expect(state.tokenRequests).toHaveLength(1);
      expect(new Set(next.map(({ code }) => code))).toEqual(new Set([`ERR_BIPSYNC_${kind}`]));
      expect(new Set([...next, first]).size).toBe(101);
      await advance(1);
      state.onToken = () => tokenAnswer('t');
      await request(state);
      expect(state.apiRequests).toHaveLength(1);
    });

    it('a cool-down after UNAVAILABLE is 1 s, doubling to 30 s, and 1 s again after a success', async () => {
      const state = scripted();
      state.onToken = () => ({ status: 500 });
      const retries: unknown[] = [];
      for (let round = 0; round < 7; round += 1) {
        const failed = rejection(request(state));
        await advance(1000);
        await failed;
        retries.push(state.events.at(-1));
        await advance(31_000);
      }
      expect(retries).toMatchObject(
        [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000].map((retryInMs) => ({
          type: 'token-failed',
          reason: 'first',
          code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
          retryInMs,
        })),
      );
      state.onToken = () => tokenAnswer('t', 1);
      await request(state);
      await advance(2000);
      state.onToken = () => ({ status: 200 });
      await rejection(request(state));
      expect(state.events.at(-1)).toMatchObject({ retryInMs: 1000, reason: 'expired' });
    });

    it('each caller gets a separate error that says how long the cool-down still lasts', async () => {
      const state = scripted();
      state.onToken = () => ({ status: 401 });
      const waiting = await Promise.all([rejection(request(state)), rejection(request(state))]);
      expect(waiting[0]).not.toBe(waiting[1]);
      await advance(10_000);
      expect((await rejection(request(state)))['retryAfterMs']).toBe(20_000);
    });

    it.each([
      ['throws', () => Promise.reject(new Error(`vault says ${SECRET}`))],
      [
        'throws at once',
        () => {
          throw new Error(SECRET);
        },
      ],
      ['gives no string', () => 42 as unknown as string],
      ['gives an empty string', () => ''],
    ])('there is a cool-down if the clientSecret function %s', async (_name, clientSecret) => {
      const state = scripted({ clientSecret });
      const error = await rejection(request(state));
      expect(error).toMatchObject({ code: 'ERR_BIPSYNC_SECRET' });
      expect(error.message).not.toContain(SECRET);
      expect(error.cause).toBeUndefined();
      expect(state.tokenRequests).toHaveLength(0);
      expect(state.events).toMatchObject([{ type: 'token-failed', retryInMs: 1000 }]);
    });

    it('a cool-down ends with a new secret, for which the function is asked at most once a second', async () => {
      let secret = 'wrong';
      const clientSecret = jest.fn(() => secret);
      const state = scripted({ clientSecret });
      state.onToken = (request) =>
        formOf(request)['client_secret'] === 'right' ? tokenAnswer('t') : { status: 401 };
      await rejection(request(state));
      const asked = clientSecret.mock.calls.length;
      for (let call = 0; call < 100; call += 1) {
        await rejection(request(state));
        await advance(40);
      }
      expect(clientSecret.mock.calls.length - asked).toBeLessThanOrEqual(4);
      expect(state.tokenRequests).toHaveLength(1);
      secret = 'right';
      await advance(1000);
      await request(state);
      expect(state.tokenRequests).toHaveLength(2);
    });

    it.each<[string, string | (() => string)]>([
      ['a secret', 'wrong'],
      ['a function that gives the same', () => 'wrong'],
    ])(
      'a cool-down is not prolonged by the requests that come in it, with %s',
      async (_what, clientSecret) => {
        const state = scripted({ clientSecret });
        state.onToken = () => ({ status: 401 });
        for (let second = 0; second < 30; second += 1) {
          await rejection(request(state));
          await advance(second < 29 ? 1000 : 999);
        }
        await rejection(request(state));
        expect(state.tokenRequests).toHaveLength(1);
        expect(state.events.map(({ type }) => type)).toEqual(['token-failed']);
        await advance(1);
        await rejection(request(state));
        expect(state.tokenRequests).toHaveLength(2);
      },
    );

    it('a cool-down ends with invalidate(), also for the request that is asking the function at that moment', async () => {
      const secrets: (string | Promise<string>)[] = ['right', 'right'];
      const late = deferred<string>();
      const state = scripted({ clientSecret: () => secrets.shift() ?? late.promise });
      state.onToken = () => ({ status: 401 });
      await rejection(request(state));
      await advance(1000);
      state.onToken = () => tokenAnswer('t');
      const asking = request(state);
      await advance(0);
      state.auth.invalidate();
      const another = request(state);
      late.resolve('right');
      await Promise.all([asking, another]);
      expect(state.sent).toEqual(['Bearer t', 'Bearer t']);
      expect(state.tokenRequests).toHaveLength(2);
    });

    it('a cool-down holds if the function returns another secret each time, or hangs', async () => {
      let asked = 0;
      const restless = scripted({ clientSecret: () => `secret-${(asked += 1)}` });
      restless.onToken = () => ({ status: 401 });
      for (let call = 0; call < 20; call += 1) await rejection(request(restless));
      expect(restless.tokenRequests).toHaveLength(2);

      const hanging = scripted({
        clientSecret: () => new Promise<string>(() => undefined),
        tokenTimeoutMs: 500,
      });
      const first = rejection(request(hanging));
      await advance(500);
      await first;
      await advance(999);
      const next = await rejection(request(hanging));
      expect(next['retryAfterMs']).toBe(1);
    });

    it.each([
      ['CREDENTIALS', { status: 401 }, 30_000],
      ['TOKEN_UNAVAILABLE', { status: 429, headers: { 'retry-after': '300' } }, 300_000],
    ])(
      'a cool-down after %s stays as long, and the same, if the function hangs meanwhile',
      async (code, answer, ms) => {
        const secrets: (string | Promise<string>)[] = ['the-secret', 'the-secret'];
        const state = scripted({
          clientSecret: () => secrets.shift() ?? new Promise<string>(() => undefined),
        });
        state.onToken = () => answer;
        await rejection(request(state));
        secrets.length = 0;
        const end = performance.now() + ms;
        while (performance.now() < end - 1000) {
          const failed = rejection(request(state));
          await advance(1000);
          expect(await byNow(failed)).toMatchObject({ code: `ERR_BIPSYNC_${code}` });
        }
        expect(state.tokenRequests).toHaveLength(1);
        await advance(1000);
        secrets.push('the-secret');
        state.onToken = () => tokenAnswer('t');
        await request(state);
        expect(state.tokenRequests).toHaveLength(2);
      },
    );

    it('a cool-down that ends while a request asks for the secret lets that request continue', async () => {
      const late = deferred<string>();
      const secrets: (string | Promise<string>)[] = ['the-secret', 'the-secret', late.promise];
      const state = scripted({ clientSecret: () => secrets.shift() ?? 'the-secret' });
      state.onToken = () => ({ status: 403 });
      await rejection(request(state));
      await advance(29_900);
      state.onToken = () => tokenAnswer('t');
      const asking = request(state);
      await advance(200);
      late.resolve('the-secret');
      await asking;
      expect(state.sent).toEqual(['Bearer t']);
    });

    it('a cool-down after SECRET ends as soon as the function returns a secret, even one that was used before', async () => {
      let broken = false;
      const state = scripted({
        clientSecret: () => {
          if (broken) throw new Error(SECRET);
          return 'the-secret';
        },
      });
      await request(state);
      broken = true;
      state.auth.invalidate();
      for (const seconds of [1, 2, 4, 8]) {
        expect(await rejection(request(state))).toMatchObject({ code: 'ERR_BIPSYNC_SECRET' });
        await advance(seconds * 1000);
      }
      expect(await rejection(request(state))).toMatchObject({ code: 'ERR_BIPSYNC_SECRET' });
      broken = false;
      await advance(1000);
      await request(state);
      expect(state.tokenRequests).toHaveLength(2);
    });

    it('requests in a cool-down do not wait for the one that asks whether the secret has changed', async () => {
      let secret: string | Promise<string> = 'wrong';
      const state = scripted({ clientSecret: () => secret });
      state.onToken = () => ({ status: 401 });
      await rejection(request(state));
      await advance(1000);
      const late = deferred<string>();
      secret = late.promise;
      const asking = request(state);
      await rejection(request(state));
      state.onToken = () => tokenAnswer('t');
      late.resolve('right');
      await asking;
      expect(state.sent).toEqual(['Bearer t']);
    });

    it('a cool-down of a refused secret is not shortened by a function that throws when asked again', async () => {
      const answers: (() => string)[] = [
        () => 'wrong',
        () => {
          throw new Error('vault');
        },
      ];
      const state = scripted({ clientSecret: () => answers.shift()!() });
      state.onToken = () => ({ status: 401 });
      expect(await rejection(request(state))).toMatchObject({
        code: 'ERR_BIPSYNC_CREDENTIALS',
        retryAfterMs: 30_000,
      });
    });

    it('there is no cool-down while a usable token is present', async () => {
      const state = scripted();
      await request(state);
      await advance(56 * 60_000);
      state.onToken = () => ({ status: 401 });
      await Promise.all([request(state), request(state)]);
      await request(state);
      expect(state.apiRequests).toHaveLength(4);
    });

    it('every request that waited gets the failure, also if invalidate() ends the cool-down at that moment', async () => {
      for (let microtasks = 0; microtasks < 20; microtasks += 1) {
        const state = scripted();
        const answer = deferred<Answer>();
        state.onToken = () => answer.promise;
        const failed = rejection(request(state));
        await advance(0);
        answer.resolve({ status: 401 });
        for (let i = 0; i < microtasks; i += 1) await Promise.resolve();
        state.auth.invalidate();
        expect(await failed).toMatchObject({ code: 'ERR_BIPSYNC_CREDENTIALS', tokenEndpointStatus: 401 });
      }
    });

    it('refusals of several teams that were asked for at the same moment cool the client down once', async () => {
      const state = scripted();
      state.onToken = () => ({ status: 401 });
      const teams = ['a1', 'b2', 'c3', 'd4'];
      const attempts = (): Promise<unknown[]> =>
        Promise.all(
          teams.map((teamId) => rejection(state.api.get('/v1/research', { bipsyncAuth: { teamId } }))),
        );
      await attempts();
      expect(state.tokenRequests).toHaveLength(4);
      await advance(29_999);
      await attempts();
      expect(state.tokenRequests).toHaveLength(4);
      await advance(1);
      await attempts();
      expect(state.tokenRequests).toHaveLength(8);
      await advance(59_999);
      await attempts();
      expect(state.tokenRequests).toHaveLength(8);
    });

    it('a cool-down after SCOPE leaves another team alone', async () => {
      const state = scripted();
      state.onToken = (request) =>
        formOf(request)['scope'] === 'team_a1'
          ? { status: 400, body: { error: 'invalid_scope' } }
          : tokenAnswer('t');
      await rejection(request(state));
      await state.api.get('/v1/research', { bipsyncAuth: { teamId: 'b2' } });
      expect(state.apiRequests).toHaveLength(1);
    });
  });
});

it('100 calls with a wrong secret make at most 5 token requests, and none to the API', async () => {
  const { api, emulator } = await emulated({ auth: { clientSecret: 'wrong' } });
  for (let call = 0; call < 10; call += 1) {
    const errors = await Promise.all(Array.from({ length: 10 }, () => rejection(api.get('/v1/research'))));
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['ERR_BIPSYNC_CREDENTIALS']));
  }
  expect(emulator.tokenRequests).toBeLessThanOrEqual(5);
  expect(emulator.apiRequests).toBe(0);
});
