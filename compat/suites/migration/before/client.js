const axios = require('axios');

const baseURL = 'https://acme-api.bipsync.com';
const api = axios.create({ baseURL });
let token = null;

async function login() {
  const { data } = await axios.post(`${baseURL}/v1/oauth/token`, {
    grant_type: 'client_credentials',
    client_id: process.env.BIPSYNC_CLIENT_ID,
    client_secret: process.env.BIPSYNC_CLIENT_SECRET,
    scope: `team_${process.env.BIPSYNC_TEAM_ID} rest_api:read rest_api:write`,
  });
  token = data.access_token;
}

api.interceptors.request.use(async (config) => {
  if (!token) await login();
  config.headers.Authorization = `Bearer ${token}`;
  return config;
});

api.interceptors.response.use(
  (response) => response,
  async (error) => {
    const original = error.config;
    if (error.response?.status === 401 && !original._retry) {
      original._retry = true;
      await login();
      return api(original);
    }
    return Promise.reject(error);
  },
);

module.exports = {
  getResearch: async (params) => (await api.get('/v1/research', { params })).data.results,
  createNote: async (note) => (await api.post('/v2/research/note', note)).data,
  api,
};
