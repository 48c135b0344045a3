import { atLength } from '../support/at-length';
import { type Answer, deferred, rejection, scripted, tokenAnswer } from '../support/scripted';

const CHALLENGE = 'WWW-Authenticate';
const lenient = { validateStatus: (): boolean => true };

afterEach(() => {
  jest.useRealTimers();
});

describe('14. the pause after a token that did not help', () => {
  const minted = async (
    schedule: [atMs: number, challenge: string | undefined, helps?: boolean][],
  ): Promise<number[]> => {
    jest.useFakeTimers();
    const state = scripted();
    const start = performance.now();
    const counts: number[] = [];
    for (const [at, challenge, helps = false] of schedule) {
      await jest.advanceTimersByTimeAsync(at - (performance.now() - start));
      const before = state.apiRequests.length;
      const headers = challenge === undefined ? {} : { [CHALLENGE]: challenge };
      state.onApi = () =>
        helps && state.apiRequests.length > before + 1 ? { body: {} } : { status: 401, headers };
      await state.api.get('/v1/x').catch(() => undefined);
      counts.push(state.tokenRequests.length);
    }
    return counts;
  };
  const invalid = 'Bearer error="invalid_token"';

  it('a pause is not cut short without a challenge', async () => {
    expect(
      await minted([
        [0, undefined],
        [1000, undefined],
        [2500, undefined],
        [3000, undefined],
      ]),
    ).toEqual([2, 3, 3, 4]);
  });

  it('a pause is not cut short by invalid_token, however often', async () => {
    expect(
      await minted([
        [0, invalid],
        [1000, invalid],
        [2000, invalid],
        [2999, invalid],
        [3000, invalid],
        [6999, invalid],
        [7000, invalid],
      ]),
    ).toEqual([2, 3, 3, 3, 4, 4, 5]);
  });

  it('a pause begins again with 1 s after a token that helped', async () => {
    expect(
      await minted([
        [0, undefined],
        [1000, undefined],
        [3000, undefined, true],
        [3000, undefined],
        [3999, undefined],
        [4000, undefined],
      ]),
    ).toEqual([2, 3, 4, 5, 5, 6]);
  });

  it('a pause grows once for a token, however many replays it was refused with', async () => {
    jest.useFakeTimers();
    const state = scripted();
    state.onApi = () => ({ status: 401 });
    await Promise.all(Array.from({ length: 5 }, () => rejection(state.api.get('/v1/x'))));
    expect(state.tokenRequests).toHaveLength(2);
    await jest.advanceTimersByTimeAsync(1000);
    await rejection(state.api.get('/v1/x'));
    expect(state.tokenRequests).toHaveLength(3);
  });
});

