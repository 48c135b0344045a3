import { createLocalJWKSet, jwtVerify } from 'jose';
import { OAuth2Issuer, OAuth2Service } from 'oauth2-mock-server';

import { serve } from './http.mjs';

export const name = 'oauth2-mock-server';

/**
 * Tokens are JWTs, checked against the server's key set; a token is revoked by a change of keys. The server refuses
 * nothing by itself: its `beforeResponse` event is where refusals are made.
 */
export async function start({ clientId, clientSecret, scopes }) {
  let tokenRequests = 0;
  let service;
  const server = await serve((request, response) => {
    if (request.url === '/token') tokenRequests += 1;
    service.requestHandler(request, response);
  });

  async function useNewKeys() {
    const issuer = new OAuth2Issuer();
    issuer.url = server.url;
    await issuer.keys.generate('RS256');
    service = new OAuth2Service(issuer);
    service.on('beforeResponse', (response, { body }) => {
      const refuse = (statusCode, error) => Object.assign(response, { statusCode, body: { error } });
      if (body.client_id !== clientId || body.client_secret !== clientSecret) refuse(401, 'invalid_client');
      else if (!body.scope.split(' ').every((scope) => scopes.includes(scope))) refuse(400, 'invalid_scope');
    });
  }
  await useNewKeys();

  return {
    tokenUrl: `${server.url}/token`,
    tokenRequests: () => tokenRequests,
    async accepts(token) {
      const keys = await (await fetch(`${server.url}/jwks`)).json();
      try {
        const { payload } = await jwtVerify(token, createLocalJWKSet(keys), { issuer: server.url });
        return scopes.every((scope) => payload.scope.split(' ').includes(scope));
      } catch {
        return false;
      }
    },
    revoke: useNewKeys,
    close: server.close,
  };
}
