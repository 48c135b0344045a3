import { type Answer, deferred, rejection, scripted, type Scripted, tokenAnswer } from '../support/scripted';
import { advance, byNow, MINUTE, never, request, SECOND, tick, useVirtualTime } from './support';

// A refresh begins in the background. Its token ends meanwhile, so that requests wait for it.

useVirtualTime();

/** Begins a refresh five seconds before the margin of the token, which is ended six seconds later. */
async function refreshing(onToken: Scripted['onToken'] = () => never()): Promise<Scripted> {
  const state = scripted();
  await request(state);
  await advance(59 * MINUTE + 25 * SECOND);
  state.onToken = onToken;
  await request(state);
  await advance(6 * SECOND);
  expect(state.tokenRequests).toHaveLength(2);
  return state;
}

/** What the refresh comes to. Its time ends four seconds after the token. */
const failures: Record<string, (late: ReturnType<typeof deferred<Answer>>) => Promise<void>> = {
  'runs out of time': () => advance(4 * SECOND),
  'gets an answer that is no token': async (late) => {
    late.resolve({ status: 200, body: '<html>' });
    await tick();
  },
  'is told to come back later than its time ends': async (late) => {
    late.resolve({ status: 503, headers: { 'Retry-After': '60' } });
    await tick();
  },
};

describe.each(Object.entries(failures))('if a background refresh %s,', (_what, fail) => {
  test('2. the requests that wait for it share one new token request, and none of them fails', async () => {
    const late = deferred<Answer>();
    const state = await refreshing(() => late.promise);
    const waiting = Array.from({ length: 10 }, () => request(state));
    await tick();
    expect(state.tokenRequests).toHaveLength(2);
    state.onToken = () => tokenAnswer('fresh');
    await fail(late);
    await Promise.all(waiting);
    expect(state.tokenRequests).toHaveLength(3);
    expect(new Set(state.sent.slice(2))).toEqual(new Set(['Bearer fresh']));
    expect(state.events.slice(1)).toMatchObject([
      { type: 'token-failed', reason: 'refresh' },
      { type: 'token-acquired', reason: 'expired' },
    ]);
  });

  test('2. a request that comes later does not meet the cool-down of the refresh either', async () => {
    const late = deferred<Answer>();
    const state = await refreshing(() => late.promise);
    const waiting = request(state);
    await tick();
    const next = deferred<Answer>();
    state.onToken = () => next.promise;
    await fail(late);
    const latecomer = request(state);
    await tick();
    next.resolve(tokenAnswer('fresh'));
    await Promise.all([waiting, latecomer]);
    expect(state.tokenRequests).toHaveLength(3);
  });
});

test('2. after a refresh whose three attempts fail, the request that waits for it is served all the same', async () => {
  const answers = [deferred<Answer>(), deferred<Answer>(), deferred<Answer>()];
  const remaining = [...answers];
  const state = await refreshing(() => remaining.shift()?.promise ?? tokenAnswer('fresh'));
  const waiting = request(state);
  for (const answer of answers) {
    answer.resolve({ status: 500 });
    await advance(SECOND);
  }
  await waiting;
  expect(state.tokenRequests).toHaveLength(5);
  expect(state.sent.at(-1)).toBe('Bearer fresh');
});

test('2. after a refresh that failed, the next acquisition has the whole tokenTimeoutMs', async () => {
  const state = await refreshing();
  const waiting = request(state);
  const late = deferred<Answer>();
  state.onToken = () => late.promise;
  await advance(4 * SECOND);
  await advance(10 * SECOND - 1);
  expect(await byNow(waiting)).toBe('still waiting');
  late.resolve(tokenAnswer('fresh'));
  await waiting;
  expect(state.tokenRequests).toHaveLength(3);
});

test.each<[string, (cancel: AbortController) => Promise<void>]>([
  ['is cancelled', async (cancel) => cancel.abort()],
  ['has timed out', () => advance(SECOND)],
])('2. a failing refresh leads to no token request for a request that %s meanwhile', async (_what, end) => {
  const state = await refreshing();
  const cancel = new AbortController();
  const ended = rejection(state.api.get('/v1/x', { signal: cancel.signal, timeout: 500 }));
  await tick();
  await end(cancel);
  await ended;
  state.onToken = () => tokenAnswer('fresh');
  await advance(4 * SECOND);
  expect(state.tokenRequests).toHaveLength(2);
  expect(state.events.at(-1)).toMatchObject({ type: 'token-failed', reason: 'refresh' });
});

