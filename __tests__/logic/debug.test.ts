import util from 'node:util';

import axios from 'axios';

import { type BipsyncAuthEvent, installBipsyncAuth } from '../../src';
import { tokenAnswer } from '../support/scripted';

const good = { client: 'acme', clientId: 'the-client', clientSecret: 'hush', teamId: 'a1' };

afterEach(() => {
  jest.restoreAllMocks();
});

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

  it('prints the events, with or without a listener', async () => {
    const debug = withDebug(true);
    const events: BipsyncAuthEvent[] = [];
    await install((event) => events.push(event));
    await install();
    expect(debug.mock.calls).toEqual([
      ['%j', events[0]],
      ['%j', expect.objectContaining({ type: 'token-acquired' })],
    ]);
  });

  it('is asked for nothing where it is not set and nobody listens', async () => {
    const debug = withDebug(false);
    await install();
    expect(debug).not.toHaveBeenCalled();
  });
});
