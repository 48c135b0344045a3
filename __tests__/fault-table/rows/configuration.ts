import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { bipsyncAuthConfigFromEnv } from '../../../src';
import type { Environment } from '../../../src/cli/terminal';
import type { Party } from '../parties';
import type { Diagnosed, Row, Situation } from '../row';
import type { World } from '../world';

// Configuration, environment and secret file.

const inConfiguration = (step: RegExp): Diagnosed => ({ at: 'configuration', names: step, step: /BIPSYNC_/ });

/** An option that is wrong, and the same mistake in the environment if it can be made there. */
function option(
  title: string,
  differences: Record<string, unknown>,
  step: RegExp,
  mistake?: Environment,
  check: Diagnosed = inConfiguration(step),
): Row {
  return {
    title,
    fault: (world) => ({
      attempt: () => world.install(differences),
      ...(mistake && { env: { ...world.env, ...mistake } }),
    }),
    library: { code: 'ERR_BIPSYNC_CONFIG', party: 'the configuration', step },
    ...(mistake && { check }),
  };
}

/** A per-request option, or a request, that is rejected. */
function request(title: string, config: object, step: RegExp): Row {
  return {
    title,
    fault: (world) => ({ attempt: () => world.install().api.get('/v1/research', config) }),
    library: { code: 'ERR_BIPSYNC_CONFIG', party: 'the request', step },
  };
}

/** What the file of BIPSYNC_CLIENT_SECRET_FILE may be like. */
function secretFile(
  title: string,
  make: (file: string, world: World) => void,
  code: string,
  party: Party,
  step: RegExp,
  check?: Diagnosed,
): Row {
  return {
    title,
    fault: (world) => withSecretFile(world, make),
    library: { code, party, step },
    ...(check && { check }),
  };
}

function withSecretFile(world: World, make: (file: string, world: World) => void): Situation {
  const folder = mkdtempSync(join(tmpdir(), 'bipsync-auth-'));
  world.atEnd(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'secret');
  make(file, world);
  const env = {
    ...world.env,
    BIPSYNC_CLIENT_SECRET: undefined,
    BIPSYNC_CLIENT_SECRET_FILE: file,
  };
  return { attempt: () => world.install({ ...bipsyncAuthConfigFromEnv(env) }).auth.getToken(), env };
}

const inSecret = (step: RegExp): Diagnosed => ({ at: 'secret', names: /BIPSYNC_CLIENT_SECRET/, step });

const nothing = {
  baseURL: undefined,
  clientId: undefined,
  clientSecret: undefined,
  teamId: undefined,
  scopes: undefined,
};