atLength(
  '14. a denied endpoint costs about 20 tokens an hour, in pauses of 1 s doubling to 5 min',
  async () => {
    jest.useFakeTimers();
    const state = scripted();
    state.onToken = () => tokenAnswer(`token-${state.tokenRequests.length}`, 86_400);
    state.onApi = () => ({ status: 401 });
    const at: number[] = [];
    for (let second = 0; second < 3600;) {
      const before = state.tokenRequests.length;
      await rejection(state.api.get('/v1/x'));
      if (state.tokenRequests.length > before) at.push(second);
      // As soon as the pauses are long, calls may be rarer.
      const step = second < 900 ? 1 : 10;
      await jest.advanceTimersByTimeAsync(step * 1000);
      second += step;
    }
    const pauses = at.slice(1).map((second, index) => second - at[index]!);
    expect(pauses.slice(0, 10)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    expect(state.tokenRequests.length).toBeLessThanOrEqual(22);
  },
);

it('14. a pause lasts while the replay of the request that forced a renewal is under way', async () => {
  jest.useFakeTimers();
  const state = scripted();
  const replay = deferred<Answer>();
  let denied = 0;
  state.onApi = ({ url }) => {
    if (!url?.endsWith('/denied')) return { body: {} };
    denied += 1;
    return denied === 2 ? replay.promise : { status: 401 };
  };
  const first = rejection(state.api.get('/v1/research/denied'));
  await jest.advanceTimersByTimeAsync(10);
  await state.api.get('/v1/research/allowed');
  expect((await rejection(state.api.get('/v1/research/denied'))).cause).toMatchObject({
    code: 'ERR_BIPSYNC_ACCESS_DENIED',
  });
  expect(state.tokenRequests).toHaveLength(2);
  replay.resolve({ status: 401 });
  await first;
  expect(state.tokenRequests).toHaveLength(2);
});

it('14. an accepted request ends a pause whose replay got no answer, because no replay will show whether the token helped', async () => {
  jest.useFakeTimers();
  const state = scripted();
  let denied = 0;
  state.onApi = ({ url }) => {
    if (!url?.endsWith('/denied')) return { body: {} };
    denied += 1;
    return denied === 2 ? new Error('no answer') : { status: 401 };
  };
  await rejection(state.api.get('/v1/research/denied'));
  await rejection(state.api.get('/v1/research/denied'));
  expect(state.tokenRequests).toHaveLength(2);
  await state.api.get('/v1/research/allowed');
  await rejection(state.api.get('/v1/research/denied'));
  expect(state.tokenRequests).toHaveLength(3);
});

it('14. a replay with a new token that is accepted ends a pause, whoever had forced the renewal', async () => {
  jest.useFakeTimers();
  const state = scripted();
  let minted = 0;
  state.onToken = () => tokenAnswer(`t-${(minted += 1)}`, minted === 2 ? 1 : 3600);
  const late = deferred<Answer>();
  let sent = 0;
  // Two requests with the second token, which has expired before their answers: one is a replay, one is a first attempt.
  state.onApi = () => {
    sent += 1;
    if (sent === 1 || sent === 5) return { status: 401 };
    return sent === 2 || sent === 3 ? late.promise : { body: {} };
  };
  const replayed = rejection(state.api.get('/v1/research/1'));
  await jest.advanceTimersByTimeAsync(10);
  const other = state.api.get('/v1/research/2');
  await jest.advanceTimersByTimeAsync(1000);
  late.resolve({ status: 401 });
  await replayed;
  await other;
  expect(state.tokenRequests).toHaveLength(3);
  // Nothing pauses any more, so the next 401 is answered with another token.
  await state.api.get('/v1/research/3');
  expect(state.tokenRequests).toHaveLength(4);
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

describe('14. a token that serves one request alone', () => {
  it('a token that serves one request alone is renewed no more often than any other', async () => {
    const state = scripted();
    state.onToken = () => tokenAnswer(`token-${state.tokenRequests.length}`, 0);
    state.onApi = () => ({ status: 401 });
    await rejection(state.api.get('/v1/x'));
    expect(state.tokenRequests).toHaveLength(2);
    await rejection(state.api.get('/v1/x'));
    expect(state.tokenRequests).toHaveLength(3);
  });
});

it('14. a 401 that comes when the token is past its margin needs another, pause or not', async () => {
  jest.useFakeTimers();
  const state = scripted();
  state.onToken = () => tokenAnswer(`token-${state.tokenRequests.length}`, 20);
  const answers = [deferred<Answer>(), deferred<Answer>(), deferred<Answer>()];
  const [refused, replay, late] = answers;
  const waiting = [refused, replay, late].map((answer) => answer!.promise);
  state.onApi = () => waiting.shift() ?? { status: 200 };
  const first = rejection(state.api.get('/v1/x'));
  await jest.advanceTimersByTimeAsync(0);
  refused!.resolve({ status: 401 });
  await jest.advanceTimersByTimeAsync(5000);
  const second = state.api.get('/v1/x');
  await jest.advanceTimersByTimeAsync(13_800);
  replay!.resolve({ status: 401 });
  await first;
  await jest.advanceTimersByTimeAsync(400);
  late!.resolve({ status: 401 });
  expect((await second).status).toBe(200);
  expect(state.sent.at(-1)).toBe('Bearer token-3');
});

describe('14. whether a new token helped', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('a second 401 counts as unhelpful even if validateStatus lets it through', async () => {
    const state = scripted();
    state.onApi = () => ({ status: 401 });
    for (let call = 0; call < 5; call += 1) await state.api.get('/v1/x', lenient);
    expect(state.tokenRequests).toHaveLength(2);
  });

  it.each([200, 403, 500])('a second answer of %d shows that a new token helped', async (status) => {
    const state = scripted();
    state.onApi = () => ({ status: 401 });
    for (const pause of [1000, 2000]) {
      await rejection(state.api.get('/v1/x'));
      await jest.advanceTimersByTimeAsync(pause);
    }
    const before = state.apiRequests.length;
    state.onApi = () => ({ status: state.apiRequests.length === before + 1 ? 401 : status });
    await state.api.get('/v1/x', lenient);
    expect(state.tokenRequests).toHaveLength(4);
    state.onApi = () => ({ status: 401 });
    await rejection(state.api.get('/v1/x'));
    expect(state.tokenRequests).toHaveLength(5);
  });

  it.each([403, 500])(
    'a second answer of %d that is an error shows that a new token helped',
    async (status) => {
      const state = scripted();
      state.onApi = () => ({ status: state.apiRequests.length % 2 === 1 ? 401 : status });
      for (let call = 0; call < 4; call += 1) await rejection(state.api.get('/v1/x'));
      expect(state.tokenRequests).toHaveLength(5);
    },
  );

  it('a replay with a token that was there already begins no pause', async () => {
    const state = scripted();
    const late = deferred<Answer>();
    state.onApi = (request) => {
      const isFirst = request.headers.get('Authorization') === 'Bearer token-1';
      if (request.url === '/v1/late') return isFirst ? late.promise : new Error('socket hang up');
      return isFirst ? { status: 401 } : { body: {} };
    };
    const waiting = rejection(state.api.get('/v1/late'));
    await state.api.get('/v1/x');
    late.resolve({ status: 401 });
    expect((await waiting).message).toBe('socket hang up');
    state.onApi = () => ({ status: 401 });
    await rejection(state.api.get('/v1/x'));
    expect(state.tokenRequests).toHaveLength(3);
  });
});
