import { type Answer, deferred, rejection, scripted, tokenAnswer } from '../support/scripted';

const HOUR = 3_600_000;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});
const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** Ways for time to pass while no timer of the process runs: a machine that sleeps, a process that is frozen. */
const jumps: Record<string, (ms: number) => void> = {
  'the wall clock': (ms) => jest.setSystemTime(Date.now() + ms),
  'the monotonic clock': (ms) => {
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + ms);
  },
};

describe.each(Object.entries(jumps))('if only %s shows that time has passed,', (_clock, jump) => {
  it('1. no request joins an acquisition after its deadline: the next request starts a new one', async () => {
    const state = scripted();
    state.onToken = () => new Promise<never>(() => undefined);
    const frozen = rejection(state.api.get('/v1/x', { timeout: 50_000 }));
    await advance(10);
    jump(10_000);
    state.onToken = () => tokenAnswer('fresh');
    await state.api.get('/v1/x');
    expect(state.sent).toEqual(['Bearer fresh']);
    expect(state.tokenRequests).toHaveLength(2);
    await advance(10_000);
    expect(await frozen).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
    await state.api.get('/v1/x');
    expect(state.tokenRequests).toHaveLength(2);
  });

  it('2. a background refresh that was frozen fails no request after the thaw', async () => {
    const state = scripted();
    await state.api.get('/v1/x');
    await advance(58 * 60_000);
    const late = deferred<Answer>();
    state.onToken = () => late.promise;
    await state.api.get('/v1/x');
    jump(HOUR);
    state.onToken = () => tokenAnswer('fresh');
    await state.api.get('/v1/x');
    late.resolve({ status: 500 });
    await advance(20_000);
    await state.api.get('/v1/x');
    expect(state.sent).toEqual([
      ...['Bearer token-1', 'Bearer token-1'],
      ...['Bearer fresh', 'Bearer fresh'],
    ]);
  });

  it.each([
    ['a refusal', { status: 401 }, 30_000],
    ['a failure', { status: 200, body: '<html>' }, 1000],
    ['a Retry-After', { status: 429, headers: { 'Retry-After': '300' } }, 300_000],
  ])('4. a cool-down after %s ends as soon as one clock says so', async (_what, answer, ms) => {
    const state = scripted();
    state.onToken = () => answer;
    await rejection(state.api.get('/v1/x'));
    state.onToken = () => tokenAnswer('fresh');
    await rejection(state.api.get('/v1/x'));
    jump(ms);
    await state.api.get('/v1/x');
    expect(state.sent).toEqual(['Bearer fresh']);
  });

  it('4. the pause of a resource ends as soon as one clock says so', async () => {
    const state = scripted();
    state.onApi = () => ({ status: 401 });
    await rejection(state.api.get('/v1/x'));
    await rejection(state.api.get('/v1/x'));
    expect(state.tokenRequests).toHaveLength(2);
    jump(1000);
    await rejection(state.api.get('/v1/x'));
    expect(state.tokenRequests).toHaveLength(3);
  });

  it('4. a token expires as soon as one clock says so', async () => {
    const state = scripted();
    await state.api.get('/v1/x');
    jump(HOUR - 30_000);
    await state.api.get('/v1/x');
    expect(state.sent).toEqual(['Bearer token-1', 'Bearer token-2']);
  });
});

describe('14. a resource that is denied every second for an hour', () => {
  it('a resource denied every second for an hour costs at most 22 token requests, and hides no revocation', async () => {
    const state = scripted();
    state.onToken = () => tokenAnswer(`token-${state.tokenRequests.length}`, 86_400);
    let revoked = new Set<string>();
    state.onApi = ({ url, headers }) => ({
      status: url === '/v1/denied' || revoked.has(String(headers.get('Authorization'))) ? 401 : 200,
    });
    let healed = 0;
    for (let second = 0; second < 3600; second += 1) {
      await rejection(state.api.get('/v1/denied'));
      if (second % 900 === 450) {
        revoked = new Set(state.sent.map(String));
        const before = state.tokenRequests.length;
        expect((await state.api.get('/v1/research')).status).toBe(200);
        expect(state.tokenRequests.length - before).toBe(1);
        healed += 1;
      }
      await advance(1000);
    }
    expect(healed).toBe(4);
    expect(state.tokenRequests.length - healed).toBeLessThanOrEqual(22);
  });

  it('reading, writing and each origin have separate pauses', async () => {
    const other = 'https://gw.example';
    const state = scripted({ allowedOrigins: [other] });
    state.onApi = () => ({ status: 401 });
    const calls = [
      () => state.api.get('/v1/x/1'),
      () => state.api.post('/v1/x/1'),
      () => state.api.get('/v1/y'),
      () => state.api.get(`${other}/v1/x/1`),
    ];
    for (const call of calls) await rejection(call());
    expect(state.tokenRequests).toHaveLength(5);
    await rejection(state.api.get('/v1/x/2'));
    await rejection(state.api.head('/v1/x?page=2'));
    expect(state.tokenRequests).toHaveLength(5);
  });

  it('300 denied resources in a row cost no more than five renewals', async () => {
    const state = scripted();
    state.onApi = () => ({ status: 401 });
    for (let resource = 0; resource < 300; resource += 1) {
      await rejection(state.api.get(`/v1/resource-${resource}`));
    }
    expect(state.tokenRequests).toHaveLength(6);
  });
});
