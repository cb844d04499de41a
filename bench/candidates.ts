/** The candidates: ways to handle the messages in a queue. Each is loaded only in the process that runs it. */
import type { Candidate } from './work.ts';

interface Entry {
  /** The name in tables. */
  readonly title: string;
  /** The messages are calls of this task. Default: plain calls. */
  readonly task?: string;
  readonly load: () => Promise<Candidate>;
}

export const candidates = {
  rawLoop: {
    title: 'raw SDK loop: receive 10, delete 10',
    load: async () => (await import('./candidates/bare.ts')).rawLoop,
  },
  sqsConsumer1: {
    title: 'sqs-consumer',
    load: async () => (await import('./candidates/peers.ts')).oneByOne(1),
  },
  sqsConsumer10: {
    title: 'sqs-consumer, batchSize 10',
    load: async () => (await import('./candidates/peers.ts')).oneByOne(10),
  },
  sqsConsumerBatches: {
    title: 'sqs-consumer, handleMessageBatch',
    load: async () => (await import('./candidates/peers.ts')).batches,
  },
  squiss10: {
    title: 'squiss-ts, 10 in flight',
    load: async () => (await import('./candidates/peers.ts')).squiss(10),
  },
  squiss100: {
    title: 'squiss-ts, 100 in flight',
    load: async () => (await import('./candidates/peers.ts')).squiss(100),
  },
  bareHttp: {
    title: 'bare HTTP, unsigned',
    load: async () => (await import('./candidates/bare.ts')).bareHttp,
  },
  bareLoop: {
    title: 'the handler alone, no queue',
    load: async () => (await import('./candidates/bare.ts')).bareLoops(1),
  },
  bareLoops: {
    title: 'ten bare loops, no queue',
    load: async () => (await import('./candidates/bare.ts')).bareLoops(10),
  },
  sequential: {
    title: 'sqs-sequential',
    load: async () => (await import('./candidates/container.ts')).container('sqs-sequential'),
  },
  concurrent: {
    title: 'sqs-concurrent, 10 slots',
    load: async () => (await import('./candidates/container.ts')).container('sqs-concurrent'),
  },
  status: {
    title: 'sqs-concurrent, 10 slots, with its status server',
    load: async () => (await import('./candidates/container.ts')).statusContainer,
  },
  watched: {
    title: 'sqs-concurrent, 10 slots, with its status server and a viewer',
    load: async () => (await import('./candidates/container.ts')).watchedContainer,
  },
  raw: {
    title: 'sqs-concurrent, 10 slots, a worker that reads the raw messages of the task',
    task: 'count',
    load: async () => (await import('./candidates/container.ts')).rawContainer,
  },
  tasks: {
    title: 'sqs-concurrent, 10 slots, a task',
    task: 'count',
    load: async () => (await import('./candidates/container.ts')).taskContainer,
  },
} satisfies Record<string, Entry>;

/** The task whose calls a candidate handles; undefined for plain calls. */
export function taskOf(name: CandidateName): string | undefined {
  const entry: Entry = candidates[name];
  return entry.task;
}

export type CandidateName = keyof typeof candidates;