test('2. a request goes on to the next acquisition once: if that fails too, the request and those in the cool-down fail', async () => {
  const state = await refreshing();
  const failed = rejection(request(state));
  await advance(14 * SECOND);
  expect(await failed).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
  const inCoolDown = await rejection(request(state));
  expect(inCoolDown).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE', retryAfterMs: 2000 });
  expect(state.tokenRequests).toHaveLength(3);
});

test.each([
  ['CREDENTIALS', { status: 401 }],
  ['SCOPE', { status: 400, body: { error: 'invalid_scope' } }],
  ['IP_NOT_ALLOWED', { status: 403 }],
  ['TOKEN_REQUEST', { status: 404 }],
])(
  '10. a refusal (%s) of a refresh that requests wait for is not followed by another token request',
  async (kind, refusal) => {
    const late = deferred<Answer>();
    const state = await refreshing(() => late.promise);
    const waiting = [rejection(request(state)), rejection(request(state))];
    await tick();
    late.resolve(refusal);
    for (const error of await Promise.all(waiting)) expect(error['code']).toBe(`ERR_BIPSYNC_${kind}`);
    await advance(29 * SECOND);
    expect((await rejection(request(state)))['code']).toBe(`ERR_BIPSYNC_${kind}`);
    expect(state.tokenRequests).toHaveLength(2);
  },
);

test('2. a 401 that comes while a refresh is under way is replayed, even if the refresh fails', async () => {
  const late = deferred<Answer>();
  const state = scripted();
  await request(state);
  await advance(57 * MINUTE);
  state.onToken = () => late.promise;
  await request(state);
  state.onApi = ({ headers }) => ({ status: headers.get('Authorization') === 'Bearer fresh' ? 200 : 401 });
  const replayed = request(state);
  await tick();
  state.onToken = () => tokenAnswer('fresh');
  late.resolve({ status: 200, body: '<html>' });
  await expect(replayed).resolves.toMatchObject({ status: 200 });
  expect(state.tokenRequests).toHaveLength(3);
});

test('2. a request that waits for a refresh is served, even if invalidate() is called before the refresh fails', async () => {
  const state = await refreshing();
  const waiting = request(state);
  await tick();
  state.auth.invalidate();
  state.onToken = () => tokenAnswer('fresh');
  await advance(4 * SECOND);
  await waiting;
  expect(state.sent.at(-1)).toBe('Bearer fresh');
  expect(state.tokenRequests).toHaveLength(3);
});

test('2. a process that is frozen for less than tokenTimeoutMs while it refreshes fails no request after the thaw', async () => {
  const state = scripted();
  await request(state);
  await advance(59 * MINUTE + 29 * SECOND);
  state.onToken = () => never();
  await request(state);
  jest.setSystemTime(Date.now() + 9500);
  state.onToken = () => tokenAnswer('fresh');
  const thawed = request(state);
  await advance(10 * SECOND);
  await thawed;
  expect(state.sent.at(-1)).toBe('Bearer fresh');
});

test('10. the end of a token in an outage of ten minutes costs one acquisition more than a cold start in it', async () => {
  const countFor = async (state: Scripted): Promise<number> => {
    const before = state.tokenRequests.length;
    state.onToken = () => ({ status: 500 });
    for (let quarter = 0; quarter < 2400; quarter += 1) {
      request(state).catch(() => undefined);
      await advance(SECOND / 4);
    }
    return state.tokenRequests.length - before;
  };
  const warm = scripted();
  await request(warm);
  await advance(59 * MINUTE + 29.9 * SECOND);
  const afterToken = await countFor(warm);
  expect(warm.events[1]).toMatchObject({ type: 'token-failed', reason: 'refresh' });

  expect(afterToken).toBeLessThanOrEqual((await countFor(scripted())) + 3);
});
