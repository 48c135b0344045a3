import * as fc from 'fast-check';

import { type BipsyncAuthEvent, installBipsyncAuth } from '../../src';
import { flush } from '../race/world';
import { authErrorOf, FUZZ_TIMEOUT_MS, goodToken, parameters, rawServer, validConfig } from './support';

const TIMEOUT_MS = 10_000;
const MAX_COOL_DOWN_MS = 300_000;

/** What a header can hold: tab, and what Latin-1 can print. */
const headerCharacter = fc.constantFrom(
  '\t',
  ...Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter((one) =>
    /[ -~\x80-\xff]/.test(one),
  ),
);

describe('Retry-After', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  interface Failed {
    /** Milliseconds at which the token endpoint was asked. */
    askedAt: number[];
    retryAfterMs: number | undefined;
    retryInMs: number;
  }

  async function failWith(status: number, retryAfter: string | string[]): Promise<Failed> {
    const startedAt = performance.now();
    const askedAt: number[] = [];
    const events: BipsyncAuthEvent[] = [];
    const server = rawServer(() => {
      askedAt.push(performance.now() - startedAt);
      return { status, headers: { 'Retry-After': retryAfter } };
    });
    installBipsyncAuth(server.api, {
      ...validConfig,
      tokenTimeoutMs: TIMEOUT_MS,
      onEvent: (event) => events.push(event),
    });
    let isOver = false;
    const failing = authErrorOf(server.api.get('/v1/research')).finally(() => (isOver = true));
    await flush();
    while (!isOver) {
      jest.advanceTimersToNextTimer();
      await flush();
    }
    const error = await failing;
    expect(error?.code).toBe('ERR_BIPSYNC_TOKEN_UNAVAILABLE');
    expect(performance.now() - startedAt).toBeLessThanOrEqual(TIMEOUT_MS);
    const [event] = events;
    if (event?.type !== 'token-failed') throw new Error('no event told of it');
    return { askedAt, retryAfterMs: error?.retryAfterMs, retryInMs: event.retryInMs };
  }

  const status = fc.constantFrom(429, 500, 503);
  const header = fc.oneof(
    fc.string(),
    fc.string({ unit: headerCharacter }),
    fc.array(fc.string(), { maxLength: 3 }),
    fc.integer().map(String),
    fc.double().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.constantFrom('', ' ', '-1', '1.5', '1e3', '0x10', '99999999999999999999', 'Infinity', 'now', '5, 5'),
  );

  test(
    'whatever it says, requests end in time, and the cool-down is between 0 s and 5 min',
    () =>
      fc.assert(
        fc.asyncProperty(status, header, async (code, value) => {
          const { askedAt, retryAfterMs = 0, retryInMs } = await failWith(code, value);
          expect(askedAt.length).toBeLessThanOrEqual(3);
          for (const ms of [retryAfterMs, retryInMs]) {
            expect(ms).toBeGreaterThanOrEqual(0);
            expect(ms).toBeLessThanOrEqual(MAX_COOL_DOWN_MS);
          }
        }),
        parameters,
      ),
    FUZZ_TIMEOUT_MS,
  );

  test(
    'seconds and dates are waited for if there is time, and are the cool-down if not',
    () =>
      fc.assert(
        fc.asyncProperty(status, fc.nat(1000), fc.boolean(), async (code, seconds, asDate) => {
          // Dates are in whole seconds.
          jest.setSystemTime(Math.ceil(Date.now() / 1000) * 1000);
          const value = asDate ? new Date(Date.now() + seconds * 1000).toUTCString() : String(seconds);
          const { askedAt, retryInMs } = await failWith(code, value);
          const waitMs = seconds * 1000;
          if (waitMs >= TIMEOUT_MS) {
            expect(askedAt).toHaveLength(1);
            expect(retryInMs).toBe(Math.min(waitMs, MAX_COOL_DOWN_MS));
          } else {
            expect(askedAt.length).toBeGreaterThan(1);
            expect(askedAt[1]! - askedAt[0]!).toBeGreaterThanOrEqual(waitMs);
          }
        }),
        parameters,
      ),
    FUZZ_TIMEOUT_MS,
  );
});

