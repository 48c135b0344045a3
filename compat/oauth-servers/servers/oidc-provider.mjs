import { URLSearchParams } from 'node:url';

import { Provider } from 'oidc-provider';

import { serve } from './http.mjs';

export const name = 'oidc-provider';

/** Tokens are opaque and kept by the server, which is asked for each of them through its introspection endpoint. */
export async function start({ clientId, clientSecret, scopes, otherScope }) {
  let tokenRequests = 0;
  let handle;
  const server = await serve((request, response) => {
    if (request.url === '/token') tokenRequests += 1;
    handle(request, response);
  });
  const provider = new Provider(server.url, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
        token_endpoint_auth_method: 'client_secret_post',
        scope: scopes.join(' '),
      },
    ],
    scopes: [...scopes, otherScope],
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      devInteractions: { enabled: false },
    },
    ttl: { ClientCredentials: 3600 },
  });
  handle = provider.callback();

  const post = (path, token) =>
    fetch(server.url + path, {
      method: 'POST',
      body: new URLSearchParams({ token, client_id: clientId, client_secret: clientSecret }),
    });
  return {
    tokenUrl: `${server.url}/token`,
    tokenRequests: () => tokenRequests,
    async accepts(token) {
      const { active, scope = '' } = await (await post('/token/introspection', token)).json();
      return active && scopes.every((wanted) => scope.split(' ').includes(wanted));
    },
    async revoke(token) {
      const { status } = await post('/token/revocation', token);
      if (status !== 200) throw new Error(`The revocation endpoint answered ${status}.`);
    },
    close: server.close,
  };
}
