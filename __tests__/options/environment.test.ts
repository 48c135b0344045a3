import { bipsyncAuthConfigFromEnv } from '../../src';
import { rejected } from '../support/rejected';

describe('bipsyncAuthConfigFromEnv', () => {
  it('bipsyncAuthConfigFromEnv reads the six variables', () => {
    expect(
      bipsyncAuthConfigFromEnv({
        BIPSYNC_CLIENT: 'acme',
        BIPSYNC_BASE_URL: 'https://gw.example',
        BIPSYNC_CLIENT_ID: 'id',
        BIPSYNC_CLIENT_SECRET: 'hush',
        BIPSYNC_TEAM_ID: 'a1',
        BIPSYNC_SCOPES: 'research:read users:read',
        PATH: '/bin',
      }),
    ).toEqual({
      client: 'acme',
      baseURL: 'https://gw.example',
      clientId: 'id',
      clientSecret: 'hush',
      teamId: 'a1',
      scopes: 'research:read users:read',
    });
  });

  it('an empty variable counts as absent, so that installation reports it', () => {
    const config = bipsyncAuthConfigFromEnv({
      BIPSYNC_CLIENT: 'acme',
      BIPSYNC_CLIENT_ID: '',
      BIPSYNC_TEAM_ID: ' ',
    });
    expect(config).toEqual({ client: 'acme' });
    const { message } = rejected(config);
    expect(message).toContain('BIPSYNC_CLIENT_ID');
    expect(message).toContain('BIPSYNC_CLIENT_SECRET');
  });

  it('bipsyncAuthConfigFromEnv reads process.env by default', () => {
    process.env['BIPSYNC_CLIENT'] = 'from-process';
    try {
      expect(bipsyncAuthConfigFromEnv().client).toBe('from-process');
    } finally {
      delete process.env['BIPSYNC_CLIENT'];
    }
  });
});
