import { emulated } from '../support/emulated';
import { rejection } from '../support/scripted';

const statuses = async (calls: Promise<{ status: number }>[]): Promise<Set<number>> =>
  new Set((await Promise.all(calls)).map(({ status }) => status));
afterEach(() => jest.restoreAllMocks());

const times = <T>(count: number, call: () => T): T[] => Array.from({ length: count }, call);

describe.each(['http', 'fetch'] as const)('over real %s', (adapter) => {
  it('200 concurrent requests on a cold start make 1 token request', async () => {
    const { api, emulator } = await emulated({ http: { adapter } });
    expect(await statuses(times(200, () => api.get('/v1/research')))).toEqual(new Set([200]));
    expect(emulator.tokenRequests).toBe(1);
    expect(emulator.requests.every(({ authorization }) => authorization === 'valid')).toBe(true);
  });

  it('a late 401 of the old token is answered with the newer one, and mints none', async () => {
    const { api, emulator } = await emulated({ http: { adapter } });
    await api.get('/v1/research');
    emulator.failApiRequests({ delayMs: 300 });
    emulator.revokeTokens();
    const late = api.get('/v1/research');
    while (emulator.apiRequests < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await api.get('/v1/research');
    expect(emulator.tokenRequests).toBe(2);
    expect((await late).status).toBe(200);
    expect(emulator.tokenRequests).toBe(2);
    expect(emulator.requests.filter(({ authorization }) => authorization === 'refused')).toHaveLength(2);
  });

  it('60 calls within a second to an endpoint the token may not use cost at most 3 tokens', async () => {
    const { api, emulator } = await emulated({ http: { adapter } });
    // On a machine so slow that the calls take longer, they count as made within the second.
    jest.spyOn(Date, 'now').mockReturnValue(Date.now());
    jest.spyOn(performance, 'now').mockReturnValue(performance.now());
    for (let wave = 0; wave < 6; wave += 1) {
      const refused = await Promise.all(times(10, () => rejection(api.get('/v1/field'))));
      expect(new Set(refused.map((error) => error['status']))).toEqual(new Set([401]));
    }
    expect(emulator.tokenRequests).toBeLessThanOrEqual(3);
  });
});
