import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { formOf, ORIGIN, rejection, scripted, SECRET, tokenAnswer, type Answer } from '../support/scripted';
import { request } from './support';

async function said(answer: Answer): Promise<Error & Record<string, unknown>> {
  const state = scripted({ scopes: ['users:read'] });
  state.onToken = () => answer;
  return rejection(request(state));
}

describe('the words of a refusal, as servers of several makes write them', () => {
  it.each<[string, unknown, string, string]>([
    [
      'league/oauth2-server 8',
      {
        error: 'invalid_scope',
        error_description: 'The requested scope is invalid, unknown, or malformed',
        hint: 'Check the `users:read` scope',
        message: 'The requested scope is invalid, unknown, or malformed',
      },
      'ERR_BIPSYNC_SCOPE',
      'The requested scope is invalid, unknown, or malformed Check the `users:read` scope',
    ],
    [
      'league/oauth2-server 9, without message',
      { error: 'invalid_scope', error_description: 'Malformed scope', hint: 'Check the `team_a1` scope' },
      'ERR_BIPSYNC_SCOPE',
      'Malformed scope Check the `team_a1` scope',
    ],
    [
      'Passport, with a message alone',
      { message: 'Client is unknown.' },
      'ERR_BIPSYNC_TOKEN_REQUEST',
      'Client is unknown.',
    ],
    [
      'a gateway, with an error object',
      { error: { code: 'Unauthorized', message: 'The client is blocked.' } },
      'ERR_BIPSYNC_TOKEN_REQUEST',
      'The client is blocked.',
    ],
    [
      'problem details',
      { type: 'about:blank', title: 'Bad Request', detail: 'The scope users:read is not granted.' },
      'ERR_BIPSYNC_TOKEN_REQUEST',
      'Bad Request The scope users:read is not granted.',
    ],
  ])('everything that %s says is in the message', async (_make, body, code, words) => {
    const error = await said({ status: 400, body });
    expect(error).toMatchObject({ code, oauthErrorDescription: words });
    expect(error.message).toContain(words);
  });
});

describe('scopes that the server grants', () => {
  const granting = (scope: unknown) => {
    const state = scripted({ scopes: ['users:read', 'research:read'] });
    state.onToken = () => ({ body: { token_type: 'bearer', access_token: 't', scope } });
    return state;
  };

  it('a token has the scopes that were granted, and the event names the missing ones', async () => {
    const state = granting('team_a1 users:read');
    expect((await state.auth.getToken()).scopes).toEqual(['team_a1', 'users:read']);
    expect(state.events).toMatchObject([{ type: 'token-acquired', missingScopes: ['research:read'] }]);
  });

  it.each([undefined, null, '', 7, ['users:read'], 'x'.repeat(5000)])(
    'a token has the scopes that were asked for if the server says %p',
    async (scope) => {
      const state = granting(scope);
      expect((await state.auth.getToken()).scopes).toEqual(['research:read', 'team_a1', 'users:read']);
      expect(state.events).toMatchObject([{ missingScopes: [] }]);
    },
  );
});

