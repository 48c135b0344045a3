/** Each party that can be at fault, and the words that blame it. A message has to blame one party alone. */
const blames = {
  'the configuration': /^The configuration of axios-bipsync-auth was rejected/,
  'the environment variables': /^BIPSYNC_CLIENT_SECRET and BIPSYNC_CLIENT_SECRET_FILE are both set/,
  'the secret file': /^The file that BIPSYNC_CLIENT_SECRET_FILE names|^BIPSYNC_CLIENT_SECRET_FILE/,
  'the secret function': /^(The|What the) clientSecret function (?!, the token store)/,
  'the request': /^The request(?:'s `bipsyncAuth` was rejected| (?:was not sent|has|had))/,
  'the options of getToken': /^The options of getToken/,
  'the axios instance':
    /^The first argument must be an axios instance|^axios-bipsync-auth is installed on this axios|^This HttpService sends/,
  'the axios version': /^axios [\d.]+ is too old/,
  'the surroundings':
    /^axios-bipsync-auth (?:is for servers|does not work on)|failed in this process|^No token was requested: the dispatcher/,
  'a copy of axios': /in clear/,
  'the network': /could not be reached \((?!.*(?:certificate|nock))|^connect E|^read E|^socket hang up/s,
  'the certificate': /could not be reached \(.*certificate/s,
  'the way through the proxy': /could not be reached through the proxy/,
  'the proxy': /^The proxy \S+ answered/,
  'the token endpoint': /^The token endpoint \S+ answered/,
  'something slow': /^No token could be obtained within/,
  'the API': /^The API refuses|^https?:\S+ answered 403|^Request failed with status code/,
  'the mock': /axios-mock-adapter on the instance|nock/i,
  'the token store':
    /^(?:get|set|lock|release) (?:time-out|error|unreadable)$|^(?:redis|encrypted)TokenStore/,
  'the Nest module': /^BipsyncHttpModule/,
  nobody: /^works/,
} as const;

export type Party = keyof typeof blames;

/** partiesIn returns every party that a message blames. */
export function partiesIn(message: string): Party[] {
  return (Object.keys(blames) as Party[]).filter((party) => blames[party].test(message));
}
