/** The names of queues, by the rules of SQS. */

/** Whether a queue can have this name: 1 to 80 letters, digits, `-` and `_`, with `.fifo` at the end if it is one. */
export function isQueueName(name: string): boolean {
  return /^(?=.{1,80}$)[\w-]+(\.fifo)?$/.test(name);
}

/** Whether a queue of this name keeps the order within message groups. */
export function isFifoName(name: string): boolean {
  return name.endsWith('.fifo');
}

/** `adder` of `https://sqs.eu-west-1.amazonaws.com/123456789012/adder`; a name that is no URL is as it is. */
export function nameOfUrl(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}
