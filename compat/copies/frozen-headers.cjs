/* global setImmediate */
// A program whose adapter freezes the headers of a request that is under way. Usage: node frozen-headers.cjs ESM|CommonJS
const load = async (name) => (process.argv[2] === 'ESM' ? import(name) : require(name));

async function main() {
  const { default: axios } = await load('axios');
  const { installBipsyncAuth } = await load('axios-bipsync-auth');
  const adapter = async (config) => {
    if (config.url === '/v1/x') Object.freeze(config.headers);
    await new Promise(setImmediate);
    const data = { token_type: 'bearer', access_token: 'LIVE-TOKEN', expires_in: 3600 };
    return { status: 200, statusText: '', headers: {}, config, data };
  };
  const api = axios.create({ adapter });
  installBipsyncAuth(api, {
    client: 'acme',
    clientId: 'the-client',
    clientSecret: 'hush-hush',
    teamId: 'a1',
  });
  await api.get('/v1/x');
}

main();