describe('9. answers after which another try makes sense', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: new Date('2026-03-01T12:00:00Z') });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each([408, 425, 429, 500, 502, 503, 504])(
    'a %d is tried again, and the request succeeds',
    async (status) => {
      const state = scripted();
      state.onToken = () => (state.tokenRequests.length === 1 ? { status } : tokenAnswer('t'));
      const answered = request(state);
      await jest.advanceTimersByTimeAsync(1000);
      await answered;
      expect(state.tokenRequests).toHaveLength(2);
    },
  );

  it.each([-600_000, 0, 600_000])(
    "a date in Retry-After is counted from the answer's own Date, with a server's clock %d ms off",
    async (offMs) => {
      const state = scripted();
      const at = (ms: number): string => new Date(Date.now() + offMs + ms).toUTCString();
      state.onToken = () => ({ status: 503, headers: { Date: at(0), 'Retry-After': at(90_000) } });
      expect(await rejection(request(state))).toMatchObject({ retryAfterMs: 90_000 });
      expect(state.tokenRequests).toHaveLength(1);
    },
  );

  it('an error during a cool-down says that no token was requested, and when the next attempt is possible', async () => {
    const state = scripted();
    state.onToken = () => ({ status: 401 });
    const first = await rejection(request(state));
    await jest.advanceTimersByTimeAsync(10_000);
    const { message } = await rejection(request(state));
    expect(message).toBe(
      `${first.message} This error is from an earlier attempt. No token was requested this time. The next attempt is possible in 20 s.`,
    );
  });

  it('a refusal is followed by 30 s, doubling to 5 min', async () => {
    const state = scripted();
    state.onToken = () => ({ status: 403 });
    const lengths: unknown[] = [];
    for (let round = 0; round < 6; round += 1) {
      await rejection(request(state));
      const event = state.events.at(-1) as { retryInMs: number };
      lengths.push(event.retryInMs);
      await jest.advanceTimersByTimeAsync(event.retryInMs);
    }
    expect(lengths).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
  });

  it('refused credentials hold for every team and every scope of the client: 2,000 teams cost few token requests', async () => {
    const state = scripted();
    state.onToken = () => ({ status: 401, body: { error: 'invalid_client' } });
    for (let team = 0; team < 2000; team += 1) {
      await rejection(state.api.get('/v1/x', { bipsyncAuth: { teamId: `t${team}` } }));
    }
    expect(state.tokenRequests).toHaveLength(1);
  });
});

describe('a secret with what does not belong to it', () => {
  it.each(['\n', '\r\n', '\n\n'])('a secret is sent without %j at its end, as files have it', async (end) => {
    for (const clientSecret of [SECRET + end, () => SECRET + end]) {
      const state = scripted({ clientSecret });
      await request(state);
      expect(formOf(state.tokenRequests[0]!)['client_secret']).toBe(SECRET);
    }
  });

  it.each([
    ['a tab', `${SECRET}\t`, /contains a tab \(U\+0009\) at position 22/],
    ['a line break inside', `the-very\n${SECRET}`, /a line break \(U\+000A\) at position 9/],
    ['a byte order mark', `\ufeff${SECRET}`, /contains a byte order mark \(U\+FEFF\) at position 1/],
  ])('a secret with %s is rejected by name and without the value', async (_what, value, words) => {
    const state = scripted({ clientSecret: () => value });
    const error = await rejection(request(state));
    expect(error).toMatchObject({
      code: 'ERR_BIPSYNC_SECRET',
      message: expect.stringMatching(words) as string,
    });
    expect(error.message).not.toContain(SECRET);
    expect(state.tokenRequests).toHaveLength(0);
  });

  it.each([
    [' padded-secret-value ', 'begins or ends with white space'],
    ['"quoted-secret-value"', 'is in quotes'],
    ['“quoted-secret-value”', 'is in quotes'],
    ['‘quoted-secret-value’', 'is in quotes'],
    ['`quoted-secret-value`', 'is in quotes'],
    ['{"secret":"value-of-it"}', 'looks like JSON'],
    ['the-client', 'the client id are the same'],
    ['invisible\u200bspace-value', 'The secret contains a character that no secret can contain'],
    ['accented-sécret-value', 'The secret contains a character that no secret can contain'],
  ])(
    'the error of a refused secret such as %j says what may be wrong with the secret',
    async (clientSecret, words) => {
      const state = scripted({ clientSecret });
      state.onToken = () => ({ status: 401 });
      const { message } = await rejection(request(state));
      expect(message).toContain(words);
      if (clientSecret !== 'the-client') expect(message).not.toContain(clientSecret.trim());
    },
  );
});

it.each(['client\u200bid', 'cliént'])(
  'the error of refused credentials says that the client id %j contains what no client id can contain',
  async (clientId) => {
    const state = scripted({ clientId });
    state.onToken = () => ({ status: 401 });
    const { message } = await rejection(request(state));
    expect(message).toMatch(/ The client id contains a character that no client id can contain/);
    expect(message).not.toContain('The secret contains');
    expect(message).not.toContain(clientId);
  },
);

