/** What {@link mockBipsyncToken} needs of an axios-mock-adapter, which is not a dependency of this package. */
export interface BipsyncTokenMock {
  onPost(url: string | RegExp): { reply(answer: () => [status: number, body: object]): unknown };
}

/** What the mocked token endpoint answers. */
export interface MockBipsyncTokenOptions {
  /** The token, or a function asked at every token request; default `'mocked-bipsync-token'`. */
  accessToken?: string | (() => string) | undefined;
  /** Lifetime in seconds; default 3600. */
  expiresIn?: number | undefined;
  /** The token endpoint's URL; default: whatever ends in `/v1/oauth/token`. */
  tokenUrl?: string | RegExp | undefined;
}

const optionNames = ['accessToken', 'expiresIn', 'tokenUrl'];

/** What became of the mocked token endpoint. */
export interface MockedBipsyncToken {
  /** The token answered last; before that, the one to come, or `''` if a function makes it. */
  readonly accessToken: string;
  /** Token requests answered. */
  readonly tokenRequests: number;
}

/**
 * mockBipsyncToken lets an axios-mock-adapter answer token requests, so that an existing suite goes on working once
 * the plugin is installed. It may come before or after the suite's own handlers, catch-alls included, because it
 * puts itself first. `mock.reset()` and `mock.resetHandlers()` remove it like any handler: call it again after them.
 *
 * @example
 * const mock = new MockAdapter(api, { onNoMatch: 'throwException' });
 * const token = mockBipsyncToken(mock);
 * mock.onGet('/v1/research').reply(200, { data: [] });
 *
 * @throws TypeError if `mock` is no axios-mock-adapter, or if there is no such option.
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
  } = options;
  let latest = typeof accessToken === 'string' ? accessToken : '';
  let tokenRequests = 0;

  function answer(): [status: number, body: object] {
    tokenRequests += 1;
    if (typeof accessToken === 'function') latest = accessToken();
    return [200, { token_type: 'bearer', expires_in: expiresIn, access_token: latest }];
  }

  mock.onPost(tokenUrl).reply(answer);
  putFirst(mock, answer);
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
      'The first argument of mockBipsyncToken must be an axios-mock-adapter, as new MockAdapter(api) gives it.',
    );
  }
}

/** A misspelt option would be passed over in silence, and the suite would test something else. */
function refuseOtherOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`The options of mockBipsyncToken must be an object of ${optionNames.join(', ')}.`);
  }
  const others = Object.keys(options).filter((name) => !optionNames.includes(name));
  if (others.length > 0) {
    const named = others.map((name) => JSON.stringify(name)).join(', ');
    throw new TypeError(`mockBipsyncToken has no option ${named}, only ${optionNames.join(', ')}.`);
  }
}

/** axios-mock-adapter takes the first handler that matches, and keeps them in a list its types do not mention. */
function putFirst(mock: BipsyncTokenMock & { handlers?: unknown }, answer: () => unknown): void {
  const { handlers } = mock;
  if (!Array.isArray(handlers)) return;
  const own = handlers.findIndex((handler: { response?: unknown }) => handler.response === answer);
  if (own > 0) handlers.unshift(...(handlers.splice(own, 1) as unknown[]));
}
