#!/usr/bin/env node
/** sqs-queues: manages queues. */
import '../src/cli/require-node.ts';

const { queuesMain } = await import('../src/cli/queues-main.ts');
process.exit(await queuesMain(process.argv.slice(2)));
