/** Converts errors from the AWS SDK and SQS to BrokerErrors and failed entries. Pure functions. */
import type { BatchResultErrorEntry } from '@aws-sdk/client-sqs';
import type { EntryFailure } from '../broker.ts';
import { BrokerError, type BrokerErrorKind, QueueNotFoundError } from '../errors.ts';

/** The request that failed. */
export interface Attempt {
  /** The SQS API action, such as `ReceiveMessage`. */
  readonly action: string;
  /** The queue as the user named it, if the request is about a queue. */
  readonly queue?: string;
  /** The broker's description. */
  readonly place: string;
}

/** The relevant parts of an SDK error. */
interface SdkError {
  readonly name?: string;
  readonly message?: string;
  /** A system error code, such as ECONNREFUSED, or the service's code in the older protocol. */
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Error kinds by the codes of the JSON protocol and of the older query protocol, without their namespaces. */
const KINDS: ReadonlyMap<string, BrokerErrorKind> = new Map(
  Object.entries({
    missing: ['QueueDoesNotExist', 'NonExistentQueue'],
    throttled: [
      'RequestThrottled',
      'RequestThrottledException',
      'ThrottledException',
      'Throttling',
      'ThrottlingException',
      'TooManyRequestsException',
      'RequestLimitExceeded',
      'SlowDown',
      'KmsThrottled',
      'OverLimit',
      'PurgeQueueInProgress',
      'QueueDeletedRecently',
    ],
    credentials: [
      'CredentialsProviderError',
      'TokenProviderError',
      'ProviderError',
      'ExpiredToken',
      'ExpiredTokenException',
      'TokenRefreshRequired',
      'RequestExpired',
      'RequestTimeTooSkewed',
      'InvalidClientTokenId',
      'InvalidAccessKeyId',
      'InvalidToken',
      'UnrecognizedClientException',
      'InvalidSignatureException',
      'SignatureDoesNotMatch',
      'IncompleteSignature',
      'IncompleteSignatureException',
      'MissingAuthenticationToken',
      'MissingAuthenticationTokenException',
      'AuthFailure',
    ],
    denied: [
      'AccessDenied',
      'AccessDeniedException',
      'UnauthorizedOperation',
      'KmsAccessDenied',
      'OptInRequired',
    ],
    unreachable: [
      'TimeoutError',
      'RequestTimeout',
      'RequestTimeoutException',
      'InternalError',
      'ServiceUnavailable',
    ],
  } satisfies Partial<Record<BrokerErrorKind, string[]>>).flatMap(([kind, codes]) =>
    codes.map((code) => [code, kind as BrokerErrorKind] as const),
  ),
);

/** Codes of failed entries that may succeed later, even if SQS blames the sender. */
const RETRYABLE_ENTRIES = new Set(['InternalError', 'InternalFailure', 'ServiceUnavailable']);
/** Codes of failed entries that never succeed, even if the server (such as an emulator) does not blame the sender. */
const FINAL_ENTRIES = new Set([
  'ReceiptHandleIsInvalid',
  'MessageNotInflight',
  'InvalidParameterValue',
  'InvalidMessageContents',
]);

/** The BrokerError for a request that failed with `cause`. */
export function requestFailure(cause: unknown, attempt: Attempt): BrokerError {
  const error = cause as SdkError;
  const code = plainCode(error.name ?? '');
  const kind = kindOf(code, error);
  if (kind === 'missing') return new QueueNotFoundError(attempt.queue ?? '', attempt.place, { cause });
  return new BrokerError(kind, describeFailure(kind, code, error, attempt), { cause });
}

/** The BrokerError for a request that got no answer within `deadlineMs`. */
export function deadlinePassed(deadlineMs: number, attempt: Attempt): BrokerError {
  const seconds = deadlineMs / 1000;
  return new BrokerError(
    'unreachable',
    `${attempt.place} did not answer ${describeAttempt(attempt)} within ${seconds} seconds`,
  );
}

/** The result for a failed batch entry. */
export function entryFailure({
  Code = 'Unknown',
  Message,
  SenderFault,
}: BatchResultErrorEntry): EntryFailure {
  const code = plainCode(Code);
  const later = RETRYABLE_ENTRIES.has(code) || KINDS.get(code) === 'throttled' || SenderFault === false;
  return { ok: false, code, message: Message ?? code, retryable: later && !FINAL_ENTRIES.has(code) };
}

/** The SQS code of a refused request, such as `BatchRequestTooLong`; undefined for any other failure. */
export function refusalCode(error: unknown): string | undefined {
  if (!(error instanceof BrokerError) || error.kind !== 'rejected') return undefined;
  return plainCode((error.cause as SdkError).name ?? '');
}

/** `AWS.SimpleQueueService.NonExistentQueue` and `com.amazonaws.sqs#NonExistentQueue` become `NonExistentQueue`. */
function plainCode(code: string): string {
  return code.replace(/^.*#/, '').replace(/^AWS\.SimpleQueueService\./, '');
}

function kindOf(code: string, error: SdkError): BrokerErrorKind {
  const known = KINDS.get(code);
  if (known) return known;
  const status = error.$metadata?.httpStatusCode;
  // Without an answer it is a system error (connection, host name, certificate), which has a code, or a client error.
  if (status === undefined) return error.code === undefined ? 'rejected' : 'unreachable';
  // An answer with a success status that cannot be parsed was truncated, or came from something between us and SQS.
  if (status < 400 || status >= 500) return 'unreachable';
  if (status === 429) return 'throttled';
  if (status === 401) return 'credentials';
  return status === 403 ? 'denied' : 'rejected';
}

function describeFailure(kind: BrokerErrorKind, code: string, error: SdkError, attempt: Attempt): string {
  const { action, place } = attempt;
  const what = describeAttempt(attempt);
  const answered = (error.$metadata?.httpStatusCode ?? 0) >= 400;
  const reason = reasonOf(error, answered ? code : undefined);
  switch (kind) {
    case 'unreachable':
      return answered
        ? `${place} failed to handle ${what}: ${reason}`
        : `Cannot reach ${place} for ${what}: ${reason}. Check the network and the endpoint`;
    case 'throttled':
      if (code === 'PurgeQueueInProgress') {
        return `${place} purged "${attempt.queue}" less than a minute ago, and allows one purge per minute: try again in a minute`;
      }
      return `${place} throttled ${what}: ${reason}`;
    case 'denied':
      return `${place} denied ${what}: ${reason}. Grant the permission ${permissionFor(code, action)}`;
    case 'credentials':
      return answered
        ? `${place} did not accept the AWS credentials for ${what}: ${reason}. Renew them, and check the system clock`
        : `No AWS credentials for ${place}: ${reason}. ${CREDENTIALS_ADVICE}`;
    default:
      return `${place} refused ${what}: ${reason}`;
  }
}

function permissionFor(code: string, action: string): string {
  if (code === 'KmsAccessDenied')
    return "kms:Decrypt (and kms:GenerateDataKey for sending) for the queue's key";
  return `sqs:${action.replace(/Batch$/, '')}`;
}

const CREDENTIALS_ADVICE =
  'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or assign a role to the instance, task or pod';

function describeAttempt({ action, queue }: Attempt): string {
  return queue === undefined ? action : `${action} on "${queue}"`;
}

/** The reason in one line without a period: `ExpiredToken: The token has expired`. */
function reasonOf({ message, code }: SdkError, serviceCode: string | undefined): string {
  // A connection that failed on several addresses has a code but no message.
  const [line = ''] = (message || code || '').split('\n');
  const text = line.replace(/\.$/, '');
  return serviceCode === undefined || serviceCode === text ? text : `${serviceCode}: ${text}`;
}
