import * as fc from 'fast-check';

/** What the token endpoint answers; `sameAgain` issues the latest token of the key once more. */
export type TokenAnswer =
  | { kind: 'token'; expiresIn: number | undefined; sameAgain: boolean }
  | { kind: 'refusal'; status: 400 | 401 | 403 }
  | { kind: 'unavailable'; retryAfterS: number | undefined }
  | { kind: 'network error' }
  | { kind: 'rubbish' };

/** What the API answers; `honest` is 200 for a token that was not revoked, 401 for one that was. */
export type ApiAnswer =
  'honest' | 'ok' | '401' | '401 invalid_token' | '401 insufficient_scope' | '500' | 'network error';

export interface RequestPlan {
  team: 'a' | 'b' | 'c';
  method: 'get' | 'post';
  path: string;
  /** `elsewhere` goes to another origin, `untouched` has `bipsyncAuth: false`. */
  route: 'home' | 'elsewhere' | 'untouched';
  /** For the first and the second attempt. */
  answers: readonly [ApiAnswer, ApiAnswer];
  oneShotBody: boolean;
  /** Lets a 401 through as a success. */
  lenient: boolean;
  timeoutMs: number | undefined;
}

type Landmark = 'refresh window' | 'margin' | 'expiry' | 'retry';

/** One thing that happens beside the answers; the scheduler decides when, in this order. */
export type Action =
  | ({ kind: 'request' } & RequestPlan)
  | { kind: 'get token'; team: 'a' | 'b' | 'c' }
  | { kind: 'pass'; ms: number }
  /** Until so many milliseconds from a landmark of the latest token, or of the latest failure. */
  | { kind: 'pass until'; landmark: Landmark; offsetMs: number }
  /** Moves the wall clock alone. */
  | { kind: 'jump'; ms: number }
  | { kind: 'revoke' }
  | { kind: 'invalidate' }
  | { kind: 'cancel'; nth: number }
  | { kind: 'eject' };

export interface Scenario {
  actions: Action[];
  tokenAnswers: TokenAnswer[];
  /** How many microtasks run between one event and the next; `all` lets everything settle. */
  depths: (number | 'all')[];
}

const often = <T>(
  weight: number,
  arbitrary: fc.Arbitrary<T>,
): { weight: number; arbitrary: fc.Arbitrary<T> } => ({
  weight,
  arbitrary,
});

const tokenAnswer: fc.Arbitrary<TokenAnswer> = fc.oneof(
  often(
    6,
    fc.record({
      kind: fc.constant('token' as const),
      expiresIn: fc.constantFrom(3600, 3600, undefined, 600, 60, 20, 1, 0, -5, 1e9),
      sameAgain: fc.nat(5).map((n) => n === 5),
    }),
  ),
  often(1, fc.record({ kind: fc.constant('refusal' as const), status: fc.constantFrom(400, 401, 403) })),
  often(
    2,
    fc.record({
      kind: fc.constant('unavailable' as const),
      retryAfterS: fc.constantFrom(undefined, undefined, 0, 2, 20, 900),
    }),
  ),
  often(1, fc.constant({ kind: 'network error' as const })),
  often(1, fc.constant({ kind: 'rubbish' as const })),
);

const apiAnswer: fc.Arbitrary<ApiAnswer> = fc.oneof(
  often(8, fc.constant('honest' as const)),
  often(2, fc.constant('ok' as const)),
  often(4, fc.constant('401' as const)),
  often(2, fc.constant('401 invalid_token' as const)),
  often(1, fc.constant('401 insufficient_scope' as const)),
  often(1, fc.constantFrom('500' as const, 'network error' as const)),
);

const seldom = (most: number): fc.Arbitrary<boolean> => fc.nat(most).map((n) => n === most);

const team = fc.constantFrom('a' as const, 'a' as const, 'a' as const, 'b' as const, 'c' as const);

/** Six resources: what differs from the third segment on belongs to the same one. */
const resource = fc.constantFrom(
  ...(['/v1/research', '/v1/research', '/v1/research', '/v1/research/7', '/v3/ingest/crm'] as const).map(
    (path) => ({
      method: 'post' as const,
      path,
    }),
  ),
  ...(['/v1/research', '/v1/user', '/v1/field', '/v2/group/1'] as const).map((path) => ({
    method: 'get' as const,
    path,
  })),
);

const plan = fc.record({
  team,
  route: fc.oneof(
    often(12, fc.constant('home' as const)),
    often(1, fc.constantFrom('elsewhere' as const, 'untouched' as const)),
  ),
  answers: fc.tuple(apiAnswer, apiAnswer),
  oneShotBody: seldom(9),
  lenient: seldom(9),
  timeoutMs: fc.constantFrom(undefined, undefined, undefined, undefined, 400, 5000),
});

const request: fc.Arbitrary<Action> = fc
  .tuple(plan, resource)
  .map(([rest, { method, path }]) => ({ kind: 'request', method, path, ...rest }));

const passUntil: fc.Arbitrary<Action> = fc.record({
  kind: fc.constant('pass until' as const),
  landmark: fc.constantFrom<Landmark[]>('refresh window', 'refresh window', 'margin', 'expiry', 'retry'),
  offsetMs: fc.constantFrom(-1, 0, 1),
});

const action: fc.Arbitrary<Action> = fc.oneof(
  often(12, request),
  often(1, fc.record({ kind: fc.constant('get token' as const), team })),
  often(
    3,
    fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 100, 300, 999, 1000, 2000, 5000, 10_000, 30_000, 60_000, 600_000, 3_600_000),
    }),
  ),
  often(
    2,
    fc.record({
      kind: fc.constant('jump' as const),
      ms: fc.constantFrom(-86_400_000, -3_600_000, -60_000, -1, 1, 60_000, 3_300_000, 3_600_000, 86_400_000),
    }),
  ),
  often(1, fc.constant({ kind: 'revoke' as const })),
  often(1, fc.constant({ kind: 'invalidate' as const })),
  often(2, fc.record({ kind: fc.constant('cancel' as const), nth: fc.nat(9) })),
);

/** What makes a moment matter is a request in it. */
const step: fc.Arbitrary<Action[]> = fc.oneof(
  often(
    5,
    action.map((single) => [single]),
  ),
  often(1, fc.tuple(passUntil, request)),
);

/** Ejection, if any, comes late: afterwards there is little left to go wrong. */
export const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    steps: fc.array(step, { minLength: 1, maxLength: 20, size: 'max' }),
    afterEject: fc.oneof(
      often(4, fc.constant<Action[]>([])),
      often(
        1,
        fc.array(action, { maxLength: 3 }).map((rest): Action[] => [{ kind: 'eject' }, ...rest]),
      ),
    ),
    tokenAnswers: fc.array(tokenAnswer, { maxLength: 12, size: 'max' }),
    depths: fc.array(fc.constantFrom<(number | 'all')[]>('all', 'all', 0, 1, 2, 3, 5, 8, 13), {
      maxLength: 30,
      size: 'max',
    }),
  })
  .map(({ steps, afterEject, tokenAnswers, depths }) => ({
    actions: [...steps.flat(), ...afterEject],
    tokenAnswers,
    depths,
  }));
