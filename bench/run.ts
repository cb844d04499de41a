/** Runs the benchmarks named on the command line, or all: npm run bench -- sequential */
const all = ['sequential'];
const named = process.argv.slice(2);
for (const name of named.length > 0 ? named : all) await import(`./${name}.ts`);
