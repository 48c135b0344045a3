import type axios from 'axios';

import { rejection, scripted } from '../support/scripted';

/** How often the API is asked where it answers 401 with this challenge: once if it is never sent again. */
async function attempts(challenge: unknown): Promise<number> {
  const state = scripted();
  state.onApi = () => ({ status: 401, headers: { 'WWW-Authenticate': challenge as string } });
  await rejection(state.api.get('/v1/research'));
  return state.apiRequests.length;
}

describe('14. a challenge, read as RFC 6750 and RFC 9110 write it,', () => {
  it.each<[string, unknown]>([
    ['quoted', 'Bearer error="insufficient_scope"'],
    ['unquoted, in capitals', 'BEARER ERROR=insufficient_scope'],
    ['with white space about', 'Bearer realm="x" ,  error = "insufficient_scope"'],
    [
      'after a quoted string that holds commas, quotes and another error',
      String.raw`Bearer realm="a, \"error=invalid_token\"", error="insufficient_scope"`,
    ],
    ['after another scheme', 'Basic realm="x", Bearer error="insufficient_scope"'],
    ['in the second of two headers, both unquoted', ['Basic realm=x', 'Bearer error=insufficient_scope']],
    ['in the second of two headers', ['Basic realm="x"', 'Bearer error="insufficient_scope"']],
    [
      'in the first of two headers',
      ['Bearer error="insufficient_scope"', 'Basic realm="x", error="invalid_token"'],
    ],
  ])('a challenge with insufficient_scope (%s) forbids a replay', async (_how, challenge) => {
    expect(await attempts(challenge)).toBe(1);
  });

  it.each<[string, unknown]>([
    ['no challenge', undefined],
    ['an empty one', ''],
    ['no error', 'Bearer realm="x"'],
    ['another error', 'Bearer error="invalid_token"'],
    ['an error of its own making', 'Bearer error="insufficient_scope_of_view"'],
    ['another parameter', 'Bearer error_description="insufficient_scope"'],
    ['the words in a quoted string', 'Bearer realm="error=insufficient_scope"'],
    ['another scheme', 'Basic error="insufficient_scope"'],
    ['no scheme', 'error="insufficient_scope"'],
    ['the first of two errors', 'Bearer error="invalid_token", error="insufficient_scope"'],
    ['beyond 8 kB', `Bearer realm="${'x'.repeat(8192)}", error="insufficient_scope"`],
  ])('a challenge without insufficient_scope (%s) allows a replay', async (_how, challenge) => {
    expect(await attempts(challenge)).toBe(2);
  });
});

describe('headers that only look like others', () => {
  it('headers of the same length as Authorization stay where they are', async () => {
    const state = scripted();
    state.onApi = (request) => {
      expect(request.headers.get('X-Tracing-Ids')).toBe('t');
      return {};
    };
    await state.api.get('/v1/x', { headers: { 'X-Tracing-Ids': 't' } });
    expect(state.events.map(({ type }) => type)).toEqual(['token-acquired']);
  });

  it('headers of the same length as WWW-Authenticate are not read as challenges', async () => {
    const state = scripted();
    state.onApi = () => ({
      status: 401,
      headers: { 'X-Authentication': 'Bearer error="insufficient_scope"' },
    });
    await rejection(state.api.get('/v1/x'));
    expect(state.apiRequests).toHaveLength(2);
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['of no text', { 'WWW-Authenticate': [Symbol('x'), 7, null] }],
  ])('no challenge is read if there are no headers (%s)', async (_what, headers) => {
    const state = scripted();
    const { adapter } = state.api.defaults;
    state.api.defaults.adapter = async (request) => ({
      ...(await (adapter as (config: typeof request) => Promise<axios.AxiosResponse>)(request)),
      headers: headers as never,
    });
    state.onApi = () => ({ status: state.apiRequests.length === 1 ? 401 : 200 });
    const { status } = await state.api.get('/v1/x', { validateStatus: () => true });
    expect(status).toBe(200);
  });
});
