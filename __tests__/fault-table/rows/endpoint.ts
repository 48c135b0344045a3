import type { JsonValue } from '../../../src/testing';
import type { Diagnosed, Row, Situation } from '../row';
import type { World } from '../world';

// What answers a token request: the endpoint, or something in its place. Scopes and teams.

const refusedWith = (world: World, answer: object, differences: object = {}): Situation => {
  world.emulator.failTokenRequests(answer as { status: number }, Infinity);
  return { attempt: () => world.install({ ...differences }).api.get('/v1/research'), env: world.env };
};

/** What a request gets while the failure of the one before it still holds. */
function secondRequest(world: World): Situation {
  const { api } = world.install();
  return {
    attempt: async () => {
      await api.get('/v1/research').catch(() => undefined);
      return api.get('/v1/research');
    },
  };
}

interface Answer {
  status: number;
  body?: JsonValue;
  headers?: Record<string, string>;
}

/** Each answer of the endpoint, for both. */
function answered(
  title: string,
  answer: Answer,
  code: string,
  step: RegExp,
  check: Partial<Diagnosed> = {},
): Row {
  return {
    title,
    fault: (world) => refusedWith(world, answer),
    library: { code, party: 'the token endpoint', step },
    check: {
      at: 'token',
      names: new RegExp(`The token endpoint \\S+ answered ${answer.status}`),
      step,
      ...check,
    },
  };
}

const html = { 'Content-Type': 'text/html' };
const problem = { 'Content-Type': 'application/problem+json' };

const SCOPE = 'ERR_BIPSYNC_SCOPE';
const CREDENTIALS = 'ERR_BIPSYNC_CREDENTIALS';
const REQUEST = 'ERR_BIPSYNC_TOKEN_REQUEST';
const RESPONSE = 'ERR_BIPSYNC_TOKEN_RESPONSE';
const UNAVAILABLE = 'ERR_BIPSYNC_TOKEN_UNAVAILABLE';

const usable = { token_type: 'bearer', expires_in: 3600, access_token: 'good-token' };

/** Credentials as they get spoilt on their way; the emulator refuses them itself. */
function spoilt(title: string, spoil: (world: World) => Record<string, string>, step: RegExp): Row {
  return {
    title,
    fault: (world) => {
      const changes = spoil(world);
      const { BIPSYNC_CLIENT_ID: id, BIPSYNC_CLIENT_SECRET: secret } = changes;
      const differences = {
        ...(id !== undefined && { clientId: id }),
        ...(secret !== undefined && { clientSecret: secret }),
      };
      return {
        attempt: () => world.install(differences).auth.getToken(),
        env: { ...world.env, ...changes },
      };
    },
    library: { code: CREDENTIALS, party: 'the token endpoint', step },
    check: { at: 'token', names: /answered 401/, step },
  };
}

