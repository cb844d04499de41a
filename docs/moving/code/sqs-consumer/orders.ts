import { currentMessage, type WorkerFactory } from 'sqs-containers';

export const orders: WorkerFactory = () => ({
  async handleMessage(message) {
    const { id } = JSON.parse(message.body) as { id: number };
    const { log, signal } = currentMessage();
    signal.throwIfAborted();
    log.info(`order ${id}, received ${message.receiveCount} times`);
  },
});
