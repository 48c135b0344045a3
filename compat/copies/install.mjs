export const SECRET = 'Hush-5Zk1Tq8Vw2Lc-never-sent';

/** The plugin on an instance, and the events that it reports. */
export function install({ plugin, bipsync }, api, config = {}) {
  const events = [];
  const auth = plugin.installBipsyncAuth(api, {
    ...{ baseURL: bipsync.url, clientId: 'the-client', clientSecret: SECRET, teamId: 'a1' },
    onEvent: (event) => events.push(event),
    ...config,
  });
  return { api, auth, events };
}

/** What became of a promise: a status, or an error's code. */
export const outcome = (promise) =>
  promise.then(
    ({ status }) => status,
    (error) => error.code ?? String(error),
  );

/** Which of the two a text holds. */
export const leaksIn = (text) =>
  [/LIVE-TOKEN/, new RegExp(SECRET)].filter((pattern) => pattern.test(text)).map(String);

/** The `Authorization` of each API request: the number of the token that it brought, if any. */
export const tokensAt = ({ apiRequests }, { issued }) =>
  apiRequests.map(({ headers }) => {
    const position = issued.findIndex((token) => headers.authorization === `Bearer ${token}`);
    return position < 0 ? headers.authorization : position + 1;
  });
