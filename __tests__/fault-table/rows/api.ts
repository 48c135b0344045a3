import type { EmulatorFault } from '../../../src/testing';
import type { Diagnosed, Row } from '../row';
import type { Party } from '../parties';

// What answers an API request, after a token was obtained.

function answered(
  title: string,
  fault: EmulatorFault,
  code: string,
  party: Party,
  step: RegExp,
  check: Omit<Diagnosed, 'at'>,
): Row {
  return {
    title,
    fault: (world) => {
      world.emulator.failApiRequests(fault, Infinity);
      return { attempt: async () => (await world.install().api.get('/v1/research')) && {}, env: world.env };
    },
    library: { code, party, step },
    check: { at: 'api', ...check },
  };
}

const DENIED = 'ERR_BIPSYNC_ACCESS_DENIED';

export const apiRows: Row[] = [
  answered(
    'An API that refuses a new token too names the scopes that were asked for.',
    { status: 401, body: { error: 'access_denied' } },
    DENIED,
    'the API',
    /A new token did not help.*"rest_api:read team_\w+".*Check which scope this endpoint needs/,
    {
      names: /GET \/v1\/research: 401/,
      step: /Check BIPSYNC_SCOPES and BIPSYNC_TEAM_ID.*Assumed: the scope rest_api:read gives access/,
    },
  ),
  {
    title: 'A challenge that says insufficient_scope is reported without a second token request.',
    fault: (world) => {
      world.emulator.challenge = 'rfc6750';
      return {
        attempt: () => world.install().api.post('/v2/research/note', { user: 'me' }),
      };
    },
    library: {
      code: DENIED,
      party: 'the API',
      step: /Check which scope this endpoint needs, and whether it was granted to the client/,
    },
  },
  answered(
    'A 403 of the API is a matter of the IP address, as Bipsync documents it.',
    { status: 403 },
    'ERR_BIPSYNC_IP_NOT_ALLOWED',
    'the API',
    /^http:\/\/127\.0\.0\.1:\d+ answered 403.*Ask your Bipsync administrator to permit the public IP address of this machine/,
    { names: /GET \/v1\/research: 403/, step: /public IP address is the one of the NAT/ },
  ),
  answered(
    'A 403 of the API whose challenge says insufficient_scope is a matter of the scopes.',
    { status: 403, headers: { 'WWW-Authenticate': 'Bearer error="insufficient_scope"' } },
    DENIED,
    'the API',
    /answered 403 and said that the scopes of the token are not enough.*Check which scope this endpoint needs/,
    { names: /GET \/v1\/research: 403/, step: /Check BIPSYNC_SCOPES and BIPSYNC_TEAM_ID/ },
  ),
  answered(
    'A 404 of the API is an ordinary error of axios, and no proof for check.',
    { status: 404 },
    'ERR_BAD_REQUEST',
    'the API',
    /status code 404/,
    { names: /404/, step: /not found\. Check BIPSYNC_CLIENT or BIPSYNC_BASE_URL/ },
  ),
  answered(
    'A 400 of the API is an ordinary error of axios.',
    { status: 400 },
    'ERR_BAD_REQUEST',
    'the API',
    /status code 400/,
    { names: /400/, step: /the token was not tested/ },
  ),
  answered(
    'A rate limit of the API is an ordinary error of axios, and check reads Retry-After.',
    { status: 429, headers: { 'Retry-After': '30' } },
    'ERR_BAD_REQUEST',
    'the API',
    /status code 429/,
    { names: /429/, step: /Try again in 30 seconds/ },
  ),
  answered(
    'A 500 of the API is an ordinary error of axios.',
    { status: 500 },
    'ERR_BAD_RESPONSE',
    'the API',
    /status code 500/,
    { names: /500/, step: /Bipsync, or a gateway in front of it, failed/ },
  ),
  answered(
    'A login page of a gateway in the place of the API is a success for axios, and a failure for check.',
    { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<title>Sign in</title>' },
    'works',
    'nobody',
    /works/,
    { names: /200 in \d+ ms, and not JSON/, step: /not the API\. Check BIPSYNC_BASE_URL/ },
  ),
  answered(
    'A redirect of the API to a host that is not there is an ordinary error of axios.',
    { redirectTo: 'http://127.0.0.1:1/' },
    'ECONNREFUSED',
    'the network',
    /ECONNREFUSED/,
    { names: /307/, step: /does not redirect/ },
  ),
  answered('A reset of the API is an ordinary error of axios.', 'reset', 'ECONNRESET', 'the network', /./, {
    names: /no answer \(ECONNRESET\)/,
    step: /Check the firewall and the proxy/,
  }),
  {
    title: 'A clock that is ten minutes wrong changes nothing, and check warns of it.',
    fault: (world) => {
      const headers = { Date: new Date(Date.now() - 600_000).toUTCString() };
      world.emulator.failApiRequests({ status: 200, headers, body: {} }, Infinity);
      return { attempt: async () => (await world.install().api.get('/v1/research')) && {}, env: world.env };
    },
    library: { code: 'works', party: 'nobody', step: /works/ },
    check: { at: 'clock', warns: true, names: /1[01] minutes ahead of the server's/, step: /NTP/ },
  },
  {
    title: 'A Retry-After date of a server with another clock is read by the clock of the server.',
    fault: (world) => {
      const at = Date.now() + 3_600_000;
      const headers = {
        Date: new Date(at).toUTCString(),
        'Retry-After': new Date(at + 90_000).toUTCString(),
      };
      world.emulator.failTokenRequests({ status: 429, headers }, Infinity);
      const { auth } = world.install();
      return {
        attempt: async () => {
          await auth.getToken().catch(() => undefined);
          return auth.getToken();
        },
        env: world.env,
      };
    },
    library: {
      code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
      party: 'the token endpoint',
      step: /possible in [89]\d s/,
    },
    check: { at: 'token', names: /answered 429/, step: /Try again in 90 seconds/ },
  },
  {
    title: 'A request to another host goes without a token, with an event that names the host.',
    fault: async (world) => {
      const { emulator, install } = world;
      const { api, events } = install({}, {});
      const elsewhere = emulator.url.replace('127.0.0.1', 'localhost');
      return {
        attempt: async () => {
          await api.get(`${elsewhere}/v1/echo`).catch(() => undefined);
          const event = events.find(({ type }) => type === 'request-unauthenticated');
          return {
            code: event?.type,
            message: `works, ${event?.type === 'request-unauthenticated' ? `${event.reason} ${event.origin}` : ''}`,
          };
        },
      };
    },
    library: { code: 'request-unauthenticated', party: 'nobody', step: /origin http:\/\/localhost:\d+$/ },
  },
];
