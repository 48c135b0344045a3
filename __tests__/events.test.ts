import util from 'node:util';

import axios from 'axios';

import { type BipsyncAuthEvent, installBipsyncAuth } from '../src';
import { type Answer, deferred, rejection, scripted, SECRET, tokenAnswer } from './support/scripted';
import { advance, useVirtualTime } from './token/support';

const good = { client: 'acme', clientId: 'the-client', clientSecret: 'hush', teamId: 'a1' };

useVirtualTime();

describe('NODE_DEBUG=bipsync-auth', () => {
  const withDebug = (enabled: boolean): jest.Mock => {
    const debug = Object.assign(jest.fn(), { enabled });
    jest.spyOn(util, 'debuglog').mockImplementation((section) => {
      expect(section).toBe('bipsync-auth');
      return debug as never;
    });
    return debug;
  };
  const install = async (onEvent?: (event: BipsyncAuthEvent) => void): Promise<void> => {
    const api = axios.create({
      adapter: async (config) => ({
        data: JSON.stringify(tokenAnswer('token-1').body),
        status: 200,
        statusText: 'OK',
        headers: {},
        config,
      }),
    });
    installBipsyncAuth(api, { ...good, ...(onEvent && { onEvent }) });
    await api.get('/v1/x');
  };

  it('NODE_DEBUG=bipsync-auth prints the events, with or without a listener', async () => {
    const debug = withDebug(true);
    const events: BipsyncAuthEvent[] = [];
    await install((event) => events.push(event));
    await install();
    expect(debug.mock.calls).toEqual([
      ['%j', events[0]],
      ['%j', expect.objectContaining({ type: 'token-acquired' })],
    ]);
  });

  it('nothing is printed if NODE_DEBUG is not set', async () => {
    const debug = withDebug(false);
    await install();
    expect(debug).not.toHaveBeenCalled();
  });
});

describe('events', () => {
  it('a listener that throws or rejects changes nothing', async () => {
    const throwing = scripted({
      onEvent: () => {
        throw new Error('listener');
      },
    });
    await throwing.api.get('/v1/research');
    const rejecting = scripted({ onEvent: (() => Promise.reject(new Error('listener'))) as () => void });
    await rejecting.api.get('/v1/research');
    expect(throwing.sent).toEqual(['Bearer token-1']);
  });

  it('an event reports how long an acquisition took, in milliseconds', async () => {
    const state = scripted();
    await advance(5000);
    const answer = deferred<Answer>();
    state.onToken = () => answer.promise;
    const response = state.api.get('/v1/research');
    await advance(250);
    answer.resolve(tokenAnswer('t'));
    await response;
    expect(state.events).toMatchObject([{ type: 'token-acquired', durationMs: 250 }]);
  });

  it('events hold neither secret nor token', async () => {
    const state = scripted();
    await state.api.get('/v1/research');
    await state.api.get('https://other.example/', { headers: { Authorization: 'Basic mine' } });
    await state.api.get('/v1/research', { headers: { Authorization: 'Basic mine' } });
    state.auth.invalidate();
    state.onToken = () => ({
      status: 401,
      body: { error: 'invalid_client', error_description: `bad ${SECRET}` },
    });
    await rejection(state.api.get('/v1/research'));
    expect(state.events.map(({ type }) => type)).toEqual([
      'token-acquired',
      'request-unauthenticated',
      'authorization-replaced',
      'token-failed',
    ]);
    expect(JSON.stringify(state.events)).not.toMatch(/the-very-secret|token-\d|mine/);
  });
});