describe('a fault of the environment is reported as what it is', () => {
  it.each<[string, Error, RegExp]>([
    [
      'a missing global',
      new ReferenceError('TextDecoder is not defined'),
      /ReferenceError: TextDecoder is not defined/,
    ],
    [
      'a missing method',
      new TypeError('URL.canParse is not a function'),
      /TypeError: URL\.canParse is not a function/,
    ],
    [
      'an error that may quote the secret',
      new TypeError(`bad ${SECRET}`),
      /: TypeError\. The cause is in this program/,
    ],
  ])('%s is not reported as a network failure', async (_what, thrown, words) => {
    const state = scripted();
    state.onToken = () => thrown;
    const error = await rejection(request(state));
    expect(error).toMatchObject({
      code: 'ERR_BIPSYNC_CONFIG',
      message: expect.stringMatching(words) as string,
    });
    expect(error.message).not.toContain(SECRET);
    expect(state.tokenRequests).toHaveLength(1);
  });

  it('an adapter that does not exist is named', async () => {
    const state = scripted();
    state.api.defaults.adapter = 'carrier-pigeon';
    const error = await rejection(state.auth.getToken());
    expect(error).toMatchObject({ code: 'ERR_BIPSYNC_CONFIG' });
    expect(error.message).toContain('carrier-pigeon');
  });

  it('a TypeError whose cause has a code counts as a network failure of fetch', async () => {
    jest.useFakeTimers();
    const state = scripted();
    state.onToken = () => new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } });
    const failed = rejection(request(state));
    await jest.advanceTimersByTimeAsync(5000);
    jest.useRealTimers();
    expect(await failed).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
  });

  it.each([
    'fetch failed',
    'Failed to fetch',
    'Load failed',
    'Network error',
    'Network request failed',
    'NetworkError when attempting to fetch resource.',
  ])('a TypeError "%s", as a fetch or its mock throws it, counts as a network failure', async (message) => {
    jest.useFakeTimers();
    const state = scripted();
    state.onToken = () => new TypeError(message);
    const failed = rejection(request(state));
    await jest.advanceTimersByTimeAsync(5000);
    jest.useRealTimers();
    expect(await failed).toMatchObject({ code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE' });
    expect(state.tokenRequests).toHaveLength(3);
  });
});

it("an API's 403 has a cause that names the IP address, as Bipsync documents it", async () => {
  const state = scripted();
  state.onApi = () => ({ status: 403, body: { error: 'forbidden' } });
  const error = await rejection(request(state));
  expect(error).toMatchObject({ status: 403, response: { data: { error: 'forbidden' } } });
  expect(error.cause).toMatchObject({
    code: 'ERR_BIPSYNC_IP_NOT_ALLOWED',
    message: expect.stringContaining('permit the public IP address of this machine') as string,
  });
  expect(state.tokenRequests).toHaveLength(1);
});

it("an API's 403 with the challenge insufficient_scope has a cause that names the scope, and no token is requested", async () => {
  const state = scripted();
  const headers = { 'WWW-Authenticate': 'Bearer error="insufficient_scope", scope="users:read"' };
  state.onApi = () => ({ status: 403, headers });
  const error = await rejection(request(state));
  expect(error.cause).toMatchObject({
    code: 'ERR_BIPSYNC_ACCESS_DENIED',
    message:
      `${ORIGIN} answered 403 and said that the scopes of the token are not enough. A new token would have the same scopes. ` +
      'Check which scope this endpoint needs, and whether it was granted to the client.',
  });
  expect(state.tokenRequests).toHaveLength(1);
  expect(state.apiRequests).toHaveLength(1);
});

it('events are frozen, and the diagnostics channel gets the very same objects', async () => {
  const published: unknown[] = [];
  const onMessage = (message: unknown): void => void published.push(message);
  subscribe('axios-bipsync-auth:event', onMessage);
  const state = scripted({ scopes: ['users:read'] });
  await request(state);
  state.auth.invalidate();
  state.onToken = () => ({ status: 400 });
  await rejection(request(state));
  unsubscribe('axios-bipsync-auth:event', onMessage);
  expect(published).toHaveLength(2);
  published.forEach((event, position) => expect(event).toBe(state.events[position]));
  expect(published.every((event) => Object.isFrozen(event))).toBe(true);
  expect(Object.isFrozen((published[0] as { scopes: unknown }).scopes)).toBe(true);
  expect(published[1]).toMatchObject({ type: 'token-failed', tokenEndpointStatus: 400, retryInMs: 30_000 });
});
