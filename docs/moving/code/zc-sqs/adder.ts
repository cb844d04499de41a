import { TransientError, type WorkerFactory } from 'sqs-containers';

export const scaledAdder: WorkerFactory<[number, number, number | 'later']> = (config) => {
  const scale = Number(config.scale ?? 1);

  return (a, b, x) => {
    if (x === 'later') throw new TransientError('not now');
    console.log(scale * (a + b + x));
  };
};
