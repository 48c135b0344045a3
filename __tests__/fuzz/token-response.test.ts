import { Readable } from 'node:stream';

import * as fc from 'fast-check';

import { installBipsyncAuth } from '../../src';
import { skipPauses } from '../support/pauses';
import {
  authErrorOf,
  character,
  echoesOf,
  FUZZ_TIMEOUT_MS,
  parameters,
  rawServer,
  SECRET,
  validConfig,
} from './support';

skipPauses();

const accessToken = fc.oneof(
  fc.stringMatching(/^[A-Za-z\d\-._~+/]{1,40}={0,2}$/),
  fc.string(),
  fc.constantFrom('a\r\nX: y', 'a b', '=', 'a=b', 'ä', '', 'undefined', '\u0000'),
  fc.jsonValue(),
);

const tokenLike = fc.record(
  {
    access_token: accessToken,
    token_type: fc.oneof(fc.constantFrom('bearer', 'Bearer', 'BEARER'), fc.string(), fc.jsonValue()),
    expires_in: fc.oneof(
      fc.integer({ min: -10, max: 100_000 }),
      fc.double(),
      fc.constantFrom('3600', ' 60 ', '1e3', '0x10', '', 'soon', 'Infinity', '-Infinity', 'NaN'),
      fc.jsonValue(),
    ),
    __proto__: fc.jsonValue(),
    scope: fc.string(),
  },
  { requiredKeys: [] },
);

const text = fc.oneof(
  { weight: 4, arbitrary: tokenLike.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: character }) },
  // JSON that was cut, or has something behind it.
  {
    weight: 1,
    arbitrary: fc
      .tuple(tokenLike, fc.nat(60), fc.string())
      .map(([value, length, rest]) => JSON.stringify(value).slice(0, length) + rest),
  },
  { weight: 1, arbitrary: fc.constant('{"token_type":"bearer","access_token":"a","expires_in":1e999}') },
  { weight: 1, arbitrary: fc.constant('{"token_type":"bearer","access_token":"a","expires_in":-1e999}') },
);

/** Any bytes, in chunks that may part a character. */
const chunks = fc.oneof(
  fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }),
  fc.tuple(text, fc.integer({ min: 1, max: 7 })).map(([whole, size]) =>
    [...new TextEncoder().encode(whole)].reduce<Uint8Array[]>((parts, byte, at) => {
      if (at % size === 0) parts.push(Uint8Array.of(byte));
      else parts.push(Uint8Array.of(...(parts.pop() ?? []), byte));
      return parts;
    }, []),
  ),
);

/** What RFC 6749 §5.1 and RFC 6750 §2.1 make of an answer, written down a second time. */
function tokenIn(body: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { access_token: token, token_type: type, expires_in: expiresIn } = value as Record<string, unknown>;
  const isLifetime =
    expiresIn === undefined ||
    expiresIn === null ||
    typeof expiresIn === 'number' ||
    (typeof expiresIn === 'string' && expiresIn.trim() !== '' && !Number.isNaN(Number(expiresIn)));
  return typeof token === 'string' &&
    /^[\w\-.~+/]+=*$/.test(token) &&
    typeof type === 'string' &&
    /^bearer$/i.test(type) &&
    isLifetime
    ? token
    : undefined;
}

async function check(body: string, data: () => unknown): Promise<void> {
  const server = rawServer(() => ({ data: data() }));
  const auth = installBipsyncAuth(server.api, validConfig);
  const expected = tokenIn(body);
  const error = await authErrorOf(server.api.get('/v1/research'));
  expect(error?.code).toBe(expected === undefined ? 'ERR_BIPSYNC_TOKEN_RESPONSE' : undefined);
  expect(server.sent).toEqual(expected === undefined ? [] : [`Bearer ${expected}`]);
  if (expected === undefined) return;
  const { expiresAt } = await auth.getToken();
  expect(expiresAt).not.toBeNaN();
  expect(expiresAt).toBeLessThanOrEqual(Date.now() + 86_400_000);
}

