/** Each party that can be at fault, and the words that blame it. A message has to blame one party alone. */
const blames = {
  'the configuration': /^The configuration of axios-bipsync-auth was rejected/,
  'the environment variables': /^BIPSYNC_CLIENT_SECRET and BIPSYNC_CLIENT_SECRET_FILE are both set/,
  'the secret file': /^BIPSYNC_CLIENT_SECRET_FILE: the file/,
  'the secret function': /^The clientSecret function/,
  'the request': /^The request(?:'s `bipsyncAuth` was rejected| (?:was not sent|has|had))/,
  'the options of getToken': /^The options of getToken/,
  'the axios instance':
    /^The first argument must be an axios instance|^axios-bipsync-auth is already installed on this axios|^This HttpService|is already installed on the axios of this HttpService/,
  'the axios version': /^axios [\d.]+ is too old/,
  'the surroundings':
    /^axios-bipsync-auth does not work (?:in|on)|failed in this process|^No token was requested: the fetch dispatcher/,
  'a copy of axios': /could send the client secret and the token unencrypted/,
  'the network': /could not be reached \((?!.*(?:certificate|nock))|^connect E|^read E|^socket hang up/s,
  'the certificate': /could not be reached \(.*certificate/s,
  'the way through the proxy': /could not be reached through the proxy/,
  'the proxy': /^The proxy \S+ answered/,
  'the token endpoint': /^The token endpoint \S+ answered/,
  'something slow': /^No token could be obtained within/,
  'the API': /^The API answered|^https?:\S+ answered 403|^Request failed with status code/,
  'the mock': /axios-mock-adapter on the instance|nock/i,
  'the token store':
    /^(?:get|set|lock|release) (?:time-out|error|unreadable)$|^(?:redis|encrypted)TokenStore/,
  'the Nest module': /^(?:Another |The options of (?:a )?|\w+ imports )?BipsyncHttpModule/,
  nobody: /^works/,
} as const;

export type Party = keyof typeof blames;

/** partiesIn returns every party that a message blames. */
export function partiesIn(message: string): Party[] {
  return (Object.keys(blames) as Party[]).filter((party) => blames[party].test(message));
}
