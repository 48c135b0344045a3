/** What every bundle runs: prints what happened as one line of JSON. */
module.exports = async function story(axios, { installBipsyncAuth, isBipsyncAuthError }) {
  const {
    BIPSYNC_BASE_URL: baseURL,
    BIPSYNC_CLIENT_ID: clientId,
    BIPSYNC_CLIENT_SECRET,
    BIPSYNC_TEAM_ID,
  } = process.env;
  const config = {
    baseURL,
    clientId,
    clientSecret: BIPSYNC_CLIENT_SECRET,
    teamId: BIPSYNC_TEAM_ID,
    scopes: ['rest_api:read'],
  };
  const told = {};
  for (const adapter of ['http', 'fetch']) {
    try {
      const api = axios.create({ adapter });
      installBipsyncAuth(api, config);
      const send = () => api.post('/v1/echo', { text: 'übergröße' }, { headers: { 'X-Order': 'kept' } });
      const answers = await Promise.all(Array.from({ length: 20 }, send));
      const wrong = axios.create({ adapter });
      installBipsyncAuth(wrong, { ...config, clientSecret: 'not-the-secret' });
      const error = await wrong.get('/v1/echo').catch((reason) => reason);
      told[adapter] = {
        successes: answers.filter(({ status }) => status === 200).length,
        code: error.code,
        isRecognised: isBipsyncAuthError(error),
        showsSecret: JSON.stringify(error).includes('not-the-secret'),
      };
    } catch (error) {
      told[adapter] = { failed: `${error.code}: ${error.message}` };
    }
  }
  console.log(JSON.stringify(told));
};
