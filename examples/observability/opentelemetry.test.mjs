import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { context, metrics, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import axios from 'axios';
import { installBipsyncAuth } from 'axios-bipsync-auth';
import { startBipsyncEmulator } from 'axios-bipsync-auth/testing';

import { observeBipsyncAuth } from './opentelemetry.mjs';

const spans = new InMemorySpanExporter();
const measurements = new InMemoryMetricExporter(AggregationTemporality.DELTA);
const reader = new PeriodicExportingMetricReader({ exporter: measurements, exportIntervalMillis: 3_600_000 });
const meterProvider = new MeterProvider({ readers: [reader] });
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });

let emulator;
let stop;

before(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(tracerProvider);
  metrics.setGlobalMeterProvider(meterProvider);
});

beforeEach(async () => {
  emulator = await startBipsyncEmulator();
  stop = observeBipsyncAuth();
});

afterEach(async () => {
  stop();
  await reader.forceFlush();
  spans.reset();
  measurements.reset();
  await emulator.close();
});

after(async () => {
  await tracerProvider.shutdown();
  await meterProvider.shutdown();
});

/** An application that knows nothing of OpenTelemetry. */
function application(differences = {}) {
  const api = axios.create();
  const { url: baseURL, clientId, clientSecret, teamId } = emulator;
  const config = { baseURL, clientId, clientSecret, teamId, scopes: ['rest_api:read'] };
  installBipsyncAuth(api, { ...config, ...differences });
  return api;
}

/** The data points of one metric. */
async function pointsOf(name) {
  await reader.forceFlush();
  return measurements
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap((scope) => scope.metrics)
    .filter(({ descriptor }) => descriptor.name === name)
    .flatMap(({ dataPoints }) => dataPoints);
}

const msOf = ([seconds, nanoseconds]) => seconds * 1000 + nanoseconds / 1e6;

test('an acquisition is a span as long as it took, although the event comes at its end', async () => {
  emulator.tokenDelayMs = 120;
  const startedAt = Date.now();
  await application().get('/v1/research');
  const [span] = spans.getFinishedSpans();
  assert.equal(span.name, 'bipsync.token.acquire');
  assert.ok(msOf(span.duration) >= 100, `it took ${msOf(span.duration)} ms`);
  assert.ok(msOf(span.startTime) >= startedAt - 50 && msOf(span.endTime) <= Date.now());
  assert.equal(span.attributes['bipsync.reason'], 'first');
  assert.equal(span.attributes['bipsync.source'], 'endpoint');
});

test('the span of an acquisition belongs to the request that began it', async () => {
  const tracer = trace.getTracer('application');
  const api = application();
  const parent = await tracer.startActiveSpan('handle a request', async (span) => {
    await api.get('/v1/research');
    span.end();
    return span.spanContext();
  });
  const span = spans.getFinishedSpans().find(({ name }) => name === 'bipsync.token.acquire');
  assert.equal(span.spanContext().traceId, parent.traceId);
  assert.equal(span.parentSpanContext.spanId, parent.spanId);
});

test('a failure is a span with the error, and counted by its code', async () => {
  emulator.failTokenRequests({ status: 401, body: { error: 'invalid_client' } });
  await assert.rejects(application().get('/v1/research'));
  const [span] = spans.getFinishedSpans();
  assert.equal(span.status.code, SpanStatusCode.ERROR);
  assert.match(span.status.message, /answered 401 \(invalid_client\)\. Check that clientId and clientSecret/);
  const [point] = await pointsOf('bipsync.token.acquisitions');
  assert.equal(point.value, 1);
  assert.equal(point.attributes['error.type'], 'ERR_BIPSYNC_CREDENTIALS');
});

test('acquisitions, replays and the age of the token are measured', async () => {
  const api = application();
  await api.get('/v1/research');
  emulator.revokeTokens();
  await api.get('/v1/research');
  const points = await pointsOf('bipsync.token.acquisitions');
  assert.deepEqual(points.map(({ attributes }) => attributes['bipsync.reason']).sort(), ['first', 'refused']);
  assert.deepEqual(
    (await pointsOf('bipsync.requests.replayed')).map(({ value }) => value),
    [1],
  );
  const [age] = await pointsOf('bipsync.token.age');
  assert.ok(age.value >= 0 && age.value < 60);
});

test('a store that fails is counted by operation and reason', async () => {
  const tokenStore = {
    get: () => Promise.reject(new Error('the store is down')),
    set: () => Promise.resolve(),
  };
  await application({ tokenStore }).get('/v1/research');
  const [point] = await pointsOf('bipsync.token.store.failures');
  assert.equal(point.value, 1);
  assert.equal(point.attributes['bipsync.operation'], 'get');
  assert.equal(point.attributes['bipsync.reason'], 'error');
});

test('no span holds a token or the secret', async () => {
  const { config } = await application().get('/v1/research');
  const seen = JSON.stringify(
    spans.getFinishedSpans().map(({ attributes, status, events }) => [attributes, status, events]),
  );
  assert.ok(!seen.includes(emulator.clientSecret));
  assert.ok(!seen.includes(config.headers.Authorization.replace('Bearer ', '')));
});
