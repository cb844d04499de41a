import { deflateSync, inflateSync } from 'node:zlib';
import { jsonCodec, registerCodec, taskQueue } from 'sqs-containers';

registerCodec({
  contentType: 'deflated-json',
  encode: (value) => deflateSync(jsonCodec.encode(value)).toString('base64'),
  decode: (body) => jsonCodec.decode(inflateSync(Buffer.from(body, 'base64')).toString()),
});

export const archive = taskQueue('reports').task(
  'archive',
  async ({ text }: { text: string }) => {
    console.log(`${text.length} characters`);
  },
  { contentType: 'deflated-json' },
);
