import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import { Counter, Gauge, Histogram } from 'prom-client';

/**
 * Counts what the plugin reports, in a registry of prom-client. It needs nothing of the code that sends requests. Returns the
 * function that ends it.
 */
export function measureBipsyncAuth(registry) {
  const registers = [registry];
  const acquisitions = new Counter({
    name: 'bipsync_token_acquisitions_total',
    help: 'Tokens asked for, by reason and outcome: the source of the token, or the code of the error.',
    labelNames: ['team', 'reason', 'outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'bipsync_token_acquisition_seconds',
    help: 'How long it took to obtain a token.',
    labelNames: ['team', 'source'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const refused = new Counter({
    name: 'bipsync_tokens_refused_total',
    help: '401s of the API that cost a token: it was refused although it had not expired.',
    labelNames: ['team'],
    registers,
  });
  const replays = new Counter({
    name: 'bipsync_requests_replayed_total',
    help: '401s of the API after which the request was sent again with another token.',
    labelNames: ['team'],
    registers,
  });
  const unauthenticated = new Counter({
    name: 'bipsync_requests_unauthenticated_total',
    help: 'Requests sent without a token.',
    labelNames: ['team', 'reason'],
    registers,
  });
  const storeFailures = new Counter({
    name: 'bipsync_token_store_failures_total',
    help: 'Failures of the token store, after which the process continues without it for a while.',
    labelNames: ['operation', 'reason'],
    registers,
  });

  /** When this process obtained its present tokens. */
  const tokens = new Map();
  const age = new Gauge({
    name: 'bipsync_token_age_seconds',
    help: 'How long ago this process obtained its present token.',
    labelNames: ['team', 'scopes'],
    registers,
    collect() {
      this.reset();
      for (const { labels, obtainedAt } of tokens.values())
        this.set(labels, (Date.now() - obtainedAt) / 1000);
    },
  });

  function count(event) {
    const { teamId: team } = event;
    switch (event.type) {
      case 'token-acquired': {
        const { reason, source, durationMs, scopes } = event;
        acquisitions.inc({ team, reason, outcome: source });
        durations.observe({ team, source }, durationMs / 1000);
        if (reason === 'refused') refused.inc({ team });
        const labels = { team, scopes: scopes.join(' ') };
        tokens.set(labels.scopes, { labels, obtainedAt: Date.now() });
        break;
      }
      case 'token-failed':
        acquisitions.inc({ team, reason: event.reason, outcome: event.code });
        if (event.reason === 'refused') refused.inc({ team });
        break;
      case 'request-replayed':
        replays.inc({ team });
        break;
      case 'request-unauthenticated':
        unauthenticated.inc({ team, reason: event.reason });
        break;
      case 'store-failed':
        storeFailures.inc({ operation: event.operation, reason: event.reason });
        break;
    }
  }

  subscribe('axios-bipsync-auth:event', count);
  return () => {
    unsubscribe('axios-bipsync-auth:event', count);
    for (const metric of [acquisitions, durations, refused, replays, unauthenticated, storeFailures, age]) {
      registry.removeSingleMetric(metric.name);
    }
  };
}
