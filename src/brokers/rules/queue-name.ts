/** Queue names, by the rules of SQS. */

/** The most characters in a queue name. */
export const MAX_QUEUE_NAME = 80;

/** Whether a queue name is valid: 1 to 80 letters, digits, `-` and `_`, including `.fifo` at the end for a FIFO queue. */
export function isQueueName(name: string): boolean {
  return name.length <= MAX_QUEUE_NAME && /^[\w-]+(\.fifo)?$/.test(name);
}

/** Whether this is the name of a FIFO queue. */
export function isFifoName(name: string): boolean {
  return name.endsWith('.fifo');
}

/** `adder` for `https://sqs.eu-west-1.amazonaws.com/123456789012/adder`; a plain name is returned unchanged. */
export function nameOfUrl(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}
