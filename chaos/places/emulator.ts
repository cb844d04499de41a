/** The emulator of SQS, in a process of its own: says its port to the process that has started it. */
import { startFauxqs } from 'fauxqs';

const emulator = await startFauxqs({ port: 0, logger: false });
process.send?.(emulator.port);
process.once('disconnect', () => process.exit());
