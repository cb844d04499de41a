/** The worker in the image: greets people, and takes as many seconds as the message says. */
import { currentMessage, type WorkerFactory } from 'sqs-containers';

export const greeter: WorkerFactory<[name: string, seconds?: number]> =
  () =>
  async (name, seconds = 0) => {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    currentMessage().log.info(`Hello, ${name}!`);
  };
