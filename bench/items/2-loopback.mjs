import { Agent } from 'node:http';

import { contenders, otherCopy } from '../lib/contenders.mjs';
import { interleave, median, processorMs, quantile, ratios } from '../lib/measure.mjs';

const IN_FLIGHT = 32;

export const title = 'Loopback HTTP, 32 requests in flight, server in its own process';

export async function run({ quick, server }) {
  const requests = 160;
  const [series, rounds, chunks] = quick ? [1, 5, 4] : [3, 11, 7];
  const instances = {};
  const latencies = {};
  const closing = [];
  const creators = {
    ...contenders,
    oursOnAnotherCopy: (target) => contenders.ours({ ...target, copy: otherCopy }),
    bareOtherCopy: ({ baseURL, http }) => contenders.bare({ baseURL, http, copy: otherCopy }),
  };
  for (const [name, create] of Object.entries(creators)) {
    const tenant = await server.tenant();
    const httpAgent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
    closing.push(() => httpAgent.destroy(), tenant.close);
    instances[name] = await create({ ...tenant, http: { httpAgent, proxy: false } });
    latencies[name] = [];
    await send(instances[name], 1, name, []);
    await send(instances[name], 200, name, []);
  }
  const times = [];
  for (let count = 0; count < series; count += 1) {
    times.push(
      await interleave(instances, {
        rounds,
        chunks,
        clock: processorMs,
        run: (api, name) => send(api, requests, name, latencies[name]),
      }),
    );
  }
  for (const close of closing) await close();
  return {
    rounds,
    series,
    inFlight: IN_FLIGHT,
    ratios: times.map((one) => ratios(one, 'bare')),
    p99: Object.fromEntries(
      Object.entries(latencies).map(([name, own]) => [
        name,
        quantile(own, 0.99) / quantile(latencies.bare, 0.99),
      ]),
    ),
  };
}

async function send(api, requests, name, latencies) {
  const path = name === 'emptyPair' ? '/v1/open' : '/v1/research';
  let left = requests;
  const work = async () => {
    while (left > 0) {
      left -= 1;
      const startedAt = performance.now();
      await api.get(path);
      latencies.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
}

const ratio = (data, name) => median(data.ratios.map((one) => one[name]));
const seriesOf = (data, name) => ` (series: ${data.ratios.map((one) => one[name].toFixed(3)).join(', ')})`;

export const rows = (data) => [
  [
    'processor time for the same requests (bare axios = 1)',
    (name) => `${ratio(data, name).toFixed(3)}${name === 'ours' ? seriesOf(data, name) : ''}`,
  ],
  [
    'the same on an instance of another copy of axios',
    (name) =>
      name === 'ours'
        ? `${ratio(data, 'oursOnAnotherCopy').toFixed(3)}${seriesOf(data, 'oursOnAnotherCopy')}`
        : name === 'bare'
          ? ratio(data, 'bareOtherCopy').toFixed(3)
          : '–',
  ],
  ['99th percentile of the time a request (bare axios = 1)', (name) => data.p99[name].toFixed(2)],
];
