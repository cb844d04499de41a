/**
 * Sends the requests that every message needs (receive, delete, visibility change, send) without the SDK's pipeline, which at
 * full load uses more CPU than everything else done for a message. It also sends the requests that every process makes at
 * startup and for message counts, because setting up the pipeline takes 15 ms and slows down the connections it shares. The
 * SDK still provides endpoints, credentials, retries and connections; this module implements only the protocol: JSON in a
 * signed POST.
 */
import type { SQS } from '@aws-sdk/client-sqs';
import { requestFailure } from './failures.ts';
import { Signer } from './signer.ts';

/**
 * The actions that every message needs. The JSON of their input and output, as well as that of lookup actions, needs no
 * conversion, except for binary attributes in base64.
 */
export type LeanAction =
  | 'ReceiveMessage'
  | 'DeleteMessageBatch'
  | 'ChangeMessageVisibilityBatch'
  | 'SendMessageBatch';

/** The actions that every process makes at startup; the attributes include the counts for the status server. */
export type LookupAction = 'GetQueueUrl' | 'GetQueueAttributes';

/** The queue's URL (or its name, to look up the URL), plus the other parameters of the action. */
export type LeanInput = { readonly QueueUrl: string } | { readonly QueueName: string };

export interface LeanRequest {
  readonly action: LeanAction | LookupAction;
  readonly input: LeanInput;
  readonly abortSignal: AbortSignal;
}

/** The skew from which the clock is corrected, in milliseconds: AWS refuses signatures that are five minutes off. */
const CLOCK_SKEW_MS = 4 * 60 * 1000;

/** An error answer, or one that cannot be parsed, in the shape of the SDK's errors. */
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
  /** The endpoint for each queue URL. */
  readonly #endpoints = new Map<string, URL>();
  /** How far the server's clock is ahead of the local clock, in milliseconds; 0 unless the skew is large. */
  #clockSkewMs = 0;

  /** Sends all requests to `endpoint`, or, if it is undefined, to the host in the queue URL, as the SDK does. */
  constructor(region: string, endpoint: string | undefined) {
    this.#signer = new Signer(region);
    this.#endpoint = endpoint;
  }

  /**
   * Sends a request with the credentials, retry strategy and connections of `sqs`. Resolves with the JSON of the answer. Throws
   * errors in the shape of the SDK's errors.
   */
  async send<Answer>(sqs: SQS, request: LeanRequest): Promise<Answer> {
    const body = JSON.stringify(request.input);
    const strategy = await sqs.config.retryStrategy();
    // Retry strategies from before 2023 lack this interface; SDK clients no longer use them by default.
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

  /** True if the clock skew was too large for the signature: the next request is signed with the server's time. */
  #correctClock(date: string | undefined): boolean {
    const skewMs = date === undefined ? this.#clockSkewMs : Date.parse(date) - Date.now();
    const isFar = Math.abs(skewMs - this.#clockSkewMs) > CLOCK_SKEW_MS;
    if (isFar) this.#clockSkewMs = skewMs;
    return isFar;
  }
}

/** The AWS endpoint for the region. */
async function regionalEndpoint({ config }: SQS): Promise<URL> {
  const [Region, UseFIPS, UseDualStack] = await Promise.all([
    config.region(),
    config.useFipsEndpoint(),
    config.useDualstackEndpoint(),
  ]);
  return config.endpointProvider({ Region, UseFIPS, UseDualStack }).url;
}

/** Reads the response body, which is a Node.js stream. */
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

/** The error type for the SDK's retry strategies. A CLIENT_ERROR is not retried. */
function errorTypeOf(error: unknown, action: string): 'THROTTLING' | 'TRANSIENT' | 'CLIENT_ERROR' {
  const { kind } = requestFailure(error, { action, place: '' });
  if (kind === 'throttled') return 'THROTTLING';
  const clockWasWrong = error instanceof AnswerError && error.$metadata.clockSkewCorrected;
  return kind === 'unreachable' || clockWasWrong ? 'TRANSIENT' : 'CLIENT_ERROR';
}
