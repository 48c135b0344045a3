import { rejection, scripted } from '../support/scripted';

it('a token from the store that is refused too pauses nothing: the next request gets one of its own', async () => {
  const values = new Map<string, unknown>();
  const tokenStore = {
    get: async (key: string) => values.get(key),
    set: async (key: string, value: string) => values.set(key, value),
  };
  const state = scripted({ tokenStore });
  await state.api.get('/v1/research');
  for (const key of values.keys()) {
    const stored = {
      v: 1,
      accessToken: 'of-another',
      expiresAt: Date.now() + 3_600_000,
      lifetimeMs: 3_600_000,
    };
    values.set(key, JSON.stringify(stored));
  }
  const revoked = ['Bearer token-1', 'Bearer of-another'];
  state.onApi = ({ headers }) => ({
    status: revoked.includes(String(headers.get('Authorization'))) ? 401 : 200,
  });

  expect((await rejection(state.api.get('/v1/research')))['status']).toBe(401);
  expect((await state.api.get('/v1/research')).status).toBe(200);
  expect(state.sent).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer of-another', 'Bearer token-2']);
});
