/** Full queue names: with the configured prefix, and the suffix from the command line. */
import { MAX_QUEUE_NAME } from '../brokers/rules/queue-name.ts';

export interface NameParts {
  readonly prefix?: string | undefined;
  readonly suffix?: string | undefined;
}

/**
 * The name with its prefix and suffix (as in django-sqs); `.fifo` stays at the end. URLs do not change.
 *
 *     fullName('mails', { prefix: 'anna', suffix: 'big' })    // 'anna__mails__big'
 *     fullName('mails.fifo', { suffix: 'big' })               // 'mails__big.fifo'
 */
export function fullName(name: string, { prefix, suffix }: NameParts): string {
  if (isUrl(name)) return name;
  const [, base = name, fifo = ''] = /^(.*?)(\.fifo)?$/.exec(name) ?? [];
  return [prefix, base, suffix].filter((part) => part !== undefined).join('__') + fifo;
}

/** The queue names in a container's options. */
export interface ConfiguredQueues {
  readonly queue: readonly { readonly name: string }[];
  readonly queuePrefix?: string | undefined;
  readonly deadLetterQueue?: string | undefined;
}

export interface NameProblem {
  readonly option: 'queue' | 'deadLetterQueue';
  /** What is wrong and what was expected. */
  readonly text: string;
}

/** The problems with full queue names, with or without a suffix; at most one for each option. */
export function nameProblems(configured: ConfiguredQueues, suffix?: string): NameProblem[] {
  const { queue, queuePrefix: prefix, deadLetterQueue } = configured;
  const names = queue.map(({ name }) => fullName(name, { prefix, suffix }));
  const problems: NameProblem[] = [];
  const url = names.find(isUrl);
  const long = names.find(isTooLong);
  if (suffix !== undefined && url !== undefined) {
    problems.push({
      option: 'queue',
      text: `a URL cannot have a suffix; expected the name of the queue ${url}`,
    });
  } else if (long !== undefined) {
    problems.push({ option: 'queue', text: tooLong(long) });
  }
  if (deadLetterQueue !== undefined) {
    const name = fullName(deadLetterQueue, { prefix });
    if (isTooLong(name)) problems.push({ option: 'deadLetterQueue', text: tooLong(name) });
    if (names.includes(name)) {
      const text = `this container consumes "${name}", so it would be its own dead-letter queue; expected another queue`;
      problems.push({ option: 'deadLetterQueue', text });
    }
  }
  return problems;
}

function isUrl(name: string): boolean {
  return name.includes('/');
}

function isTooLong(name: string): boolean {
  return name.length > MAX_QUEUE_NAME && !isUrl(name);
}

function tooLong(name: string): string {
  return `its full name, ${name}, has ${name.length} characters; expected at most ${MAX_QUEUE_NAME}, including prefix and suffix`;
}
