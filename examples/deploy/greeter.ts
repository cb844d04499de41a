/** The worker of the image: greets people, and takes the time that it is told to. */
import { currentMessage, type WorkerFactory } from 'sqs-containers';

export const greeter: WorkerFactory<[name: string, seconds?: number]> =
  () =>
  async (name, seconds = 0) => {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    currentMessage().log.info(`Hello, ${name}!`);
  };
