import axios, { type InternalAxiosRequestConfig } from 'axios';
import * as fc from 'fast-check';

import {
  type BipsyncAuth,
  type BipsyncAuthConfig,
  type GetTokenOptions,
  installBipsyncAuth,
  isBipsyncAuthError,
} from '../../src';
import {
  anything,
  authErrorOf,
  echoesOf,
  FUZZ_TIMEOUT_MS,
  goodToken,
  parameters,
  rawServer,
  SECRET,
  validConfig,
} from './support';

const options = [
  ...['client', 'baseURL', 'tokenUrl', 'clientId', 'clientSecret', 'teamId', 'scopes', 'allowedOrigins'],
  ...['tokenEncoding', 'tokenTimeoutMs', 'refreshWindowMs', 'expiryMarginMs', 'tokenStore', 'onEvent'],
];

const plausible = fc.constantFrom<unknown[]>(
  'acme',
  `https://user:${SECRET}@acme.example`,
  `https://acme.example/#${SECRET}`,
  'http://127.0.0.1:1/v1',
  'https://[::1',
  'json',
  ['team_a', 'team_b'],
  'team_a team_b',
  [SECRET],
  SECRET,
  0,
  1,
  5000,
  { get: () => undefined, set: () => undefined },
  { get: () => Promise.reject(new Error(SECRET)), set: () => Promise.resolve() },
  () => SECRET,
  () => Promise.resolve(undefined),
  () => {
    throw new Error(SECRET);
  },
);

/** Something to be made anew for every run, and named without being looked at: some of it resists that. */
interface Made {
  name: string;
  make: () => unknown;
}

const asMade = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<Made> =>
  arbitrary.map((value) => ({ name: fc.stringify(value), make: () => value }));

const hostile: fc.Arbitrary<Made> = fc.constantFrom<Made[]>(
  { name: 'object whose reading throws', make: () => new Proxy({}, { get: throws }) },
  { name: 'array whose reading throws', make: () => new Proxy([], { get: throws }) },
  {
    name: 'array whose traps throw',
    make: () => new Proxy(['a'], { ownKeys: throws, has: throws, getPrototypeOf: throws }),
  },
  {
    name: 'function that throws whatever is done with it',
    make: () => new Proxy(() => SECRET, { get: throws, apply: throws }),
  },
  {
    name: 'revoked proxy',
    make: () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
  },
  { name: 'array with methods that throw', make: () => Object.assign([], { every: throws, map: throws }) },
  { name: 'array that turns bad', make: () => changing(['research:read'], [Symbol('s')]) },
  { name: 'origins that turn bad', make: () => changing(['https://a.example'], [{ toString: throws }]) },
  { name: 'store that throws', make: () => ({ get: throws, set: throws, lock: throws }) },
  {
    name: 'object without a text',
    make: () => ({ [Symbol.toPrimitive]: throws, toString: throws, valueOf: throws }),
  },
);

function throws(): never {
  throw new Error(SECRET);
}

/** An array that is another the second time it is read. */
function changing(first: unknown[], then: unknown[]): unknown[] {
  let reads = 0;
  return new Proxy(first, {
    get: (target, key): unknown => Reflect.get((reads += 1) > 4 ? then : target, key),
  });
}

const value = fc.oneof(
  { weight: 3, arbitrary: asMade(plausible) },
  { weight: 2, arbitrary: hostile },
  { weight: 2, arbitrary: asMade(anything) },
);

/** How an option gets into the object. */
type Way = 'plain' | 'getter' | 'throwing getter' | 'inherited' | 'unknown';

const change = fc.record({
  option: fc.constantFrom(...options),
  value,
  way: fc.constantFrom<Way[]>('plain', 'plain', 'plain', 'getter', 'throwing getter', 'inherited', 'unknown'),
});

interface Change {
  option: string;
  value: Made;
  way: Way;
}

function configWith(changes: Change[], base: object): object {
  const inherited = {};
  const config: object = Object.assign(Object.create(inherited) as object, base);
  for (const { option, value: made, way } of changes) {
    const value = made.make();
    const define = (descriptor: PropertyDescriptor): unknown =>
      Reflect.defineProperty(config, option, { ...descriptor, enumerable: true, configurable: true });
    if (way === 'plain') define({ value });
    else if (way === 'getter') define({ get: () => value });
    else if (way === 'throwing getter') define({ get: throws });
    else if (way === 'unknown') Reflect.set(config, `${option}Typo`, value);
    else {
      Reflect.deleteProperty(config, option);
      Reflect.defineProperty(inherited, option, { value });
    }
  }
  return config;
}

const madeFrom = (changes: Change[], base: object): Made => ({
  name: changes.map(({ option, way, value }) => `${option} (${way}) = ${value.name}`).join('; '),
  make: () => configWith(changes, base),
});

