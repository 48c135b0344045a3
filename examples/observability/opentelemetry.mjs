import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

/**
 * Turns what the plugin reports into metrics and spans, with the global providers of OpenTelemetry's API. Call it after they
 * are registered. Returns the function that ends it.
 */
export function observeBipsyncAuth() {
  const meter = metrics.getMeter('axios-bipsync-auth');
  const tracer = trace.getTracer('axios-bipsync-auth');
  const acquisitions = meter.createCounter('bipsync.token.acquisitions', {
    description: 'Tokens asked for, by reason and outcome.',
  });
  const durations = meter.createHistogram('bipsync.token.acquisition.duration', {
    description: 'How long it took to obtain a token.',
    unit: 's',
  });
  const replays = meter.createCounter('bipsync.requests.replayed', {
    description: '401s of the API after which the request was sent again with another token.',
  });
  const unauthenticated = meter.createCounter('bipsync.requests.unauthenticated', {
    description: 'Requests sent without a token.',
  });
  const storeFailures = meter.createCounter('bipsync.token.store.failures', {
    description: 'Failures of the token store.',
  });

  /** When this process obtained its present tokens. */
  const tokens = new Map();
  const age = meter.createObservableGauge('bipsync.token.age', {
    description: 'How long ago this process obtained its present token.',
    unit: 's',
  });
  const observeAge = (result) => {
    for (const { attributes, obtainedAt } of tokens.values()) {
      result.observe((Date.now() - obtainedAt) / 1000, attributes);
    }
  };
  age.addCallback(observeAge);

  function observe(event) {
    const { type, teamId, scopes } = event;
    const team = { 'bipsync.team': teamId };
    switch (type) {
      case 'token-acquired': {
        const { reason, source, durationMs, missingScopes } = event;
        const attributes = { ...team, 'bipsync.reason': reason, 'bipsync.source': source };
        acquisitions.add(1, { ...attributes, outcome: 'success' });
        durations.record(durationMs / 1000, attributes);
        tokens.set(scopes.join(' '), {
          attributes: { ...team, 'bipsync.scopes': scopes.join(' ') },
          obtainedAt: Date.now(),
        });
        // The event comes at the end, so the span begins in the past.
        const endTime = Date.now();
        tracer
          .startSpan('bipsync.token.acquire', {
            kind: SpanKind.CLIENT,
            startTime: endTime - durationMs,
            attributes: {
              ...attributes,
              'bipsync.scopes': [...scopes],
              'bipsync.missing_scopes': [...missingScopes],
            },
          })
          .end(endTime);
        break;
      }
      case 'token-failed': {
        const { reason, code, message } = event;
        const attributes = { ...team, 'bipsync.reason': reason, 'error.type': code };
        acquisitions.add(1, { ...attributes, outcome: 'failure' });
        // The event of a failure has no duration, so this span has none either.
        const span = tracer.startSpan('bipsync.token.acquire', { kind: SpanKind.CLIENT, attributes });
        span.setStatus({ code: SpanStatusCode.ERROR, message });
        span.end();
        break;
      }
      case 'request-replayed':
        replays.add(1, team);
        break;
      case 'request-unauthenticated':
        unauthenticated.add(1, { ...team, 'bipsync.reason': event.reason });
        break;
      case 'store-failed':
        storeFailures.add(1, {
          ...team,
          'bipsync.operation': event.operation,
          'bipsync.reason': event.reason,
        });
        break;
    }
  }

  subscribe('axios-bipsync-auth:event', observe);
  return () => {
    unsubscribe('axios-bipsync-auth:event', observe);
    age.removeCallback(observeAge);
  };
}