describe('WWW-Authenticate', () => {
  /** How often the API is asked when it answers 401 with this header first and 200 then. */
  async function attempts(header: string | string[]): Promise<number> {
    let asked = 0;
    const server = rawServer(
      () => goodToken,
      () => {
        asked += 1;
        return asked === 1 ? { status: 401, headers: { 'WWW-Authenticate': header } } : {};
      },
    );
    installBipsyncAuth(server.api, validConfig);
    await server.api.get('/v1/research').catch((error: unknown) => {
      expect(error).toMatchObject({
        response: { status: 401 },
        cause: { code: 'ERR_BIPSYNC_ACCESS_DENIED' },
      });
    });
    return asked;
  }

  test(
    'whatever it says, the request is sent again once or not at all',
    () => {
      const header = fc.oneof(
        fc.string({ unit: headerCharacter }),
        fc.array(fc.string(), { maxLength: 4 }),
        fc.stringMatching(
          /^(Bearer|Basic|[ ,="\\a-z]){0,30}(error ?= ?"?(insufficient_scope|invalid_token)"?)?$/,
        ),
      );
      return fc.assert(
        fc.asyncProperty(header, async (value) => {
          expect([1, 2]).toContain(await attempts(value));
        }),
        parameters,
      );
    },
    FUZZ_TIMEOUT_MS,
  );

  const token = fc.stringMatching(/^[a-z][a-z\d_-]{0,8}$/).filter((name) => name !== 'error');
  const quoted = fc.string().map((value) => `"${value.replace(/[^ -~]/g, '').replace(/["\\]/g, '\\$&')}"`);
  const parameter = fc
    .tuple(token, fc.constantFrom('=', ' = ', '= '), fc.oneof(token, quoted))
    .map((parts) => parts.join(''));
  const challenge = (scheme: fc.Arbitrary<string>, ...more: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
    fc
      .tuple(scheme, fc.array(parameter, { minLength: 1, maxLength: 3 }), ...more)
      .chain(([name, others, ...own]) =>
        fc
          .shuffledSubarray([...others, ...own], { minLength: others.length + own.length })
          .map((all) => `${name} ${all.join(', ')}`),
      );
  const bearer = fc.constantFrom('Bearer', 'bearer', 'BEARER');
  const otherScheme = token.filter((name) => name !== 'bearer');
  const insufficient = fc.constantFrom(
    'error="insufficient_scope"',
    'error=insufficient_scope',
    'Error = "insufficient_scope"',
  );
  const asHeader = (challenges: string[], inOneLine: boolean): string | string[] =>
    inOneLine ? challenges.join(', ') : challenges;

  test(
    'a Bearer challenge with insufficient_scope is found among others, and the request is not sent again',
    () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(challenge(otherScheme), { maxLength: 2 }),
          challenge(bearer, insufficient),
          fc.array(challenge(otherScheme), { maxLength: 2 }),
          fc.boolean(),
          async (before, own, after, inOneLine) => {
            expect(await attempts(asHeader([...before, own, ...after], inOneLine))).toBe(1);
          },
        ),
        parameters,
      ),
    FUZZ_TIMEOUT_MS,
  );

  test(
    'insufficient_scope in another scheme or in a quoted string does not count, and the request is sent again',
    () =>
      fc.assert(
        fc.asyncProperty(
          challenge(otherScheme, insufficient),
          challenge(bearer, fc.constant('realm="a, Bearer error=\\"insufficient_scope\\""')),
          fc.boolean(),
          async (other, own, inOneLine) => {
            expect(await attempts(asHeader([other, own], inOneLine))).toBe(2);
          },
        ),
        parameters,
      ),
    FUZZ_TIMEOUT_MS,
  );

  test.each(['a="', 'a=', '"\\', 'Bearer ', 'a = ', ' ', ',', 'Bearer error="\\'])(
    'a header that repeats %j a hundred thousand times takes less than a second to read',
    async (unit) => {
      const before = process.cpuUsage();
      await attempts(unit.repeat(100_000));
      // What others do on the same machine costs this process no time of its own.
      expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
    },
  );
});
