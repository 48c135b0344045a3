import { URLSearchParams } from 'node:url';

import OAuth2Server from '@node-oauth/oauth2-server';

import { readBody, serve } from './http.mjs';

export const name = '@node-oauth/oauth2-server';

const { Request, Response } = OAuth2Server;

/** A library that leaves HTTP and storage to its user: here node:http and a Map. */
export async function start({ clientId, clientSecret, scopes }) {
  const tokens = new Map();
  const client = { id: clientId, grants: ['client_credentials'] };
  const oauth = new OAuth2Server({
    accessTokenLifetime: 3600,
    model: {
      getClient: async (id, secret) => (id === clientId && secret === clientSecret ? client : undefined),
      getUserFromClient: async () => ({ id: 'service' }),
      validateScope: async (_user, _client, asked = []) =>
        asked.every((scope) => scopes.includes(scope)) && asked,
      async saveToken(token, client, user) {
        tokens.set(token.accessToken, { ...token, client, user });
        return tokens.get(token.accessToken);
      },
      getAccessToken: async (accessToken) => tokens.get(accessToken),
      verifyScope: async (token, wanted) => wanted.every((scope) => token.scope.includes(scope)),
    },
  });

  let tokenRequests = 0;
  const server = await serve(async (incoming, outgoing) => {
    tokenRequests += 1;
    const body = Object.fromEntries(new URLSearchParams(await readBody(incoming)));
    const { method, headers } = incoming;
    const response = new Response();
    // The library has put a refusal into the response by the time it throws it.
    await oauth.token(new Request({ method, headers, query: {}, body }), response).catch(() => undefined);
    outgoing.writeHead(response.status, { ...response.headers, 'content-type': 'application/json' });
    outgoing.end(JSON.stringify(response.body));
  });

  return {
    tokenUrl: `${server.url}/token`,
    tokenRequests: () => tokenRequests,
    async accepts(token) {
      const headers = { authorization: `Bearer ${token}` };
      const request = new Request({ method: 'GET', headers, query: {} });
      return oauth.authenticate(request, new Response(), { scope: scopes }).then(
        () => true,
        () => false,
      );
    },
    revoke: async (token) => void tokens.delete(token),
    close: server.close,
  };
}
