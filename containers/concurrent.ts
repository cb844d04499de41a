#!/usr/bin/env node
/** sqs-concurrent: handles many messages at once. */
import '../src/cli/require-node.ts';

const { containerMain } = await import('../src/cli/container-main.ts');
// What a worker leaves open (connections, timers) must not keep a drained process alive.
process.exit(await containerMain('sqs-concurrent', process.argv.slice(2)));
