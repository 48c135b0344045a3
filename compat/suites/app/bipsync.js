const axios = require('axios');
const { installBipsyncAuth } = require('axios-bipsync-auth');

const bipsync = axios.create();
const auth = installBipsyncAuth(bipsync, {
  client: 'acme',
  clientId: 'test-client',
  clientSecret: 'test-secret',
  teamId: '65df73340142feec34d7d6ee',
});

module.exports = { bipsync, auth };
