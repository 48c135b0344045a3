import { ownOptions } from './own-options';

/** The part of an axios-mock-adapter that {@link mockBipsyncToken} uses. axios-mock-adapter is not a dependency of this package. */
export interface BipsyncTokenMock {
  onPost(url: string | RegExp): {
    reply(answer: (config: object) => [status: number, body: object]): unknown;
  };
}

/** What an axios-mock-adapter has besides, in its versions 1 and 2; its types leave most of it out. */
interface MockInternals extends BipsyncTokenMock {
  axiosInstance?: { defaults: { adapter?: unknown } };
  adapter?: () => unknown;
  onNoMatch?: unknown;
  /** A list of handlers, or one list for each method. */
  handlers?: object;
  /** A list of request configs, or one list for each method. */
  history?: object;
}

/** The options of {@link mockBipsyncToken}: what the mocked token endpoint answers. */
export interface MockBipsyncTokenOptions {
  /** The token, or a function that is called at every token request. Default: `'mocked-bipsync-token'`. */
  accessToken?: string | (() => string) | undefined;
  /** Lifetime in seconds. Default: 3600. */
  expiresIn?: number | undefined;
  /** The token endpoint's URL. Default: every URL that ends in `/v1/oauth/token`. */
  tokenUrl?: string | RegExp | undefined;
}

const optionNames = ['accessToken', 'expiresIn', 'tokenUrl'];

/** The plugin trusts an adapter with this property to reach no network, and so no proxy. */
const mockMark = Symbol.for('axios-bipsync-auth.mock');

/** What the mocked token endpoint has answered. */
export interface MockedBipsyncToken {
  /** The token of the last answer. Before the first answer: the configured token, or `''` if it comes from a function. */
  readonly accessToken: string;
  /** The number of answered token requests. */
  readonly tokenRequests: number;
}

/**
 * mockBipsyncToken makes an axios-mock-adapter answer token requests, so an existing test suite still works with the plugin.
 * You can call it before or after the suite's own handlers, because it puts its handler first. `mock.reset()` and
 * `mock.resetHandlers()` remove this handler too: call mockBipsyncToken again after them.
 *
 * `mock.history` contains only the application's requests. Token requests are removed from it.
 *
 * @example
 * ```ts
 * const mock = new MockAdapter(api, { onNoMatch: 'throwException' });
 * const token = mockBipsyncToken(mock);
 * mock.onGet('/v1/research').reply(200, { total: 0, offset: 0, limit: 10, results: [] });
 * ```
 *
 * @throws TypeError if `mock` is not an axios-mock-adapter, or if an option is unknown.
 */
export function mockBipsyncToken(
  mock: BipsyncTokenMock,
  options: MockBipsyncTokenOptions = {},
): MockedBipsyncToken {
  refuseOther(mock);
  refuseOtherOptions(options);
  const {
    accessToken = 'mocked-bipsync-token',
    expiresIn = 3600,
    tokenUrl = /\/v1\/oauth\/token$/,
  } = ownOptions(options);
  let latest = typeof accessToken === 'string' ? accessToken : '';
  let tokenRequests = 0;

  function answer(config: object): [status: number, body: object] {
    tokenRequests += 1;
    forget(mock, config);
    if (typeof accessToken === 'function') latest = accessToken();
    return [200, { token_type: 'bearer', expires_in: expiresIn, access_token: latest }];
  }

  mock.onPost(tokenUrl).reply(answer);
  putFirst(mock, answer);
  markAsMock(mock);
  return {
    get accessToken() {
      return latest;
    },
    get tokenRequests() {
      return tokenRequests;
    },
  };
}

function refuseOther(mock: unknown): void {
  const { onPost } = (mock ?? {}) as Partial<BipsyncTokenMock>;
  if (typeof onPost !== 'function') {
    throw new TypeError(
      'The first argument of mockBipsyncToken must be an axios-mock-adapter, as new MockAdapter(api) returns it.',
    );
  }
}

/** A misspelt option would be passed over in silence, and the suite would test something else. */
function refuseOtherOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `The options of mockBipsyncToken must be an object. The options are ${optionNames.join(', ')}.`,
    );
  }
  const others = Object.keys(options).filter((name) => !optionNames.includes(name));
  if (others.length > 0) {
    const named = others.map((name) => JSON.stringify(name)).join(', ');
    throw new TypeError(
      `mockBipsyncToken: unknown option ${named}. The options are ${optionNames.join(', ')}.`,
    );
  }
}

/** axios-mock-adapter takes the first handler that matches. */
function putFirst(mock: MockInternals, answer: unknown): void {
  for (const handlers of listsOf(mock.handlers)) {
    const own = handlers.findIndex((handler) => Object.values(handler).includes(answer));
    if (own > 0) handlers.unshift(...handlers.splice(own, 1));
  }
}

function forget(mock: MockInternals, config: object): void {
  for (const configs of listsOf(mock.history)) {
    const own = configs.indexOf(config);
    if (own >= 0) configs.splice(own, 1);
  }
}

/** The mark is an accessor: a mock that begins to let requests through, or that was wrapped, is no longer trusted. */
function markAsMock(mock: MockInternals): void {
  const adapter = mock.axiosInstance?.defaults.adapter;
  if (typeof adapter !== 'function' || String(adapter) !== String(mock.adapter?.())) return;
  Object.defineProperty(adapter, mockMark, { get: () => answersAll(mock), configurable: true });
}

/** Whether no request passes through to a network. What kind of handler is not known counts as one that lets it pass. */
function answersAll({ onNoMatch, handlers }: MockInternals): boolean {
  const lists = listsOf(handlers);
  return onNoMatch !== 'passthrough' && lists.length > 0 && lists.every((list) => list.every(hasAnswer));
}

/** Version 1 keeps a handler as a list that begins with URL, body and headers; version 2 as an object. */
function hasAnswer(handler: object): boolean {
  return Array.isArray(handler) ? handler.length > 3 : Object.hasOwn(handler, 'response');
}

function listsOf(lists: object | undefined): object[][] {
  return Array.isArray(lists) ? [lists as object[]] : (Object.values(lists ?? {}) as object[][]);
}
