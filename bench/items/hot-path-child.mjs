// One series of the hot path in a process of its own, so that each series has its own compiled code.
import { contenders, noopAdapter, noopTarget } from '../lib/contenders.mjs';
import { interleave, processorMs } from '../lib/measure.mjs';

const [url, withoutHiding] = [process.argv[2], process.argv[3]];
const [rounds, chunks] = process.argv.slice(4).map(Number);
const REQUESTS = 60;
const WARM_UP = 100;

function memoryStore() {
  const values = new Map();
  return { get: async (key) => values.get(key), set: async (key, value) => void values.set(key, value) };
}

const instances = {};
for (const [name, create] of Object.entries(contenders)) {
  const target = noopTarget({ adapter: noopAdapter({ isOpen: name === 'emptyPair' }).adapter });
  instances[name] = await create(target);
  if (name !== 'ours') continue;
  instances.oursWithStore = await create({ ...target, tokenStore: memoryStore() });
  instances.oursWithoutHiding = await create({ ...target, build: withoutHiding });
}
const send = async (api) => {
  for (let count = 0; count < REQUESTS; count += 1) await api.get(url);
};
// In turns from the start, so that nobody's requests alone shape the compiled code of axios.
await interleave(instances, { rounds: 1, chunks: WARM_UP, run: send });
console.log(JSON.stringify(await interleave(instances, { rounds, chunks, clock: processorMs, run: send })));
