const axios = require('axios');
const { installBipsyncAuth } = require('axios-bipsync-auth');

const api = axios.create();
installBipsyncAuth(api, {
  client: 'acme',
  clientId: process.env.BIPSYNC_CLIENT_ID,
  clientSecret: process.env.BIPSYNC_CLIENT_SECRET,
  teamId: process.env.BIPSYNC_TEAM_ID,
  scopes: ['rest_api:read', 'rest_api:write'],
});

module.exports = {
  getResearch: async (params) => (await api.get('/v1/research', { params })).data.results,
  createNote: async (note) => (await api.post('/v2/research/note', note)).data,
  api,
};
