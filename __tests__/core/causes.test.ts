import { inspect } from 'node:util';

import axios, { type InternalAxiosRequestConfig } from 'axios';

import { rejection, scripted } from '../support/scripted';

describe("a 401's cause", () => {
  it('is an own property like any other, but is not enumerated', async () => {
    const state = scripted({ scopes: ['users:read'] });
    state.onApi = () => ({ status: 401 });
    const error = await rejection(state.api.get('/v1/x'));
    expect(Object.getOwnPropertyDescriptor(error, 'cause')).toMatchObject({
      enumerable: false,
      writable: true,
      configurable: true,
    });
    expect(error.cause).toMatchObject({ code: 'ERR_BIPSYNC_ACCESS_DENIED', status: 401 });
    expect((error.cause as Error).message).toBe(
      'The API refuses tokens it issued a moment ago, or says that their scope does not suffice. The scopes asked for ' +
        'are "team_a1 users:read": check what this endpoint needs and what the client was granted.',
    );
  });

  it('is not there where there is nothing to tell', async () => {
    const state = scripted();
    state.onApi = () => ({ status: 500 });
    expect('cause' in (await rejection(state.api.get('/v1/x')))).toBe(false);
  });
});

describe('20. what an error leads to', () => {
  /** An error of an adapter that wraps another `depth` times. */
  const wrapped = (config: InternalAxiosRequestConfig, depth: number): Error => {
    let error: Error = new axios.AxiosError('innermost', 'ERR_X', config);
    for (let level = 0; level < depth; level += 1) error = new Error(`level ${level}`, { cause: error });
    return error;
  };

  it.each([0, 1, 5])('shows no token, %d causes down', async (depth) => {
    const state = scripted();
    state.onApi = (request) => wrapped(request, depth);
    const error = await rejection(state.api.get('/v1/x'));
    expect(inspect(error, { depth: 20 })).not.toContain('token-1');
    expect(state.sent).toEqual(['Bearer token-1']);
  });

  it('may lead back to itself', async () => {
    const state = scripted();
    state.onApi = (request) => {
      const error = wrapped(request, 1);
      (error.cause as Error).cause = error;
      return error;
    };
    const error = await rejection(state.api.get('/v1/x'));
    expect(inspect(error, { depth: 20 })).not.toContain('token-1');
  });

  it('may be no answer', async () => {
    const state = scripted();
    state.onApi = (request) => Object.assign(wrapped(request, 0), { response: null });
    const error = await rejection(state.api.get('/v1/x'));
    expect(error.message).toBe('innermost');
    expect(inspect(error, { depth: 20 })).not.toContain('token-1');
  });

  it('shows no token where the answer alone has the config', async () => {
    const state = scripted();
    state.onApi = (config) =>
      Object.assign(new Error('bare'), {
        response: { status: 500, config, data: 'text', headers: {}, request: { _header: 'Bearer token-1' } },
      });
    const error = await rejection(state.api.get('/v1/x'));
    expect(inspect(error, { depth: 20 })).not.toContain('token-1');
    expect(Object.getOwnPropertyNames(error)).not.toContain('config');
    expect(Object.getOwnPropertyNames(error)).not.toContain('request');
  });

  it.each(['httpAgent', 'httpsAgent'])('shows nothing of what else its %s has under way', async (name) => {
    const under = [{ _header: 'Authorization: Bearer token-1' }];
    const agent = { sockets: { a: under }, freeSockets: { a: under }, requests: { a: under }, maxSockets: 7 };
    const state = scripted();
    state.onApi = (config) => new axios.AxiosError('failed', 'ERR_X', config);
    const error = await rejection(state.api.get('/v1/x', { [name]: agent }));
    expect(inspect(error, { depth: 20 })).not.toContain('token-1');
    expect(inspect(error, { depth: 20 })).toContain('maxSockets: 7');
    expect(agent.sockets.a).toBe(under);
    agent.sockets = { a: [] };
    expect(agent.sockets.a).toEqual([]);
  });

  it.each(['req', 'socket', 'client'])('shows no token by way of a streamed answer’s %s', async (way) => {
    const state = scripted();
    state.onApi = (config) => {
      const data = { [way]: { _header: 'Authorization: Bearer token-1' }, readable: true };
      const response = { status: 500, statusText: '', headers: {}, config, data };
      return new axios.AxiosError('failed', 'ERR_X', config, undefined, response);
    };
    const error = await rejection(state.api.get('/v1/x', { responseType: 'stream' }));
    expect(inspect(error, { depth: 20 })).not.toContain('token-1');
    expect(inspect(error, { depth: 20 })).toContain('readable: true');
  });
});
