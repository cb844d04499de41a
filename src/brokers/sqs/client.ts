/**
 * Sends requests to SQS through the AWS SDK. Each has a deadline, fails with a BrokerError, and can be called off.
 *
 * Long polls have an SDK client of their own that does not try again (their caller backs off, and a second long poll
 * would outlive the deadline), so that polls that fail use up none of the retries that deletes and sends have.
 */
import { SQS, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { BrokerError } from '../errors.ts';
import { type Attempt, deadlinePassed, requestFailure } from './failures.ts';
import { type LeanInput, type LeanRequest, LeanRequests } from './lean-requests.ts';
import { describe, type SqsSettings } from './settings.ts';

/** How long a request may take, its retries included, in milliseconds. A long poll may take its wait longer. */
const DEADLINE_MS = 10_000;
const LONG_POLL_DEADLINE_MS = 5_000;
const CONNECT_DEADLINE_MS = 4_000;

export interface RequestAbout extends Omit<Attempt, 'place'> {
  /** Makes it a long poll of so many seconds. */
  readonly waitSeconds?: number;
  /** Calls the request off; it then rejects with the signal's reason. */
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
  /** For people: `SQS in region eu-west-1`. */
  readonly description: string;
  readonly #settings: SqsSettings;
  readonly #lean: LeanRequests;
  readonly #underWay = new Set<AbortController>();
  #connections: Connections;

  constructor(settings: SqsSettings) {
    this.#settings = settings;
    this.description = describe(settings);
    this.#lean = new LeanRequests(settings.region, settings.endpoint);
    const agent = {
      keepAlive: true,
      // The SDK's 50 sockets would let deletes wait behind long polls.
      maxSockets: Number.POSITIVE_INFINITY,
      // HTTPS_PROXY, HTTP_PROXY and NO_PROXY, which Node heeds by itself only with NODE_USE_ENV_PROXY.
      proxyEnv: process.env,
    };
    this.#connections = connect(settings, {
      connectionTimeout: CONNECT_DEADLINE_MS,
      httpAgent: agent,
      httpsAgent: agent,
    });
  }

  /** Runs `send` on an SDK client. `options` is for the SDK's call. Throws BrokerErrors. */
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
    this.#underWay.add(controller);
    try {
      // The SDK heeds the signal once it sends; looking for credentials, it does not.
      return await Promise.race([send(sqs, { abortSignal: controller.signal }), aborted(controller.signal)]);
    } catch (error) {
      if (controller.signal.aborted) throw controller.signal.reason;
      const failure = requestFailure(error, attempt);
      if (failure.kind === 'credentials') this.#lookForCredentialsAgain(connections);
      throw failure;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', callOff);
      this.#underWay.delete(controller);
    }
  }

  /** Sends one of the requests that need not go through the SDK; resolves to the JSON of the answer. Throws BrokerErrors. */
  leanRequest<Answer>(about: LeanRequestAbout, input: LeanInput): Promise<Answer> {
    const { action } = about;
    return this.request(about, (sqs, options) => this.#lean.send<Answer>(sqs, { action, input, ...options }));
  }

  /** Calls off what is under way and closes the connections. */
  close(): void {
    for (const controller of this.#underWay) {
      controller.abort(new BrokerError('unreachable', `The connection to ${this.description} was closed`));
    }
    this.#connections.requests.destroy();
    this.#connections.longPolls.destroy();
  }

  /** The SDK keeps credentials that name no expiry for ever; new clients ask the chain, and its files, again. */
  #lookForCredentialsAgain(used: Connections): void {
    // Of the requests that failed together, the first has renewed them for all.
    if (used !== this.#connections) return;
    this.#connections = connect(this.#settings, used.requests.config.requestHandler);
  }
}

/** `requestHandler`: how to make the HTTP connections, or those of an earlier client, to be taken over. */
function connect(
  settings: SqsSettings,
  requestHandler: NonNullable<SQSClientConfig['requestHandler']>,
): Connections {
  const { region, endpoint, credentials } = settings;
  // The SDK hands its configuration on to the credential providers, which else read a profile's files only once.
  // Their requests to STS and SSO go over the connections of this client, and so through its proxy.
  const forCredentials = { ignoreCache: true, clientConfig: { requestHandler } };
  const configuration: SQSClientConfig = {
    region,
    // Given here, also one from the environment has priority over the host of a queue's URL, which need not resolve.
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    // TLS has checked every byte already; another checksum of each body costs time and finds nothing.
    md5: false,
    // The SDK would warn on the console, at each request, of a queue URL at a VPC endpoint.
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
