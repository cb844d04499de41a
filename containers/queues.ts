#!/usr/bin/env node
/** sqs-queues: manages queues. */
import './require-node.ts';

const { queuesMain } = await import('./queues/main.ts');
process.exit(await queuesMain(process.argv.slice(2)));
