import { Agent } from 'node:http';

import { contenders } from '../lib/contenders.mjs';
import { interleave, ratios } from '../lib/measure.mjs';

const IN_FLIGHT = 32;

export const title = 'Loopback HTTP, 32 requests in flight, server in its own process';

export async function run({ quick, server }) {
  const requests = 160;
  const [rounds, chunks] = quick ? [5, 4] : [21, 7];
  const instances = {};
  const closing = [];
  for (const [name, create] of Object.entries(contenders)) {
    const tenant = await server.tenant();
    const httpAgent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
    closing.push(() => httpAgent.destroy(), tenant.close);
    instances[name] = await create({ ...tenant, http: { httpAgent, proxy: false } });
    await send(instances[name], 1, name);
    await send(instances[name], 200, name);
  }
  const times = await interleave(instances, {
    rounds,
    chunks,
    run: (api, name) => send(api, requests, name),
  });
  for (const close of closing) await close();
  return { rounds, inFlight: IN_FLIGHT, ratios: ratios(times, 'constantPair') };
}

async function send(api, requests, name) {
  const path = name === 'emptyPair' ? '/v1/open' : '/v1/research';
  let left = requests;
  const work = async () => {
    while (left > 0) {
      left -= 1;
      await api.get(path);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
}

export const rows = (data) => [
  ['time for the same requests (constant pair = 1)', (name) => data.ratios[name].toFixed(2)],
];
