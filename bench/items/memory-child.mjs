// Run with --expose-gc and a young generation that no sample fills, so that the heap's growth is what was allocated.
import { contenders, noopAdapter, noopTarget } from '../lib/contenders.mjs';
import { median } from '../lib/measure.mjs';

const [name, total] = [process.argv[2], Number(process.argv[3])];
const SAMPLES = 15;
const REQUESTS = 1000;
const url = '/v1/research';

const api = await contenders[name](
  noopTarget({ adapter: noopAdapter({ isOpen: name === 'emptyPair' }).adapter }),
);
const send = async (requests) => {
  for (let count = 0; count < requests; count += 1) await api.get(url);
};
const heap = () => process.memoryUsage().heapUsed;

await send(20_000);
const samples = [];
for (let sample = 0; sample < SAMPLES; sample += 1) {
  globalThis.gc();
  const before = heap();
  await send(REQUESTS);
  samples.push((heap() - before) / REQUESTS);
}
const settled = () => {
  for (let count = 0; count < 5; count += 1) globalThis.gc();
  return heap();
};
const before = settled();
await send(total);
console.log(JSON.stringify({ bytes: Math.round(median(samples)), retained: settled() - before }));
