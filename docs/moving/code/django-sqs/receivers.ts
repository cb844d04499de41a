import { base64Codec, currentMessage, referenceCodec, taskQueue } from 'sqs-containers';

/** A text, as boto's default message class writes it. */
export const thumbnail = taskQueue('thumbnails').rawTask(
  async (path) => {
    console.log(`a thumbnail of ${path}`);
  },
  { codec: base64Codec },
);

export interface Order {
  id: number;
  total: number;
}

/** Stands for your database. */
const orders: Order[] = [{ id: 17, total: 42 }];

/** A row of the database, written as a reference to it and looked up when the message is received. */
export const confirm = taskQueue('orders').rawTask<Order>(
  async ({ id, total }) => {
    currentMessage().signal.throwIfAborted(); // aborts when handler_timeout is over
    console.log(`order ${id} costs ${total}`);
  },
  {
    codec: referenceCodec<Order>({
      refer: ({ id }) => ['shop', 'order', id],
      resolve: (reference) => orders.find(({ id }) => id === (reference as [string, string, number])[2]),
    }),
  },
);

/** Received by another program: it can only be sent from here. */
export const audit = taskQueue('audit').rawTask(null, { codec: base64Codec });
