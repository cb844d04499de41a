#!/usr/bin/env node
/** sqs-sequential: handles messages one at a time. */
import '../src/cli/require-node.ts';

const { containerMain } = await import('../src/cli/container-main.ts');
// What a worker leaves open (connections, timers) must not keep a drained process alive.
process.exit(await containerMain('sqs-sequential', process.argv.slice(2)));
