import axios from 'axios';

import { deferred, type Answer, rejection, scripted, tokenAnswer } from '../support/scripted';
import { flush } from './world';

// What the race suite found once, each as plain as it could be made.

const DAY_MS = 86_400_000;
const UNAUTHORIZED: Answer = { status: 401 };

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask'] });
});

afterEach(() => {
  jest.useRealTimers();
});

test('a wall clock that jumps ahead does not make the error of a request under way show its token', async () => {
  const server = scripted();
  const answer = deferred<Answer>();
  server.onApi = () => answer.promise;
  const failed = rejection(server.api.get('/v1/research'));
  await flush();
  jest.setSystemTime(Date.now() + DAY_MS);
  await server.auth.getToken({ teamId: 'another' });
  answer.resolve({ status: 500 });

  const error = await failed;
  expect(axios.isAxiosError(error) && error.config?.headers.has('Authorization')).toBe(false);
  expect(JSON.stringify(error)).not.toContain('token-1');
});

test('a token refused while the wall clock was ahead is not sent again when that is set back', async () => {
  const server = scripted();
  const answer = deferred<Answer>();
  server.onApi = () => answer.promise;
  const first = rejection(server.api.get('/v1/research'));
  await flush();
  jest.setSystemTime(Date.now() + DAY_MS);
  server.onToken = () => ({ status: 400 });
  answer.resolve(UNAUTHORIZED);
  await first;
  jest.setSystemTime(Date.now() - DAY_MS);
  await rejection(server.api.get('/v1/research'));

  expect(server.sent).toEqual(['Bearer token-1']);
});

test('a token issued again and refused again is given up, however close a late 401 follows its issue', async () => {
  for (let microtasks = 0; microtasks < 30; microtasks += 1) {
    const server = scripted();
    const late = deferred<Answer>();
    const token = deferred<Answer>();
    const apiAnswers = [UNAUTHORIZED, late.promise];
    const tokenAnswers = [tokenAnswer('same'), token.promise];
    server.onApi = () => apiAnswers.shift() ?? { status: 200 };
    server.onToken = () => tokenAnswers.shift() ?? tokenAnswer('other');
    // The second resource does not share the pause of the first.
    const both = Promise.all([server.api.get('/v1/research'), server.api.get('/v1/user')]);
    await flush();
    token.resolve(tokenAnswer('same'));
    for (let i = 0; i < microtasks; i += 1) await Promise.resolve();
    late.resolve(UNAUTHORIZED);
    await both;

    server.onApi = ({ headers }) => ({ status: headers.get('Authorization') === 'Bearer same' ? 401 : 200 });
    await expect(server.api.get('/v2/group')).resolves.toMatchObject({ status: 200 });
    expect(server.sent.at(-1)).toBe('Bearer other');
  }
});

test('if a new token helps one replay and is refused in another, the next 401 does not renew it at once', async () => {
  const server = scripted();
  const token = deferred<Answer>();
  const replays = [deferred<Answer>(), deferred<Answer>()];
  const tokenAnswers = [tokenAnswer('first'), token.promise];
  const apiAnswers = [UNAUTHORIZED, UNAUTHORIZED, UNAUTHORIZED, ...replays.map(({ promise }) => promise)];
  server.onToken = () => tokenAnswers.shift() ?? tokenAnswer('third');
  server.onApi = () => apiAnswers.shift() ?? UNAUTHORIZED;
  await server.auth.getToken();
  const controller = new AbortController();
  const cancelled = rejection(server.api.get('/v1/research', { signal: controller.signal }));
  const helped = server.api.get('/v1/research');
  const refused = rejection(server.api.get('/v1/research'));
  await flush();
  controller.abort();
  await cancelled;
  token.resolve(tokenAnswer('second'));
  await flush();
  replays[0]!.resolve({ status: 200 });
  await helped;
  replays[1]!.resolve(UNAUTHORIZED);
  await refused;

  await rejection(server.api.get('/v1/research'));
  expect(server.tokenRequests).toHaveLength(2);
});