export const configurationRows: Row[] = [
  {
    title: 'An empty environment names the first variable to set.',
    fault: (world) => ({
      attempt: () => world.install({ ...nothing, ...bipsyncAuthConfigFromEnv({}) }),
      env: {},
    }),
    library: {
      code: 'ERR_BIPSYNC_CONFIG',
      party: 'the configuration',
      step: /BIPSYNC_CLIENT_ID.*BIPSYNC_CLIENT_SECRET.*BIPSYNC_CLIENT.*BIPSYNC_BASE_URL.*BIPSYNC_TEAM_ID/,
    },
    check: { at: 'configuration', names: /No BIPSYNC_… variable is set/, step: /--env-file/ },
  },
  option(
    'A missing tenant asks for client or baseURL.',
    { baseURL: undefined },
    /client \(BIPSYNC_CLIENT\) or baseURL \(BIPSYNC_BASE_URL\) is required/,
    { BIPSYNC_BASE_URL: '' },
  ),
  option(
    'A whole host name as client asks for the subdomain alone.',
    { baseURL: undefined, client: 'acme-api.bipsync.com' },
    /client \(BIPSYNC_CLIENT\) must be only the subdomain \(letters, digits, hyphens\), for example acme for acme-api\.bipsync\.com/,
    { BIPSYNC_BASE_URL: '', BIPSYNC_CLIENT: 'acme-api.bipsync.com' },
  ),
  option(
    'A client next to a baseURL asks for one of them.',
    { client: 'acme' },
    /set client \(BIPSYNC_CLIENT\) or baseURL \(BIPSYNC_BASE_URL\), not both/,
    {
      BIPSYNC_CLIENT: 'acme',
    },
  ),
  option(
    'A base URL with http that is not a loopback one asks for https.',
    { baseURL: 'http://acme-api.bipsync.com' },
    /baseURL \(BIPSYNC_BASE_URL\) must use https/,
    { BIPSYNC_BASE_URL: 'http://acme-api.bipsync.com' },
  ),
  option(
    'A base URL without a scheme asks for an absolute URL.',
    { baseURL: 'acme-api.bipsync.com' },
    /baseURL \(BIPSYNC_BASE_URL\) must be an absolute URL that begins with https:/,
    { BIPSYNC_BASE_URL: 'acme-api.bipsync.com' },
  ),
  option(
    'A base URL with user info is rejected, and the user info is not repeated.',
    { baseURL: 'https://someone:pass-word@acme-api.bipsync.com' },
    /^(?!.*(someone|pass-word)).*baseURL \(BIPSYNC_BASE_URL\) must not contain a user name or password/,
    { BIPSYNC_BASE_URL: 'https://someone:pass-word@acme-api.bipsync.com' },
  ),
  option(
    'A base URL with a query is rejected.',
    { baseURL: 'https://acme-api.bipsync.com/?tenant=acme' },
    /baseURL \(BIPSYNC_BASE_URL\) must not have a query or a fragment/,
    { BIPSYNC_BASE_URL: 'https://acme-api.bipsync.com/?tenant=acme' },
  ),
  option(
    'A token URL with http asks for https.',
    { tokenUrl: 'http://login.example.com/token' },
    /tokenUrl must use https/,
  ),
  option(
    'A missing client id names its variable.',
    { clientId: undefined },
    /clientId \(BIPSYNC_CLIENT_ID\) is required: a string/,
    { BIPSYNC_CLIENT_ID: ' ' },
  ),
  option(
    'A client id with a tab in it names the character and its place.',
    { clientId: 'my\tclient' },
    /clientId \(BIPSYNC_CLIENT_ID\) contains a tab \(U\+0009\) at position 3/,
    { BIPSYNC_CLIENT_ID: 'my\tclient' },
  ),
  option(
    'A missing secret names its variable.',
    { clientSecret: undefined },
    /clientSecret \(BIPSYNC_CLIENT_SECRET\) is required/,
    { BIPSYNC_CLIENT_SECRET: '' },
    {
      at: 'secret',
      names: /BIPSYNC_CLIENT_SECRET is not set/,
      step: /Set it, or set BIPSYNC_CLIENT_SECRET_FILE to the path of a file/,
    },
  ),
  option(
    'A secret with a line break in it names the character, and not the secret.',
    { clientSecret: 'first\nsecond' },
    /clientSecret \(BIPSYNC_CLIENT_SECRET\) contains a line break \(U\+000A\) at position 6/,
    { BIPSYNC_CLIENT_SECRET: 'first\nsecond' },
    { at: 'secret', names: /clientSecret/, step: /a line break \(U\+000A\) at position 6/ },
  ),
  option(
    'A missing team names its variable.',
    { teamId: undefined },
    /teamId \(BIPSYNC_TEAM_ID\) is required/,
    { BIPSYNC_TEAM_ID: '' },
  ),
  option(
    'Two different teams are rejected, since a token is for one.',
    { scopes: ['team_other', 'rest_api:read'] },
    /must name only one team/,
    { BIPSYNC_SCOPES: 'team_other rest_api:read' },
  ),
  option(
    'A team id in quotes is rejected, and check says to remove the quotes.',
    { teamId: '"42"' },
    /teamId \(BIPSYNC_TEAM_ID\) may contain only visible ASCII characters, and no spaces, quotes or backslashes/,
    { BIPSYNC_TEAM_ID: '"42"' },
    { at: 'configuration', names: /BIPSYNC_TEAM_ID is in quotes/, step: /Remove the quotes/ },
  ),
  option(
    'A client id that is still the placeholder of the template asks for the real value.',
    { clientId: '…' },
    /clientId \(BIPSYNC_CLIENT_ID\) is still the placeholder …: replace it with your value/,
    { BIPSYNC_CLIENT_ID: '…' },
  ),
  option(
    'A misspelt option is named, with the options that exist.',
    { clientID: 'my-client' },
    /unknown option "clientID" \(the options are client, baseURL, tokenUrl, clientId/,
  ),
  option(
    'A time-out of 0 ms is rejected with the range.',
    { tokenTimeoutMs: 0 },
    /tokenTimeoutMs must be a number of milliseconds from 1 to 300000/,
  ),
  option(
    'An encoding other than form and json names the two.',
    { tokenEncoding: 'xml' },
    /tokenEncoding must be 'form' or 'json'/,
  ),
  option(
    'An allowed origin with a path asks for origins alone.',
    { allowedOrigins: ['https://files.example.com/v1'] },
    /allowedOrigins must contain only origins, without a path, a query or a wildcard/,
  ),
  option('A listener that is not a function is rejected.', { onEvent: 'log' }, /onEvent must be a function/),
  {
    title: 'An instance that sends to another host is rejected with both origins.',
    fault: (world) => ({
      attempt: () => world.install({}, { baseURL: 'https://elsewhere.example.com' }),
    }),
    library: {
      code: 'ERR_BIPSYNC_CONFIG',
      party: 'the configuration',
      step: /sends requests to https:\/\/elsewhere\.example\.com, but the token is for http:\/\/127\.0\.0\.1:\d+: remove the instance.s baseURL, or use a separate instance/,
    },
  },
  {
    title: 'An instance with Basic authentication asks to remove it.',
    fault: (world) => ({
      attempt: () => world.install({}, { auth: { username: 'someone', password: 'pass-word' } }),
    }),
    library: {
      code: 'ERR_BIPSYNC_CONFIG',
      party: 'the configuration',
      step: /remove `defaults\.auth` from the axios instance/,
    },
  },
  request(
    'A misspelt option of one request is named, and nothing is sent.',
    { bipsyncAuth: { team: '42' } },
    /nothing was sent: unknown option "team" \(the options are teamId, scopes\)/,
  ),
  request(
    'Two teams in one request are rejected.',
    { bipsyncAuth: { teamId: '1', scopes: ['team_2'] } },
    /nothing was sent: teamId and scopes must name only one team/,
  ),
  request(
    'A request with Basic authentication says that the token would get lost.',
    { auth: { username: 'someone', password: 'pass-word' } },
    /^(?!.*pass-word).*auth/,
  ),
  {
    title: 'A misspelt option of getToken is named.',
    fault: (world) => ({
      attempt: () => world.install().auth.getToken({ scope: 'rest_api:read' } as object),
    }),
    library: {
      code: 'ERR_BIPSYNC_CONFIG',
      party: 'the options of getToken',
      step: /unknown option "scope" \(the options are teamId, scopes, signal\)/,
    },
  },

  {
    title: 'A secret and a secret file that are both set ask to unset one.',
    fault: (world) => {
      const env = { ...world.env, BIPSYNC_CLIENT_SECRET_FILE: '/run/secrets/bipsync' };
      return { attempt: () => bipsyncAuthConfigFromEnv(env), env };
    },
    library: { code: 'ERR_BIPSYNC_CONFIG', party: 'the environment variables', step: /Unset one of them/ },
    check: inSecret(/Unset one of them/),
  },
  secretFile(
    'A secret file that does not exist is named, with the reason.',
    () => undefined,
    'ERR_BIPSYNC_CONFIG',
    'the secret file',
    /the file could not be read \(ENOENT\)\..*not the secret\. Check the path and the permissions/,
    inSecret(/ENOENT.*Check the path and the permissions/),
  ),
  {
    title: 'A secret in the place of its path is not repeated, and asks for a path.',
    fault: (world) => {
      const { clientSecret } = world.emulator;
      const env = {
        ...world.env,
        BIPSYNC_CLIENT_SECRET: undefined,
        BIPSYNC_CLIENT_SECRET_FILE: clientSecret,
      };
      return { attempt: () => bipsyncAuthConfigFromEnv(env), env };
    },
    library: {
      code: 'ERR_BIPSYNC_CONFIG',
      party: 'the secret file',
      step: /The variable must contain the path of a file, not the secret/,
    },
    check: inSecret(/the path of a file, not the secret/),
  },
  secretFile(
    'A folder instead of a secret file is named, with the reason.',
    (file) => mkdirSync(file),
    'ERR_BIPSYNC_CONFIG',
    'the secret file',
    /could not be read \(EISDIR\)/,
    inSecret(/EISDIR/),
  ),
  secretFile(
    'An empty secret file asks for the secret to be written into it.',
    (file) => writeFileSync(file, '\n'),
    'ERR_BIPSYNC_CONFIG',
    'the secret file',
    /is empty\. Write only the secret into the file/,
    inSecret(/is empty/),
  ),
  secretFile(
    'A file of 17 kB is no secret file, and asks for the right one.',
    (file) => writeFileSync(file, 'x'.repeat(17_000)),
    'ERR_BIPSYNC_CONFIG',
    'the secret file',
    /is larger than 16384 bytes\. Check the path/,
    inSecret(/larger than 16384 bytes/),
  ),
  secretFile(
    'A secret file with two lines is reported with the place of the line break.',
    (file) => writeFileSync(file, 'one\ntwo\n'),
    'ERR_BIPSYNC_CONFIG',
    'the secret file',
    /the file contains a line break \(U\+000A\) at position 4\. Write only the secret into the file/,
    inSecret(/contains a line break \(U\+000A\) at position 4/),
  ),
  secretFile(
    'A secret file that begins with a byte order mark is reported with that mark.',
    (file, { emulator }) => writeFileSync(file, `\ufeff${emulator.clientSecret}\n`),
    'ERR_BIPSYNC_CONFIG',
    'the secret file',
    /the file contains a byte order mark \(U\+FEFF\) at position 1\. Write only the secret into the file/,
    inSecret(/contains a byte order mark/),
  ),
  secretFile(
    'A secret file with a whole line of a .env file asks for the secret alone.',
    (file, { emulator }) => writeFileSync(file, `BIPSYNC_CLIENT_SECRET=${emulator.clientSecret}\n`),
    'ERR_BIPSYNC_CONFIG',
    'the secret file',
    /the name of a variable, as in a file \.env\. Write only the secret into the file/,
    inSecret(/the name of a variable, as in a file \.env/),
  ),
  {
    title: 'A secret file that vanishes after the start fails the next token request by name.',
    fault: (world) => {
      const situation = withSecretFile(world, (file) => writeFileSync(file, world.emulator.clientSecret));
      const file = String(situation.env?.['BIPSYNC_CLIENT_SECRET_FILE']);
      const { auth } = world.install({ ...bipsyncAuthConfigFromEnv(situation.env) });
      rmSync(file);
      return { attempt: () => auth.getToken() };
    },
    library: { code: 'ERR_BIPSYNC_SECRET', party: 'the secret file', step: /ENOENT.*Check the path/ },
  },
  {
    title: 'A secret file that gets a second line after the start fails the next token request by name.',
    fault: (world) => {
      const situation = withSecretFile(world, (file) => writeFileSync(file, world.emulator.clientSecret));
      const { auth } = world.install({ ...bipsyncAuthConfigFromEnv(situation.env) });
      writeFileSync(String(situation.env?.['BIPSYNC_CLIENT_SECRET_FILE']), 'one\ntwo\n');
      return { attempt: () => auth.getToken() };
    },
    library: {
      code: 'ERR_BIPSYNC_SECRET',
      party: 'the secret file',
      step: /contains a line break \(U\+000A\) at position 4\. Write only the secret into the file/,
    },
  },
  {
    title: 'A secret function that throws is named, and what it threw is not repeated.',
    fault: (world) => {
      const clientSecret = (): never => {
        throw new Error(world.emulator.clientSecret);
      };
      return { attempt: () => world.install({ clientSecret }).api.get('/v1/research') };
    },
    library: {
      code: 'ERR_BIPSYNC_SECRET',
      party: 'the secret function',
      step: /threw an error\..*Call the function directly to see the error/,
    },
  },
  {
    title: 'A secret function that returns nothing says what it must return.',
    fault: (world) => ({
      attempt: () => world.install({ clientSecret: () => undefined }).api.get('/v1/research'),
    }),
    library: {
      code: 'ERR_BIPSYNC_SECRET',
      party: 'the secret function',
      step: /It must return the secret, or a promise of the secret/,
    },
  },
  {
    title: 'A secret function that returns two lines says that only the secret may be returned.',
    fault: (world) => ({
      attempt: () => world.install({ clientSecret: () => 'one\ntwo' }).api.get('/v1/research'),
    }),
    library: {
      code: 'ERR_BIPSYNC_SECRET',
      party: 'the secret function',
      step: /contains a line break \(U\+000A\) at position 4\. It must return only the secret/,
    },
  },
  {
    title: 'A secret function that never answers is among what may be slow, with the option to change.',
    fault: (world) => ({
      attempt: () =>
        world
          .install({ tokenTimeoutMs: 100, clientSecret: () => new Promise(() => undefined) })
          .api.get('/v1/research'),
    }),
    library: {
      code: 'ERR_BIPSYNC_TOKEN_UNAVAILABLE',
      party: 'something slow',
      step: /within 100 ms \(tokenTimeoutMs\).*too slow: the network, the clientSecret function or file/,
    },
  },
];