const configs = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.array(change, { minLength: 1, maxLength: 3 }).map((it) => madeFrom(it, validConfig)),
  },
  { weight: 1, arbitrary: fc.array(change, { maxLength: 6 }).map((it) => madeFrom(it, {})) },
  { weight: 1, arbitrary: hostile },
  { weight: 1, arbitrary: asMade(anything) },
);

function expectNoSecret(text: string): void {
  for (const echo of echoesOf(SECRET)) expect(text).not.toContain(echo);
}

test(
  'any configuration works, or is refused with ERR_BIPSYNC_CONFIG and changes nothing',
  () =>
    fc.assert(
      fc.asyncProperty(configs, async ({ make }) => {
        const config = make();
        const { api, sent } = rawServer(() => goodToken);
        let auth: BipsyncAuth;
        try {
          auth = installBipsyncAuth(api, config as BipsyncAuthConfig);
        } catch (error) {
          expect(isBipsyncAuthError(error) && error.code).toBe('ERR_BIPSYNC_CONFIG');
          expectNoSecret(String(error));
          expect(api.defaults.baseURL).toBeUndefined();
          // Nothing is left behind: the instance takes the plugin as if for the first time.
          installBipsyncAuth(api, validConfig);
          await api.get('/v1/research');
          expect(sent).toEqual(['Bearer good']);
          return;
        }
        const error = await authErrorOf(api.get('/v1/research', { timeout: 15_000 }));
        expect(sent).toEqual(error ? [] : ['Bearer good']);
        expectNoSecret(String(error));
        auth.invalidate();
        auth.eject();
      }),
      parameters,
    ),
  FUZZ_TIMEOUT_MS,
);

const plainOptions = asMade(
  fc.oneof(
    fc.record(
      {
        teamId: fc.oneof(
          fc.constantFrom<unknown[]>('b', 'team_b', 'team_', '', ' ', 'b c', 'b"', 'ü'),
          anything,
        ),
        scopes: fc.oneof(
          fc.array(fc.oneof(fc.constantFrom('x:read', 'team_b', 'a b', 'a\\b', ''), fc.string())),
          anything,
        ),
      },
      { requiredKeys: [] },
    ),
    anything,
  ),
);

function isMergeable(bipsyncAuth: unknown): boolean {
  try {
    axios.mergeConfig({}, { bipsyncAuth } as object);
    return true;
  } catch {
    return false;
  }
}

/** Of RFC 6749 §3.3, with exactly one team. */
function expectScope({ data }: InternalAxiosRequestConfig): void {
  const scopes = (new URLSearchParams(String(data)).get('scope') ?? '').split(' ');
  expect(scopes.filter((scope) => scope.startsWith('team_') && scope !== 'team_')).toHaveLength(1);
  for (const scope of scopes) expect(scope).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
  expect([...new Set(scopes)].sort()).toEqual(scopes);
}

test(
  'any options of a request are refused with ERR_BIPSYNC_CONFIG and nothing is sent, or they name one team',
  () =>
    fc.assert(
      fc.asyncProperty(fc.oneof(plainOptions, hostile), async ({ make }) => {
        const { api, sent, tokenRequests } = rawServer(() => goodToken);
        installBipsyncAuth(api, validConfig);
        const bipsyncAuth = make();
        // What axios itself cannot merge does not get as far as the plugin.
        if (!isMergeable(bipsyncAuth)) return;
        const error = await authErrorOf(api.get('/v1/research', { bipsyncAuth } as object));
        if (error) {
          expect(error.code).toBe('ERR_BIPSYNC_CONFIG');
          expect([sent, tokenRequests]).toEqual([[], []]);
          expectNoSecret(error.message);
        } else if (bipsyncAuth === false) {
          expect([sent, tokenRequests]).toEqual([[undefined], []]);
        } else {
          expect(sent).toEqual(['Bearer good']);
          tokenRequests.forEach(expectScope);
        }
      }),
      parameters,
    ),
  FUZZ_TIMEOUT_MS,
);

test(
  'any options of getToken are refused with ERR_BIPSYNC_CONFIG, or name one team',
  () =>
    fc.assert(
      fc.asyncProperty(plainOptions, async ({ make }) => {
        const { api, tokenRequests } = rawServer(() => goodToken);
        const auth = installBipsyncAuth(api, validConfig);
        // Like any function with an optional argument, it takes `undefined` but not `null`.
        const asked = (make() ?? undefined) as GetTokenOptions | undefined;
        const error = await authErrorOf(auth.getToken(asked));
        if (error) expect(error.code).toBe('ERR_BIPSYNC_CONFIG');
        tokenRequests.forEach(expectScope);
      }),
      parameters,
    ),
  FUZZ_TIMEOUT_MS,
);
