/**
 * The plugin under msw, which intercepts node:http and fetch in the process: nothing leaves it.
 *
 * Usage: node run.mjs. `run.sh <tarball>` installs first.
 */
import assert from 'node:assert/strict';
import { URLSearchParams } from 'node:url';

import axios from 'axios';
import { installBipsyncAuth } from 'axios-bipsync-auth';
import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';

import { createChecks } from '../checks.mjs';

const HOME = 'https://acme-api.bipsync.com';
const ELSEWHERE = 'https://example.com';

const { check, finish } = createChecks();
let seen;
let latestToken = 0;

const tokenHandler = http.post(`${HOME}/v1/oauth/token`, async ({ request }) => {
  const parameters = new URLSearchParams(await request.text());
  seen.push(`POST token ${parameters.get('grant_type')} ${parameters.get('scope')}`);
  if (parameters.get('client_secret') !== 'a-secret') {
    return HttpResponse.json({ error: 'invalid_client' }, { status: 401 });
  }
  latestToken += 1;
  return HttpResponse.json({ token_type: 'bearer', expires_in: 3600, access_token: `token-${latestToken}` });
});
const researchHandler = http.get(`${HOME}/v1/research`, ({ request }) => {
  seen.push(`GET research ${request.headers.get('authorization')}`);
  return HttpResponse.json({ data: [] });
});
const elsewhereHandler = http.get(`${ELSEWHERE}/`, ({ request }) => {
  seen.push(`GET elsewhere ${request.headers.get('authorization')}`);
  return HttpResponse.json({});
});

function createClient(adapter, changes = {}) {
  const api = axios.create({ adapter });
  const config = { client: 'acme', clientId: 'id', clientSecret: 'a-secret', teamId: '1', ...changes };
  return { api, auth: installBipsyncAuth(api, config) };
}

const TOKEN_REQUEST = 'POST token client_credentials team_1';

for (const adapter of ['http', 'fetch']) {
  for (const order of ['before', 'after']) {
    const installedFirst = order === 'before' ? createClient(adapter) : undefined;
    const server = setupServer(tokenHandler, researchHandler, elsewhereHandler);
    server.listen({ onUnhandledRequest: 'error' });
    const named = (what) => `${adapter}, installed ${order} msw: ${what}`;
    const { api, auth } = installedFirst ?? createClient(adapter);
    seen = [];
    const token = latestToken + 1;

    await check(named('token request and API request reach their handlers'), async () => {
      assert.deepEqual((await api.get('/v1/research')).data, { data: [] });
      assert.deepEqual(seen.splice(0), [TOKEN_REQUEST, `GET research Bearer token-${token}`]);
    });

    await check(named('another host gets no token'), async () => {
      await api.get(`${ELSEWHERE}/`);
      assert.deepEqual(seen.splice(0), ['GET elsewhere null']);
    });

    await check(named('a 401 is answered with a new token and a replay'), async () => {
      server.use(
        http.get(`${HOME}/v1/research`, () => new HttpResponse(null, { status: 401 }), { once: true }),
      );
      assert.equal((await api.get('/v1/research')).status, 200);
      assert.deepEqual(seen.splice(0), [TOKEN_REQUEST, `GET research Bearer token-${token + 1}`]);
    });

    await check(named('a network error stays the AxiosError that it is'), async () => {
      server.use(http.get(`${HOME}/v1/research`, () => HttpResponse.error(), { once: true }));
      const error = await api.get('/v1/research').catch((reason) => reason);
      assert.ok(axios.isAxiosError(error));
      assert.equal(error.response, undefined);
      assert.deepEqual(seen.splice(0), []);
    });

    await check(named('a token endpoint out of order is asked again'), async () => {
      auth.invalidate();
      server.use(
        http.post(`${HOME}/v1/oauth/token`, () => new HttpResponse(null, { status: 503 }), { once: true }),
      );
      assert.equal((await api.get('/v1/research')).status, 200);
      assert.deepEqual(seen.splice(0), [TOKEN_REQUEST, `GET research Bearer token-${token + 2}`]);
    });

    await check(named('a wrong secret gives ERR_BIPSYNC_CREDENTIALS, and nothing else is sent'), async () => {
      const wrong = createClient(adapter, { clientSecret: 'another' });
      await assert.rejects(wrong.api.get('/v1/research'), { code: 'ERR_BIPSYNC_CREDENTIALS' });
      assert.deepEqual(seen.splice(0), [TOKEN_REQUEST]);
    });

    await check(named('requests without a handler fail as msw has it'), async () => {
      await assert.rejects(api.get('/v1/field'));
      assert.deepEqual(seen.splice(0), []);
    });
    server.close();
  }
}
finish();
