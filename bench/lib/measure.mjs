// A noisy machine must not decide: contenders take turns in small chunks, in random order, and only ratios of what was
// measured within one round are compared.

export const median = (values) => quantile(values, 0.5);

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** The mean without the slowest 15 %, which are the machine's. Garbage collections that come regularly stay in. */
function trimmedMean(values) {
  const kept = [...values].sort((a, b) => a - b).slice(0, Math.ceil(values.length * 0.85));
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}

export function shuffled(values) {
  const copy = [...values];
  for (let last = copy.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [copy[last], copy[other]] = [copy[other], copy[last]];
  }
  return copy;
}

/** Processor time of this process: what other jobs on the machine take is not in it. */
export function processorMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Times every contender's `run` in `rounds` of `chunks`; resolves to one time a round, in milliseconds a chunk by `clock`. */
export async function interleave(contenders, { rounds, chunks, run, clock = () => performance.now() }) {
  const names = Object.keys(contenders);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const chunk = Object.fromEntries(names.map((name) => [name, []]));
    for (let count = 0; count < chunks; count += 1) {
      for (const name of shuffled(names)) {
        const startedAt = clock();
        await run(contenders[name], name);
        chunk[name].push(clock() - startedAt);
      }
    }
    for (const name of names) times[name].push(trimmedMean(chunk[name]));
  }
  return times;
}

/** Median over the rounds of the ratio within a round. */
export function ratios(times, reference) {
  return Object.fromEntries(
    Object.entries(times).map(([name, own]) => [
      name,
      median(own.map((time, round) => time / times[reference][round])),
    ]),
  );
}
