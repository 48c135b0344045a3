/**
 * The plugin against unmodified authorization servers, and an API that verifies tokens by each server's own means.
 *
 * Usage: node run.mjs [folder of a build], by default the installed package. `run.sh <tarball>` installs first.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import axios from 'axios';

import { createChecks } from '../checks.mjs';
import { serve } from './servers/http.mjs';
import * as mockServer from './servers/oauth2-mock-server.mjs';
import * as nodeOAuth from './servers/node-oauth.mjs';
import * as oidcProvider from './servers/oidc-provider.mjs';

const [, , build] = process.argv;
const { installBipsyncAuth } = await import(
  build ? pathToFileURL(resolve(build, 'index.mjs')).href : 'axios-bipsync-auth'
);

const BURST = 100;
const { check, finish } = createChecks();

for (const { name, start } of [oidcProvider, mockServer, nodeOAuth]) {
  const clientId = 'integration';
  const clientSecret = randomBytes(32).toString('base64url');
  const teamId = '65df73340142feec34d7d6ee';
  const scopes = [`team_${teamId}`, 'research:read'];
  const server = await start({ clientId, clientSecret, scopes, otherScope: 'users:read' });
  const api = await startApi(server);
  const client = (changes = {}) => {
    const instance = axios.create();
    installBipsyncAuth(instance, {
      baseURL: api.url,
      tokenUrl: server.tokenUrl,
      clientId,
      clientSecret,
      teamId,
      scopes: ['research:read'],
      ...changes,
    });
    return instance;
  };
  const counting = async (run) => {
    const [tokens, calls] = [server.tokenRequests(), api.requests()];
    await run();
    return { tokens: server.tokenRequests() - tokens, calls: api.requests() - calls };
  };
  const burst = (instance) =>
    Promise.allSettled(Array.from({ length: BURST }, (_, index) => instance.get(`/v1/research/${index}`)));

  const warm = client();
  await check(`${name}: a cold burst of ${BURST} requests makes 1 token request`, async () => {
    const { tokens, calls } = await counting(async () => {
      for (const { reason, value } of await burst(warm)) assert.equal(value?.status, 200, reason?.message);
    });
    assert.deepEqual({ tokens, calls }, { tokens: 1, calls: BURST });
  });

  await check(`${name}: after a revocation ${BURST} requests succeed with 1 new token`, async () => {
    await server.revoke(api.latestToken());
    const { tokens, calls } = await counting(async () => {
      for (const { reason, value } of await burst(warm)) assert.equal(value?.status, 200, reason?.message);
    });
    assert.equal(tokens, 1);
    assert.ok(calls > BURST && calls <= 2 * BURST, `${calls} API requests`);
  });

  const refusals = [
    ['a wrong secret', { clientSecret: 'not-the-secret' }, 'ERR_BIPSYNC_CREDENTIALS'],
    ['a scope not granted', { scopes: ['users:read'] }, 'ERR_BIPSYNC_SCOPE'],
  ];
  for (const [what, changes, code] of refusals) {
    await check(`${name}: ${what} gives ${code}, and nothing reaches the API`, async () => {
      const instance = client(changes);
      const { tokens, calls } = await counting(async () => {
        for (const { reason } of [...(await burst(instance)), ...(await burst(instance))]) {
          assert.equal(reason?.code, code, reason?.message);
          assert.doesNotMatch(JSON.stringify(reason) + reason.message, /not-the-secret/);
        }
      });
      assert.deepEqual({ tokens, calls }, { tokens: 1, calls: 0 });
    });
  }
  await api.close();
  await server.close();
}
finish();

/** A resource server: 200 where the authorization server vouches for the token, else 401. */
async function startApi({ accepts }) {
  let requests = 0;
  let latestToken;
  const server = await serve(async (request, response) => {
    requests += 1;
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    const isGood = token !== undefined && (await accepts(token));
    if (isGood) latestToken = token;
    response.writeHead(isGood ? 200 : 401, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isGood ? { data: [] } : { error: 'access_denied' }));
  });
  return { ...server, requests: () => requests, latestToken: () => latestToken };
}