test(
  'any text with 200 becomes a valid token or an error, and only a valid token is sent',
  () =>
    fc.assert(
      fc.asyncProperty(text, (body) => check(body, () => body)),
      parameters,
    ),
  FUZZ_TIMEOUT_MS,
);

test(
  'any bytes with 200 mean the same as their text, however they are cut into chunks',
  () =>
    fc.assert(
      fc.asyncProperty(chunks, (parts) =>
        check(new TextDecoder().decode(Buffer.concat(parts)), () => Readable.from(parts)),
      ),
      parameters,
    ),
  FUZZ_TIMEOUT_MS,
);

test(
  'whatever a mock answers instead of a body, the API gets a valid token or no request',
  () =>
    fc.assert(
      fc.asyncProperty(fc.oneof(tokenLike, fc.anything()), async (data) => {
        const server = rawServer(() => ({ data }));
        installBipsyncAuth(server.api, validConfig);
        const error = await authErrorOf(server.api.get('/v1/research'));
        const isToken = server.sent.length === 1 && /^Bearer [\w\-.~+/]+=*$/.test(String(server.sent[0]));
        expect(isToken).toBe(error === undefined);
        expect(server.sent.length).toBe(isToken ? 1 : 0);
      }),
      parameters,
    ),
  FUZZ_TIMEOUT_MS,
);

const refusal = fc.oneof(
  fc.record(
    {
      error: fc.jsonValue(),
      error_description: fc.jsonValue(),
      message: fc.jsonValue(),
      hint: fc.jsonValue(),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
);

test(
  'any answer with another status becomes an error of one line',
  () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 201, max: 428 }), refusal, async (status, body) => {
        const server = rawServer(() => ({ status, data: JSON.stringify(body) }));
        installBipsyncAuth(server.api, validConfig);
        const error = await authErrorOf(server.api.get('/v1/research'));
        expect(error).toMatchObject({ tokenEndpointStatus: status });
        // eslint-disable-next-line no-control-regex
        expect(error?.message).not.toMatch(/[\x00-\x1f\x7f]/);
        expect(error?.message.length).toBeLessThan(1000);
        expect(server.sent).toEqual([]);
      }),
      parameters,
    ),
  FUZZ_TIMEOUT_MS,
);

/** What a configuration accepts as a secret. */
const isSecret = (value: string): boolean => value.trim() !== '' && !/[\p{Cc}\ufeff]/u.test(value);

const secret = fc.oneof(
  fc.constant(SECRET),
  fc.string({ minLength: 8, maxLength: 40, unit: character }).filter(isSecret),
  fc.stringMatching(/^[ -~]{8,40}$/).filter(isSecret),
);

test(
  'however a server echoes the secret, no error repeats it',
  () =>
    fc.assert(
      fc.asyncProperty(
        secret,
        fc.constantFrom('form' as const, 'json' as const),
        fc.string(),
        fc.string(),
        fc.constantFrom('error', 'error_description', 'message', 'hint'),
        fc.nat(4),
        async (clientSecret, tokenEncoding, before, after, member, form) => {
          const server = rawServer(({ data }) => {
            const echo = [...echoesOf(clientSecret), String(data)][form] ?? '';
            return { status: 400, data: JSON.stringify({ [member]: `${before}${echo}${after}` }) };
          });
          installBipsyncAuth(server.api, { ...validConfig, clientSecret, tokenEncoding });
          const error = await authErrorOf(server.api.get('/v1/research'));
          const shown = [error?.message, error?.oauthError, error?.oauthErrorDescription].join('\n');
          for (const echo of echoesOf(clientSecret)) expect(shown).not.toContain(echo);
        },
      ),
      parameters,
    ),
  FUZZ_TIMEOUT_MS,
);
