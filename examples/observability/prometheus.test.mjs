import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import axios from 'axios';
import { installBipsyncAuth } from 'axios-bipsync-auth';
import { startBipsyncEmulator } from 'axios-bipsync-auth/testing';
import { Registry } from 'prom-client';

import { measureBipsyncAuth } from './prometheus.mjs';

let emulator;
let registry;
let stop;

beforeEach(async () => {
  emulator = await startBipsyncEmulator();
  registry = new Registry();
  stop = measureBipsyncAuth(registry);
});

afterEach(async () => {
  stop();
  await emulator.close();
});

/** An application that knows nothing of metrics. */
function application(differences = {}) {
  const api = axios.create();
  const { url: baseURL, clientId, clientSecret, teamId } = emulator;
  const config = { baseURL, clientId, clientSecret, teamId, scopes: ['rest_api:read'] };
  installBipsyncAuth(api, { ...config, ...differences });
  return api;
}

/** The lines of one metric, without the team, which differs from run to run. */
async function scrape(name) {
  const text = await registry.metrics();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => line.replaceAll(`team="${emulator.teamId}",`, '').replaceAll(emulator.teamId, 'TEAM'));
}

test('the first token is counted and timed, and has an age', async () => {
  await application().get('/v1/research');
  assert.deepEqual(await scrape('bipsync_token_acquisitions_total'), [
    'bipsync_token_acquisitions_total{reason="first",outcome="endpoint"} 1',
  ]);
  assert.deepEqual(await scrape('bipsync_token_acquisition_seconds_count'), [
    'bipsync_token_acquisition_seconds_count{source="endpoint"} 1',
  ]);
  const [age] = await scrape('bipsync_token_age_seconds');
  assert.match(age, /^bipsync_token_age_seconds\{scopes="rest_api:read team_TEAM"\} [\d.e-]+$/);
});

test('a token that the API refuses is counted as such, and so is the replay', async () => {
  const api = application();
  await api.get('/v1/research');
  emulator.revokeTokens();
  await api.get('/v1/research');
  assert.deepEqual(await scrape('bipsync_tokens_refused_total'), [
    'bipsync_tokens_refused_total{team="TEAM"} 1',
  ]);
  assert.deepEqual(await scrape('bipsync_requests_replayed_total'), [
    'bipsync_requests_replayed_total{team="TEAM"} 1',
  ]);
  assert.ok(
    (await scrape('bipsync_token_acquisitions_total')).includes(
      'bipsync_token_acquisitions_total{reason="refused",outcome="endpoint"} 1',
    ),
  );
});

test('a failure is counted by the code of its error', async () => {
  emulator.failTokenRequests({ status: 401, body: { error: 'invalid_client' } });
  await assert.rejects(application().get('/v1/research'));
  assert.deepEqual(await scrape('bipsync_token_acquisitions_total'), [
    'bipsync_token_acquisitions_total{reason="first",outcome="ERR_BIPSYNC_CREDENTIALS"} 1',
  ]);
});

test('a store that fails is counted by operation and reason', async () => {
  const tokenStore = {
    get: () => Promise.reject(new Error('the store is down')),
    set: () => Promise.resolve(),
  };
  await application({ tokenStore }).get('/v1/research');
  assert.deepEqual(await scrape('bipsync_token_store_failures_total'), [
    'bipsync_token_store_failures_total{operation="get",reason="error"} 1',
  ]);
});

test('a request to another host is counted as sent without a token', async () => {
  await application().get(`${emulator.url.replace('127.0.0.1', 'localhost')}/v1/echo`, {
    validateStatus: () => true,
  });
  assert.deepEqual(await scrape('bipsync_requests_unauthenticated_total'), [
    'bipsync_requests_unauthenticated_total{reason="origin"} 1',
  ]);
});

test('no metric holds a token or the secret', async () => {
  const api = application();
  const { config } = await api.get('/v1/research');
  const text = await registry.metrics();
  assert.ok(!text.includes(emulator.clientSecret));
  assert.ok(!text.includes(config.headers.Authorization.replace('Bearer ', '')));
});