test('the pause after a refused replay begins with this replay, not with an earlier one that proved nothing', async () => {
  const server = scripted();
  const replays = [deferred<Answer>(), deferred<Answer>()];
  const apiAnswers = [UNAUTHORIZED, UNAUTHORIZED, ...replays.map(({ promise }) => promise)];
  server.onApi = () => apiAnswers.shift() ?? UNAUTHORIZED;
  const unproven = rejection(server.api.get('/v1/research'));
  const refused = rejection(server.api.get('/v1/research'));
  await flush();
  replays[0]!.reject(new axios.AxiosError('socket hang up', 'ECONNRESET'));
  await unproven;
  jest.advanceTimersByTime(5000);
  replays[1]!.resolve(UNAUTHORIZED);
  await refused;

  await rejection(server.api.get('/v1/research'));
  expect(server.tokenRequests).toHaveLength(2);
});

test('a token that was there when a 401 came is not sent after `invalidate()`', async () => {
  for (let microtasks = 0; microtasks < 30; microtasks += 1) {
    const server = scripted();
    await server.auth.getToken();
    const late = deferred<Answer>();
    server.onApi = () => late.promise;
    const response = server.api.get('/v1/research');
    await flush();
    server.auth.invalidate();
    await server.auth.getToken();
    server.onApi = () => ({ status: 200 });
    late.resolve(UNAUTHORIZED);
    for (let i = 0; i < microtasks; i += 1) await Promise.resolve();
    const sentBefore = server.sent.length;
    server.auth.invalidate();
    await response;
    if (server.sent.length > sentBefore) expect(server.sent.at(-1)).toBe('Bearer token-3');
  }
});

test('the failure of a token request that was under way at invalidate() begins no cool-down', async () => {
  const server = scripted();
  const answer = deferred<Answer>();
  server.onToken = () => answer.promise;
  const first = rejection(server.auth.getToken());
  await flush();
  server.auth.invalidate();
  answer.resolve({ status: 400 });
  await first;
  await rejection(server.auth.getToken());
  expect(server.tokenRequests).toHaveLength(2);
  jest.advanceTimersByTime(29_999);
  await rejection(server.auth.getToken());
  expect(server.tokenRequests).toHaveLength(2);
});

test('a late 401 of a token that was never kept does not retire the present token', async () => {
  const server = scripted();
  const late = deferred<Answer>();
  const apiAnswers = [late.promise, { status: 200 }, { status: 500 }, UNAUTHORIZED];
  const tokenAnswers = [tokenAnswer('too-old', 0), tokenAnswer('second'), tokenAnswer('third')];
  server.onApi = () => apiAnswers.shift() ?? { status: 200 };
  server.onToken = () => tokenAnswers.shift()!;
  const first = rejection(server.api.get('/v1/research'));
  await flush();
  await server.api.get('/v1/research');
  late.resolve(UNAUTHORIZED);
  await first;

  await expect(server.api.get('/v1/research')).resolves.toMatchObject({ status: 200 });
  expect(server.sent).toEqual(
    ['too-old', 'second', 'second', 'second', 'third'].map((value) => `Bearer ${value}`),
  );
});

test('a late 401 of a token that is long forgotten does not retire the present token', async () => {
  const server = scripted();
  const late = deferred<Answer>();
  const apiAnswers = [late.promise];
  server.onApi = () => apiAnswers.shift() ?? { status: 200 };
  const first = server.api.get('/v1/research');
  await flush();
  await jest.advanceTimersByTimeAsync(3_600_001);
  await server.api.get('/v1/research');
  late.resolve(UNAUTHORIZED);
  await first;
  await flush();
  expect(server.sent).toEqual(['Bearer token-1', 'Bearer token-2', 'Bearer token-2']);
  await server.api.get('/v1/research');
  expect(server.tokenRequests).toHaveLength(2);
});

test('a denied endpoint next to an allowed one of the same resource costs at most 12 tokens in ten minutes', async () => {
  const server = scripted();
  server.onApi = ({ url }) => (url === '/v1/research/7/private' ? UNAUTHORIZED : { status: 200 });
  for (let second = 0; second < 600; second += 1) {
    const token = deferred<Answer>();
    server.onToken = () => token.promise;
    const denied = rejection(server.api.get('/v1/research/7/private'));
    await flush();
    const allowed = server.api.get('/v1/research');
    token.resolve(tokenAnswer(`token-${server.tokenRequests.length}`));
    await Promise.all([denied, allowed]);
    jest.advanceTimersByTime(1000);
  }
  expect(server.tokenRequests.length).toBeLessThanOrEqual(12);
});
