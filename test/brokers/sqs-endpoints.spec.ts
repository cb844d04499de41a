import { Readable } from 'node:stream';
import { SQS, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { expect } from 'chai';
import { LeanRequests } from '../../src/brokers/sqs/lean-requests.ts';

type Handle = SQS['config']['requestHandler']['handle'];

/** The endpoint that the request for a queue's URL goes to. */
async function placeAsked(endpoint: string | undefined, configuration: SQSClientConfig): Promise<string> {
  let place = '';
  const handle: Handle = async ({ protocol, hostname, path, headers }) => {
    expect(headers.host).to.contain(hostname);
    place = `${protocol}//${hostname}${path}`;
    const body = Readable.from([Buffer.from('{"QueueUrl":"https://queue"}')]);
    return { response: { statusCode: 200, headers: {}, body } };
  };
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
  const sqs = new SQS({ credentials, requestHandler: { handle }, ...configuration });
  const { signal: abortSignal } = new AbortController();
  const request = { action: 'GetQueueUrl', input: { QueueName: 'jobs' }, abortSignal } as const;
  const answer = await new LeanRequests('eu-west-1', endpoint).send(sqs, request);
  expect(answer).to.deep.equal({ QueueUrl: 'https://queue' });
  return place;
}

describe('the request for the URL of a queue', () => {
  const region = 'eu-west-1';

  it("goes to the region's AWS endpoint, as with the SDK", async () => {
    const places = [
      await placeAsked(undefined, { region }),
      await placeAsked(undefined, { region: 'cn-north-1' }),
      await placeAsked(undefined, { region: 'us-gov-west-1', useFipsEndpoint: true }),
      await placeAsked(undefined, { region, useDualstackEndpoint: true }),
    ];
    expect(places).to.deep.equal([
      'https://sqs.eu-west-1.amazonaws.com/',
      'https://sqs.cn-north-1.amazonaws.com.cn/',
      'https://sqs.us-gov-west-1.amazonaws.com/',
      'https://sqs.eu-west-1.api.aws/',
    ]);
  });

  it('goes to the configured endpoint', async () => {
    expect(await placeAsked('http://localhost:9324', { region })).to.equal('http://localhost/');
  });
});
