import { jsonCodec, taskQueue } from 'sqs-containers';

interface Uploaded {
  Records: { s3: { object: { key: string } } }[];
}

export const uploaded = taskQueue('uploads').rawTask(
  async ({ Records }: Uploaded, message) => {
    for (const { s3 } of Records) console.log(`${s3.object.key}, in message ${message.id}`);
  },
  { codec: jsonCodec },
);
