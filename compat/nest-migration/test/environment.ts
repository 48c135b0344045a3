Object.assign(process.env, {
  BIPSYNC_BASE_URL: 'https://acme-api.bipsync.com',
  BIPSYNC_CLIENT_ID: 'test-client',
  BIPSYNC_CLIENT_SECRET: 'test-secret',
  BIPSYNC_TEAM_ID: '65df73340142feec34d7d6ee',
});
