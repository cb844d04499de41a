import { base64Codec, currentMessage, referenceCodec, taskQueue } from 'sqs-containers';

/** A string, as boto's default message class writes it. */
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

/** Stands in for your database. */
const orders: Order[] = [{ id: 17, total: 42 }];

/** A database row, sent as a reference and looked up when the message is received. */
export const confirm = taskQueue('orders').rawTask<Order>(
  async ({ id, total }) => {
    currentMessage().signal.throwIfAborted(); // aborts after handler_timeout
    console.log(`order ${id} costs ${total}`);
  },
  {
    codec: referenceCodec<Order>({
      refer: ({ id }) => ['shop', 'order', id],
      resolve: (reference) => orders.find(({ id }) => id === (reference as [string, string, number])[2]),
    }),
  },
);

/** Another program receives this one; here you can only send. */
export const audit = taskQueue('audit').rawTask(null, { codec: base64Codec });
