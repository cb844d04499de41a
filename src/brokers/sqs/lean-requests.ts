/**
 * The requests that every message takes (receive, delete, change of visibility, send), without the SDK's pipeline: at
 * full load that costs more CPU than all the rest of a message's way. Those that every process starts with, and the
 * question how many messages there are, too, because it takes 15 ms to set the pipeline up, and slows the connections
 * down that it shares. The SDK stays the source of endpoints, credentials, retries and connections; what is left is the
 * protocol: JSON in a signed POST.
 */
import type { SQS } from '@aws-sdk/client-sqs';
import { requestFailure } from './failures.ts';
import { Signer } from './signer.ts';

/**
 * The actions that every message takes. Their input and answer, and those of the next, are JSON that needs no
 * translation, but for binary attributes in base64.
 */
export type LeanAction =
  | 'ReceiveMessage'
  | 'DeleteMessageBatch'
  | 'ChangeMessageVisibilityBatch'
  | 'SendMessageBatch';

/** The actions that every process starts with; attributes are also the counts that the status server asks for. */
export type LookupAction = 'GetQueueUrl' | 'GetQueueAttributes';

/** The queue by its URL, or by its name where the URL is asked for, and whatever else the action takes. */
export type LeanInput = { readonly QueueUrl: string } | { readonly QueueName: string };

export interface LeanRequest {
  readonly action: LeanAction | LookupAction;
  readonly input: LeanInput;
  readonly abortSignal: AbortSignal;
}

/** AWS refuses signatures whose time is five minutes off its own; this much is corrected, in milliseconds. */
const CLOCK_SKEW_MS = 4 * 60 * 1000;

/** An answer other than the one hoped for, in the shape of the SDK's errors. */
class AnswerError extends Error {
  override readonly name: string;
  readonly $metadata: { readonly httpStatusCode: number; readonly clockSkewCorrected?: boolean };

  constructor(code: string, message: string, metadata: AnswerError['$metadata'], options?: ErrorOptions) {
    super(message, options);
    this.name = code;
    this.$metadata = metadata;
  }
}

export class LeanRequests {
  readonly #signer: Signer;
  readonly #endpoint: string | undefined;
  /** Where the requests of a queue go, by its URL. */
  readonly #endpoints = new Map<string, URL>();
  /** How far the server's clock is ahead of this machine's, in milliseconds, if it is far. */
  #clockSkewMs = 0;

  /** `endpoint`: where all requests go; undefined: to the host of the queue's URL, as the SDK's do. */
  constructor(region: string, endpoint: string | undefined) {
    this.#signer = new Signer(region);
    this.#endpoint = endpoint;
  }

  /**
   * Sends a request with the credentials, the retry strategy and the connections of `sqs`; resolves to the JSON of the
   * answer. Throws errors as the SDK's are.
   */
  async send<Answer>(sqs: SQS, request: LeanRequest): Promise<Answer> {
    const body = JSON.stringify(request.input);
    const strategy = await sqs.config.retryStrategy();
    // The strategies of before 2023, which a plain SDK client no longer has, cannot be asked.
    if (!('acquireInitialRetryToken' in strategy)) return this.#attempt<Answer>(sqs, request, body);
    let token = await strategy.acquireInitialRetryToken('');
    for (;;) {
      try {
        const answer = await this.#attempt<Answer>(sqs, request, body);
        strategy.recordSuccess(token);
        return answer;
      } catch (error) {
        if (request.abortSignal.aborted) throw error;
        const errorType = errorTypeOf(error, request.action);
        try {
          token = await strategy.refreshRetryTokenForRetry(token, { errorType });
        } catch {
          throw error;
        }
      }
    }
  }

  async #attempt<Answer>(
    sqs: SQS,
    { action, input, abortSignal }: LeanRequest,
    body: string,
  ): Promise<Answer> {
    const endpoint =
      'QueueUrl' in input
        ? this.#endpointOf(input.QueueUrl)
        : new URL(this.#endpoint ?? (await regionalEndpoint(sqs)));
    const { protocol, hostname, port, host, pathname: path } = endpoint;
    const unsigned = {
      'content-type': 'application/x-amz-json-1.0',
      host,
      'user-agent': 'sqs-containers',
      'x-amz-target': `AmazonSQS.${action}`,
    };
    const now = new Date(Date.now() + this.#clockSkewMs);
    const headers = this.#signer.sign(await sqs.config.credentials(), path, unsigned, body, now);
    const request = { method: 'POST', protocol, hostname, path, query: {}, headers, body };
    const { response } = await sqs.config.requestHandler.handle(
      port === '' ? request : { ...request, port: Number(port) },
      { abortSignal },
    );
    const { statusCode } = response;
    const answer = parseAnswer(await readText(response.body), statusCode);
    if (statusCode === 200) return answer as Answer;
    throw refusal(answer, statusCode, this.#correctClock(response.headers.date));
  }

  #endpointOf(queueUrl: string): URL {
    let endpoint = this.#endpoints.get(queueUrl);
    if (!endpoint) {
      endpoint = new URL(this.#endpoint ?? '/', queueUrl);
      this.#endpoints.set(queueUrl, endpoint);
    }
    return endpoint;
  }

  /** True if the signature's time was far from the server's, and so refused: the next is made for the server's time. */
  #correctClock(date: string | undefined): boolean {
    const skewMs = date === undefined ? this.#clockSkewMs : Date.parse(date) - Date.now();
    const isFar = Math.abs(skewMs - this.#clockSkewMs) > CLOCK_SKEW_MS;
    if (isFar) this.#clockSkewMs = skewMs;
    return isFar;
  }
}

/** AWS's own endpoint of the region. */
async function regionalEndpoint({ config }: SQS): Promise<URL> {
  const [Region, UseFIPS, UseDualStack] = await Promise.all([
    config.region(),
    config.useFipsEndpoint(),
    config.useDualstackEndpoint(),
  ]);
  return config.endpointProvider({ Region, UseFIPS, UseDualStack }).url;
}

/** `body` is a stream of Node.js; typed as the SDK has it, which runs in browsers, too. */
async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function parseAnswer(text: string, httpStatusCode: number): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch (cause) {
    const message = `The answer is not JSON: ${text.slice(0, 100)}`;
    throw new AnswerError('UnreadableAnswer', message, { httpStatusCode }, { cause });
  }
}

function refusal(answer: unknown, httpStatusCode: number, clockSkewCorrected: boolean): AnswerError {
  const {
    __type: code = 'UnknownError',
    message,
    Message,
  } = (answer ?? {}) as Partial<Record<string, string>>;
  return new AnswerError(code.replace(/^.*#/, ''), message ?? Message ?? code, {
    httpStatusCode,
    clockSkewCorrected,
  });
}

/** What the SDK's retry strategies want to know of an error. A CLIENT_ERROR is not tried again. */
function errorTypeOf(error: unknown, action: string): 'THROTTLING' | 'TRANSIENT' | 'CLIENT_ERROR' {
  const { kind } = requestFailure(error, { action, place: '' });
  if (kind === 'throttled') return 'THROTTLING';
  const clockWasWrong = error instanceof AnswerError && error.$metadata.clockSkewCorrected;
  return kind === 'unreachable' || clockWasWrong ? 'TRANSIENT' : 'CLIENT_ERROR';
}
