import * as fc from 'fast-check';

import { installBipsyncAuth } from '../../src';
import { anything, FUZZ_TIMEOUT_MS, goodToken, parameters, rawServer, validConfig } from './support';

const HOUR_MS = 3_600_000;

const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -1, NaN, Infinity, -Infinity, 1e300));

const members = {
  v: fc.constantFrom<unknown[]>(1, 1, 1, 1, '1', 2, null),
  accessToken: fc.oneof(
    fc.stringMatching(/^[A-Za-z\d]{1,20}$/),
    fc.constantFrom<unknown[]>('a\r\nb', 'a b', '', 'undefined '),
    fc.jsonValue(),
  ),
  expiresAt: fc.oneof(
    number.map((n): unknown => n),
    fc.integer({ min: -10, max: 100 }).map((minutes): unknown => Date.now() + minutes * 60_000),
    fc.integer({ min: 1, max: 50 }).map((hours): unknown => Date.now() + hours * HOUR_MS),
    fc.jsonValue(),
  ),
  lifetimeMs: fc.oneof(
    number.map((n): unknown => n),
    fc.integer({ min: 1, max: 2 * HOUR_MS }),
    fc.integer({ min: 1, max: 50 }).map((hours): unknown => hours * HOUR_MS),
    fc.jsonValue(),
  ),
  extra: fc.jsonValue(),
};

const storedLike = fc.oneof(
  fc.record(members, { requiredKeys: ['v', 'accessToken', 'expiresAt', 'lifetimeMs'] }),
  fc.record(members, { requiredKeys: [] }),
);

/** `1e999` is how infinity gets into JSON. */
const toText = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) => (member === Infinity ? 'inf' : member)).replaceAll(
    '"inf"',
    '1e999',
  );

const stored = fc.oneof(
  { weight: 4, arbitrary: storedLike.map((value): unknown => toText(value)) },
  { weight: 2, arbitrary: storedLike },
  { weight: 1, arbitrary: fc.tuple(storedLike, fc.nat(80)).map(([value, n]) => toText(value).slice(0, n)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string() },
  { weight: 1, arbitrary: anything },
);

test(
  'whatever a store holds, a request has a token that may be sent and is not past its end',
  () =>
    fc.assert(
      fc.asyncProperty(stored, async (value) => {
        const { api, sent, tokenRequests } = rawServer(() => goodToken);
        const startedAt = Date.now();
        const auth = installBipsyncAuth(api, {
          ...validConfig,
          tokenStore: { get: () => Promise.resolve(value), set: () => Promise.resolve() },
        });
        await api.get('/v1/research');
        expect(sent).toHaveLength(1);
        expect(sent[0]).toMatch(/^Bearer [\w\-.~+/]+=*$/);
        const { expiresAt } = await auth.getToken();
        expect(expiresAt).toBeGreaterThan(startedAt);
        expect(expiresAt).toBeLessThanOrEqual(Date.now() + 24 * HOUR_MS);
        if (tokenRequests.length === 0) expect(JSON.stringify(value)).toContain(String(sent[0]).slice(7));
      }),
      parameters,
    ),
  FUZZ_TIMEOUT_MS,
);

const outcome = fc.oneof(
  fc.constant(() => Promise.resolve(undefined)),
  anything.map((value) => () => value),
  anything.map((value) => () => Promise.resolve(value)),
  anything.map((value) => () => Promise.reject(value as Error)),
  anything.map((value) => () => {
    throw value as Error;
  }),
);

test(
  'whatever a store does, a request has its token',
  async () => {
    jest.useFakeTimers();
    await fc.assert(
      fc.asyncProperty(outcome, outcome, fc.option(outcome, { nil: undefined }), async (get, set, lock) => {
        const { api, sent } = rawServer(() => goodToken);
        const tokenStore = { get, set, ...(lock && { lock }) } as never;
        installBipsyncAuth(api, { ...validConfig, tokenStore });
        // A lock that somebody holds is waited for, half the time there is.
        await Promise.all([api.get('/v1/research'), jest.advanceTimersByTimeAsync(10_000)]);
        expect(sent).toEqual(['Bearer good']);
      }),
      parameters,
    );
  },
  FUZZ_TIMEOUT_MS,
);

afterEach(() => jest.useRealTimers());
