/** The last failures: a line each, which opens to the whole error and the body. */
import type { Failure } from '../../metrics/snapshot.ts';
import type { Status } from '../status.ts';
import { find, make } from './elements.ts';
import { time } from './format.ts';

const OUTCOMES: Readonly<Record<Failure['outcome'], string>> = {
  handled: 'handled',
  dropped: 'deleted',
  retried: 'comes back',
  buried: 'dead letter',
};

export function showFailures({ at, failures }: Status): void {
  const list = find('failures');
  const known = new Map([...list.children].map((item) => [(item as HTMLElement).dataset.key, item]));
  for (const [index, failure] of failures.entries()) {
    const key = `${failure.at} ${failure.messageId} ${failure.receiveCount}`;
    const item = known.get(key) ?? newItem(key, failure, at);
    known.delete(key);
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  }
  for (const item of known.values()) item.remove();
  find('no-failures').hidden = failures.length > 0;
}

function newItem(key: string, failure: Failure, now: number): HTMLElement {
  const { at, queue, messageId, receiveCount, error, body, outcome } = failure;
  const item = make(
    'li',
    '',
    make(
      'details',
      '',
      make(
        'summary',
        '',
        make('span', 'when', time(at, now)),
        make('span', 'queue', queue),
        make('span', 'error', error),
        make('span', 'outcome', OUTCOMES[outcome]),
      ),
      make(
        'p',
        '',
        `Message ${messageId}, received ${receiveCount === 1 ? 'once' : `${receiveCount} times`}. Its body:`,
      ),
      make('pre', '', body),
    ),
  );
  item.dataset.key = key;
  return item;
}
