/** The sender of a queue that is named but not opened yet: what producers and tasks send with. */
import type { OutgoingMessage } from '../brokers/broker.ts';
import { BrokerError } from '../brokers/errors.ts';
import { fullName } from '../config/queue-names.ts';
import { type Connection, connect } from './connections.ts';
import { type Accepted, Sender } from './sender.ts';

/** The sender for a queue, opened at the first message, and again when the queue was gone or the broker was replaced. */
export class LazySender {
  readonly #name: string;
  readonly #address: string | undefined;
  #sender: Promise<Sender> | undefined;
  #broker: unknown;

  constructor(name: string, address: string | undefined) {
    this.#name = name;
    this.#address = address;
  }

  async send(message: OutgoingMessage): Promise<Accepted> {
    try {
      const connection = await connect(this.#address);
      const accepted = await (await this.#open(connection)).send(message);
      await connection.onSent?.(accepted.messageId);
      return accepted;
    } catch (error) {
      if (error instanceof BrokerError && error.kind === 'missing') this.#sender = undefined;
      throw error;
    }
  }

  #open({ broker, prefix }: Connection): Promise<Sender> {
    if (!this.#sender || this.#broker !== broker) {
      this.#broker = broker;
      const name = fullName(this.#name, { prefix });
      this.#sender = broker.open(name).then((opened) => new Sender(broker, opened));
      this.#sender.catch(() => {
        this.#sender = undefined;
      });
    }
    return this.#sender;
  }
}
