// Prints how long it took to import the modules named; the first is axios in every case.
const startedAt = performance.now();
for (const name of process.argv.slice(2)) await import(name);
console.log(JSON.stringify(performance.now() - startedAt));
