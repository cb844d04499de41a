/**
 * Sends requests to SQS through the AWS SDK. Each request has a deadline, fails with a BrokerError, and can be aborted.
 *
 * Long polls have their own SDK client, which does not retry: their caller backs off, a second long poll would exceed the
 * deadline, and failing polls must not use up the retry quota for deletes and sends.
 */
import { SQS, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { BrokerError } from '../errors.ts';
import { type Attempt, deadlinePassed, requestFailure } from './failures.ts';
import { type LeanInput, type LeanRequest, LeanRequests } from './lean-requests.ts';
import { describe, type SqsSettings } from './settings.ts';

/** The deadline for a request, including retries, in milliseconds. */
const DEADLINE_MS = 10_000;
/** The deadline for a long poll, in addition to its wait. */
const LONG_POLL_DEADLINE_MS = 5_000;
const CONNECT_DEADLINE_MS = 4_000;

export interface RequestAbout extends Omit<Attempt, 'place'> {
  /** Makes it a long poll that waits for this many seconds. */
  readonly waitSeconds?: number;
  /** Aborts the request; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface LeanRequestAbout extends RequestAbout {
  readonly action: LeanRequest['action'];
}

interface Connections {
  readonly requests: SQS;
  readonly longPolls: SQS;
}

export class SqsClient {
  /** For log and error messages: `SQS in region eu-west-1`. */
  readonly description: string;
  readonly #settings: SqsSettings;
  readonly #lean: LeanRequests;
  readonly #pending = new Set<AbortController>();
  #connections: Connections;

  constructor(settings: SqsSettings) {
    this.#settings = settings;
    this.description = describe(settings);
    this.#lean = new LeanRequests(settings.region, settings.endpoint);
    const agent = {
      keepAlive: true,
      // With the SDK's default of 50 sockets, deletes would wait behind long polls.
      maxSockets: Number.POSITIVE_INFINITY,
      // For HTTPS_PROXY, HTTP_PROXY and NO_PROXY, which Node supports by default only with NODE_USE_ENV_PROXY.
      proxyEnv: process.env,
    };
    this.#connections = connect(settings, {
      connectionTimeout: CONNECT_DEADLINE_MS,
      httpAgent: agent,
      httpsAgent: agent,
    });
  }

  /** Calls `send` with an SDK client and the options for the SDK call. Throws BrokerErrors. */
  async request<Answer>(
    about: RequestAbout,
    send: (sqs: SQS, options: { abortSignal: AbortSignal }) => Promise<Answer>,
  ): Promise<Answer> {
    const { waitSeconds, signal } = about;
    signal?.throwIfAborted();
    const connections = this.#connections;
    const sqs = waitSeconds === undefined ? connections.requests : connections.longPolls;
    const deadlineMs = waitSeconds === undefined ? DEADLINE_MS : waitSeconds * 1000 + LONG_POLL_DEADLINE_MS;

    const attempt = { ...about, place: this.description };
    const controller = new AbortController();
    const callOff = () => controller.abort(signal?.reason);
    const timer = setTimeout(() => controller.abort(deadlinePassed(deadlineMs, attempt)), deadlineMs);
    signal?.addEventListener('abort', callOff);
    this.#pending.add(controller);
    try {
      // The SDK ignores the signal while it looks up credentials.
      return await Promise.race([send(sqs, { abortSignal: controller.signal }), aborted(controller.signal)]);
    } catch (error) {
      if (controller.signal.aborted) throw controller.signal.reason;
      const failure = requestFailure(error, attempt);
      if (failure.kind === 'credentials') this.#lookForCredentialsAgain(connections);
      throw failure;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', callOff);
      this.#pending.delete(controller);
    }
  }

  /** Sends a request without the SDK's pipeline. Resolves with the JSON of the answer. Throws BrokerErrors. */
  leanRequest<Answer>(about: LeanRequestAbout, input: LeanInput): Promise<Answer> {
    const { action } = about;
    return this.request(about, (sqs, options) => this.#lean.send<Answer>(sqs, { action, input, ...options }));
  }

  /** Aborts pending requests and closes the connections. */
  close(): void {
    for (const controller of this.#pending) {
      controller.abort(new BrokerError('unreachable', `The connection to ${this.description} was closed`));
    }
    this.#connections.requests.destroy();
    this.#connections.longPolls.destroy();
  }

  /** The SDK caches credentials without an expiry forever; new clients ask the credential chain, and read its files, again. */
  #lookForCredentialsAgain(used: Connections): void {
    // When several requests fail together, the first one renews the credentials for all.
    if (used !== this.#connections) return;
    this.#connections = connect(this.#settings, used.requests.config.requestHandler);
  }
}

/** `requestHandler` configures the HTTP connections, or is the handler of an earlier client whose connections are reused. */
function connect(
  settings: SqsSettings,
  requestHandler: NonNullable<SQSClientConfig['requestHandler']>,
): Connections {
  const { region, endpoint, credentials } = settings;
  // The SDK passes its configuration to the credential providers. With ignoreCache they read a profile's files every time.
  // With clientConfig their requests to STS and SSO use this client's connections, and so its proxy.
  const forCredentials = { ignoreCache: true, clientConfig: { requestHandler } };
  const configuration: SQSClientConfig = {
    region,
    // Passed explicitly so that an endpoint from the environment also overrides the host in queue URLs, which may not resolve.
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    // TLS already verifies every byte; an extra checksum for each body costs time and finds nothing.
    md5: false,
    // The SDK would print a warning on the console for every request to a queue URL at a VPC endpoint.
    logger: SILENT,
    ...forCredentials,
  };
  const requests = new SQS({ ...configuration, requestHandler });
  const { requestHandler: connections, credentials: identity } = requests.config;
  forCredentials.clientConfig.requestHandler = connections;
  const longPolls = new SQS({
    ...configuration,
    requestHandler: connections,
    credentials: identity,
    maxAttempts: 1,
  });
  return { requests, longPolls };
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}
