#!/usr/bin/env node
/** sqs-sequential: handles messages one at a time. */
import './require-node.ts';

const { containerMain } = await import('./container-main.ts');
process.exitCode = await containerMain('sequential', process.argv.slice(2));