export const endpointRows: Row[] = [
  // Pages of gateways, portals and proxies in between.
  answered(
    'A login page with 200 is reported with the missing token.',
    { status: 200, headers: html, body: '<!doctype html><title>Sign in</title>' },
    RESPONSE,
    /without a valid access_token\. Check the URL, and whether a gateway, login page or mock/,
  ),
  answered(
    'A redirect to a login page is not followed, and names the options to check.',
    { status: 302, headers: { Location: 'https://login.example.com/' } },
    REQUEST,
    /Token requests do not follow redirects\. Check client, baseURL and tokenUrl/,
  ),
  {
    title: 'With fetch, a redirect to a login page is not followed either.',
    fault: (world) => {
      world.emulator.failTokenRequests({ redirectTo: 'https://login.example.com/', status: 302 }, Infinity);
      return { attempt: () => world.install({}, { adapter: 'fetch' }).auth.getToken() };
    },
    library: {
      code: REQUEST,
      party: 'the token endpoint',
      step: /answered 302\. Token requests do not follow redirects/,
    },
  },
  answered(
    'The 404 page of another server names the options that lead there.',
    { status: 404, headers: html, body: '<h1>Not Found</h1>' },
    REQUEST,
    /answered 404\. Check client, baseURL, tokenUrl/,
  ),
  answered(
    'A gateway without a server behind it is reported as out of order.',
    { status: 502, headers: html, body: '<h1>Bad Gateway</h1>' },
    UNAVAILABLE,
    /answered 502\. It cannot answer at the moment\. Try again later/,
  ),
  answered(
    'A maintenance page with a Retry-After lets check say when to try again.',
    { status: 503, headers: { ...html, 'Retry-After': '120' }, body: '<h1>Back soon</h1>' },
    UNAVAILABLE,
    /answered 503\. It cannot answer at the moment/,
    { step: /Try again in 120 seconds/ },
  ),
  {
    title: 'A token URL with a wrong path names the options that lead there.',
    fault: (world) => ({
      attempt: () => world.install({ tokenUrl: `${world.emulator.url}/v1/oauth/tokens` }).auth.getToken(),
    }),
    library: {
      code: CREDENTIALS,
      party: 'the token endpoint',
      step: /\/v1\/oauth\/tokens answered 401.*looks like the API.*Check client, baseURL and tokenUrl/,
    },
  },
  {
    title: 'A body without end is cut off, and reported as no token.',
    fault: (world) => refusedWith(world, { oversizeBytes: 2_000_000 }),
    library: {
      code: RESPONSE,
      party: 'the token endpoint',
      step: /answered 200 without a valid access_token/,
    },
    check: { at: 'token', names: /without a valid access_token/, step: /gateway/ },
  },
  {
    title: 'An answer that breaks off is reported with the code of the system.',
    fault: (world) => {
      world.emulator.failTokenRequests('reset-mid-body', Infinity);
      return { attempt: () => world.install().auth.getToken(), env: world.env };
    },
    library: {
      code: UNAVAILABLE,
      party: 'the token endpoint',
      step: /answered 200, but its body could not be read \((?:ECONNRESET|ERR_BAD_RESPONSE)\)\. Check whether a proxy or gateway/,
    },
    check: { at: 'token', names: /could not be read/, step: /Check whether a proxy or gateway/ },
  },

  // Answers that are no token.
  answered(
    'A token of another type is rejected.',
    { status: 200, body: { ...usable, token_type: 'mac' } },
    RESPONSE,
    /without a valid token_type/,
  ),
  answered(
    'A lifetime that is no number is rejected.',
    { status: 200, body: { ...usable, expires_in: 'soon' } },
    RESPONSE,
    /without a valid expires_in/,
  ),
  answered(
    'A token with a line break in it is rejected.',
    { status: 200, body: { ...usable, access_token: 'good\r\ntoken' } },
    RESPONSE,
    /without a valid access_token/,
  ),
  answered(
    'A token that comes with 201 is rejected, since only 200 counts.',
    { status: 201, body: usable },
    REQUEST,
    /answered 201\. Check client, baseURL, tokenUrl/,
  ),

  // Refusals, in the shapes of several servers.
  answered(
    'League 8 refuses a scope: its hint is shown, and check asks for the scopes one by one.',
    {
      status: 400,
      body: {
        error: 'invalid_scope',
        error_description: 'The requested scope is invalid, unknown, or malformed',
        hint: 'Check the `rest_api:read` scope',
        message: 'The requested scope is invalid, unknown, or malformed',
      },
    },
    SCOPE,
    /\(invalid_scope: The requested scope is invalid, unknown, or malformed Check the `rest_api:read` scope\)\. Check that teamId and scopes were granted to the client/,
    { step: /Check that teamId and scopes/ },
  ),
  answered(
    'League 9 refuses a client: its answer has no message any more.',
    { status: 401, body: { error: 'invalid_client', error_description: 'Client authentication failed' } },
    CREDENTIALS,
    /answered 401 \(invalid_client: Client authentication failed\)\. Check that clientId and clientSecret are correct and belong to this tenant/,
  ),
  answered(
    'League 8 refuses a client: the same words in two members are shown once.',
    {
      status: 401,
      body: {
        error: 'invalid_client',
        error_description: 'Client authentication failed',
        message: 'Client authentication failed',
      },
    },
    CREDENTIALS,
    /\(invalid_client: Client authentication failed\)\. Check that clientId/,
  ),
  answered(
    'League 9 refuses the grant type: error, description and hint are shown.',
    {
      status: 400,
      body: {
        error: 'unsupported_grant_type',
        error_description: 'The authorization grant type is not supported by the authorization server.',
        hint: 'Check that all required parameters have been provided',
      },
    },
    REQUEST,
    /unsupported_grant_type: .*not supported.*Check that all required parameters have been provided\)\. Check client, baseURL, tokenUrl and tokenEncoding/,
  ),
  answered(
    'A Passport-like refusal has a message alone.',
    { status: 401, body: { message: 'Client authentication failed' } },
    CREDENTIALS,
    /answered 401 \(Client authentication failed\)\. Check that clientId/,
  ),
  answered(
    'A Passport-like rate limit has a message alone, and may pass.',
    { status: 429, body: { message: 'Too Many Attempts.' }, headers: { 'Retry-After': '60' } },
    UNAVAILABLE,
    /answered 429 \(Too Many Attempts\.\).*Try again later/,
    { step: /Try again in 60 seconds/ },
  ),
  answered(
    'Problem details are shown by title and detail.',
    {
      status: 400,
      headers: problem,
      body: {
        type: 'about:blank',
        title: 'Bad Request',
        status: 400,
        detail: 'The parameter grant_type is missing.',
      },
    },
    REQUEST,
    /answered 400 \(Bad Request The parameter grant_type is missing\.\)\. Check .*tokenEncoding/,
  ),
  answered(
    'A client that may not use this grant is a matter of credentials.',
    { status: 400, body: { error: 'unauthorized_client' } },
    CREDENTIALS,
    /\(unauthorized_client\)\. Check that clientId and clientSecret/,
  ),
  answered(
    'A 401 without a body is a matter of credentials.',
    { status: 401 },
    CREDENTIALS,
    /answered 401\. Check that clientId/,
  ),
  answered(
    'A refused content type names the encoding.',
    { status: 415 },
    REQUEST,
    /answered 415\. Check .*tokenEncoding/,
  ),
  answered(
    'A refused method names the token URL.',
    { status: 405 },
    REQUEST,
    /answered 405\. Check .*tokenUrl/,
  ),
  answered(
    'An IP address that is not permitted is reported with the 403 of the token endpoint.',
    { status: 403, body: { error: 'forbidden' } },
    'ERR_BIPSYNC_IP_NOT_ALLOWED',
    /answered 403.*Ask your Bipsync administrator to permit the public IP address of this machine/,
    { step: /Behind NAT, a VPN or a proxy/ },
  ),
  answered(
    'A server that timed out may pass.',
    { status: 408 },
    UNAVAILABLE,
    /answered 408\. It cannot answer at the moment/,
  ),
  answered(
    'A request that came too early may pass.',
    { status: 425 },
    UNAVAILABLE,
    /answered 425\. It cannot answer at the moment/,
  ),
  answered(
    'An internal error of the server is reported as out of order.',
    { status: 500, body: { message: 'Server Error' } },
    UNAVAILABLE,
    /answered 500 \(Server Error\)/,
  ),
  {
    title:
      'In a cool-down after a refusal the message says that no token was requested, and when the next attempt is possible.',
    fault: (world) => {
      world.emulator.failTokenRequests({ status: 401, body: { error: 'invalid_client' } }, Infinity);
      return secondRequest(world);
    },
    library: {
      code: CREDENTIALS,
      party: 'the token endpoint',
      step: /Check that clientId.*from an earlier attempt\. No token was requested this time\. The next attempt is possible in (?:2\d|30) s/,
    },
  },
  {
    title: 'In a cool-down after a Retry-After the message says when the endpoint will be asked.',
    fault: (world) => {
      world.emulator.failTokenRequests({ status: 503, headers: { 'Retry-After': '120' } }, Infinity);
      return secondRequest(world);
    },
    library: {
      code: UNAVAILABLE,
      party: 'the token endpoint',
      step: /No token was requested this time\. The next attempt is possible in 1[12]\d s/,
    },
  },

  // Credentials that got spoilt.
  spoilt(
    'A wrong secret asks for both credentials and the tenant.',
    () => ({ BIPSYNC_CLIENT_SECRET: 'q7Hk2Lr9Zx4Vb8Nm3Wc6Tp1Yd5Sf0Ga8' }),
    /Check that clientId and clientSecret are correct and belong to this tenant/,
  ),
  spoilt(
    'A secret in quotes is reported with the quotes.',
    ({ emulator }) => ({ BIPSYNC_CLIENT_SECRET: `"${emulator.clientSecret}"` }),
    /The secret is in quotes. Remove the quotes/,
  ),
  spoilt(
    'A secret that is still JSON asks for the value inside.',
    ({ emulator }) => ({ BIPSYNC_CLIENT_SECRET: `{"client_secret":"${emulator.clientSecret}"}` }),
    /The secret looks like JSON. Pass only the secret/,
  ),
  spoilt(
    'A secret with a space before it is reported with the space.',
    ({ emulator }) => ({ BIPSYNC_CLIENT_SECRET: ` ${emulator.clientSecret}` }),
    /The secret begins or ends with white space/,
  ),
  spoilt(
    'A client id with a space after it is reported with the space.',
    ({ emulator }) => ({ BIPSYNC_CLIENT_ID: `${emulator.clientId} ` }),
    /The client id begins or ends with white space/,
  ),
  spoilt(
    'A client id in the place of the secret is noticed.',
    ({ emulator }) => ({ BIPSYNC_CLIENT_SECRET: emulator.clientId }),
    /The secret and the client id are the same/,
  ),
  {
    title: 'A secret with a line break at its end works, since files end with one.',
    fault: (world) => {
      const clientSecret = `${world.emulator.clientSecret}\n`;
      return { attempt: async () => (await world.install({ clientSecret }).api.get('/v1/research')) && {} };
    },
    library: { code: 'works', party: 'nobody', step: /works/ },
  },

  // Scopes and teams.
  {
    title: 'A scope that the client was not granted is named by the hint, and by check.',
    fault: (world) => {
      world.emulator.grantScopes(['research:read']);
      const scopes = ['research:read', 'users:read'];
      return {
        attempt: () => world.install({ scopes }).api.get('/v1/research'),
        env: { ...world.env, BIPSYNC_SCOPES: scopes.join(' ') },
      };
    },
    library: {
      code: SCOPE,
      party: 'the token endpoint',
      step: /may not ask for this scope: users:read\)\. Check that teamId and scopes/,
    },
    check: { at: 'token', names: /invalid_scope/, step: /users:read/ },
  },
  {
    title: 'Scopes with commas between them are refused as one scope.',
    fault: (world) => ({
      attempt: () => world.install({ scopes: 'rest_api:read,research:read' }).auth.getToken(),
      env: { ...world.env, BIPSYNC_SCOPES: 'rest_api:read,research:read' },
    }),
    library: {
      code: SCOPE,
      party: 'the token endpoint',
      step: /rest_api:read,research:read.*Check that teamId and scopes/,
    },
    check: { at: 'token', names: /invalid_scope/, step: /rest_api:read,research:read/ },
  },
  {
    title: 'The team of another tenant is refused as a scope.',
    fault: (world) => ({
      attempt: () => world.install({ teamId: '65df73340142feec34d7d6ee' }).auth.getToken(),
      env: { ...world.env, BIPSYNC_TEAM_ID: '65df73340142feec34d7d6ee' },
    }),
    library: {
      code: SCOPE,
      party: 'the token endpoint',
      step: /team_65df73340142feec34d7d6ee.*Check that teamId and scopes/,
    },
    check: { at: 'token', names: /invalid_scope/, step: /Check that teamId and scopes/ },
  },
  {
    title: 'A scope of one request that was not granted fails that request alone.',
    fault: (world) => {
      world.emulator.grantScopes(['rest_api:read']);
      const { api } = world.install();
      return {
        attempt: async () => {
          const [alone] = await Promise.allSettled([
            api.get('/v1/research', { bipsyncAuth: { scopes: ['users:read'] } }),
            api.get('/v1/research').then(({ status }) => {
              if (status !== 200) throw new Error('the other request failed too');
            }),
          ]);
          throw alone.status === 'rejected' ? alone.reason : new Error('it was not refused');
        },
      };
    },
    library: { code: SCOPE, party: 'the token endpoint', step: /users:read\)/ },
  },
  {
    title: 'An Authlib-like token with fewer scopes than asked for is reported by an event, and fails check.',
    fault: (world) => {
      world.emulator.grantScopes(['rest_api:read']);
      world.emulator.narrowsScopes = true;
      const scopes = ['rest_api:read', 'users:read'];
      return {
        attempt: async () => {
          const { auth, events } = world.install({ scopes });
          const granted = (await auth.getToken()).scopes;
          const acquired = events.find(({ type }) => type === 'token-acquired');
          const missing = acquired?.type === 'token-acquired' ? acquired.missingScopes : [];
          return {
            code: acquired?.type,
            message: `works, granted ${granted.join(' ')}, missing ${missing.join(' ')}`,
          };
        },
        env: { ...world.env, BIPSYNC_SCOPES: scopes.join(' ') },
      };
    },
    library: {
      code: 'token-acquired',
      party: 'nobody',
      step: /granted rest_api:read team_\w+, missing users:read$/,
    },
    check: {
      at: 'scopes',
      names: /asked for and not granted: users:read/,
      step: /Ask your Bipsync administrator to grant these scopes to the client/,
    },
  },
];
