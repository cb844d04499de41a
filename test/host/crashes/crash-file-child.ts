/**
 * A process with a crash record, for the specs: `fork(this file, [folder])`. It obeys the messages `open`, `run ID`,
 * `end ID`, `crashes ID`, `close` and `exit`.
 */
import { type CrashFile, openCrashFile } from '../../../src/host/crashes/crash-file.ts';

const [folder] = process.argv.slice(2) as [string];
let record: CrashFile;

const commands: Record<string, (id: string) => unknown> = {
  open: () => {
    record = openCrashFile({ folder, container: '/etc/worker.ini', slots: 2 });
  },
  run: (id) => record.started('orders', id),
  end: (id) => record.ended('orders', id),
  crashes: (id) => record.crashes('orders', id),
  close: () => record.close(),
  exit: () => process.exit(1),
};

process.on('message', (text: string) => {
  const [command, id] = text.split(' ') as [string, string];
  process.send!(commands[command]!(id) ?? 'done');
});
process.once('disconnect', () => process.exit());
process.send!('ready');
