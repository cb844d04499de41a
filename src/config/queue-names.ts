/** The full names of queues: with the prefix of the environment, and the suffix that the command line asks for. */

export interface NameParts {
  readonly prefix?: string | undefined;
  readonly suffix?: string | undefined;
}

/**
 * The name with what comes before and behind it (django-sqs); `.fifo` stays at the end. URLs stay as they are.
 *
 *     fullName('mails', { prefix: 'anna', suffix: 'big' })    // 'anna__mails__big'
 *     fullName('mails.fifo', { suffix: 'big' })               // 'mails__big.fifo'
 */
export function fullName(name: string, { prefix, suffix }: NameParts): string {
  if (name.includes('/')) return name;
  const [, base = name, fifo = ''] = /^(.*?)(\.fifo)?$/.exec(name) ?? [];
  return [prefix, base, suffix].filter((part) => part !== undefined).join('__') + fifo;
}
