/**
 * Resolves the region, endpoint and credentials for SQS: from the options first, then from the environment and the profiles,
 * like the AWS default chain.
 */
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { withoutPassword } from '../address.ts';
import { BrokerConfigError, BrokerError } from '../errors.ts';

export interface SqsOptions {
  /** Default: AWS_REGION, or else the region in the profile. */
  readonly region?: string | undefined;
  /** The URL for requests. Default: AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL, the profile's, or else the region's AWS endpoint. */
  readonly endpoint?: string | undefined;
  /** True if the endpoint is an emulator: a missing region or missing credentials get dummy values. Default false. */
  readonly emulator?: boolean;
}

export interface SqsSettings {
  readonly region: string;
  /** Undefined: the region's AWS endpoint. */
  readonly endpoint: string | undefined;
  /** Undefined: use the AWS default chain. */
  readonly credentials: NonNullable<SQSClientConfig['credentials']> | undefined;
}

/** Dummy values: emulators do not check them. */
const EMULATOR_REGION = 'us-east-1';
const EMULATOR_CREDENTIALS = { accessKeyId: 'emulator', secretAccessKey: 'emulator' };

/** Variables that configure credentials. Without any, the chain may try the metadata service and time out. */
const CREDENTIALS_VARIABLES = [
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

/** Throws a BrokerError of kind `setup` if no region is configured, or the region or the endpoint is invalid. */
export async function resolveSettings(options: SqsOptions): Promise<SqsSettings> {
  const { region, endpoint, emulator = false } = options;
  const chain = new SQSClient(region ? { region } : {}).config;
  return {
    region: await regionOf(chain.region, emulator && !region),
    endpoint: await endpointOf(endpoint ?? chain.serviceConfiguredEndpoint),
    credentials: emulator && !credentialsAreNamed() ? EMULATOR_CREDENTIALS : undefined,
  };
}

/** The broker's description, which starts most error messages: `SQS in region eu-west-1`. */
export function describe({ region, endpoint }: SqsSettings): string {
  return `SQS in region ${region}${endpoint === undefined ? '' : ` at ${withoutPassword(endpoint)}`}`;
}

export function isHttpUrl(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? '');
}

async function regionOf(chain: () => Promise<string>, mayBeMadeUp: boolean): Promise<string> {
  try {
    return await chain();
  } catch (cause) {
    if (mayBeMadeUp) return EMULATOR_REGION;
    throw new BrokerError(
      'setup',
      `No AWS region to use: ${(cause as Error).message.replace(/\.$/, '')}. Set AWS_REGION, region in the AWS profile, or [sqs] region in the ini file`,
      { cause },
    );
  }
}

async function endpointOf(
  configured: string | (() => Promise<string | undefined>) | undefined,
): Promise<string | undefined> {
  const endpoint = typeof configured === 'function' ? await configured() : configured;
  if (endpoint === undefined || isHttpUrl(endpoint)) return endpoint;
  throw new BrokerConfigError(
    `The SQS endpoint "${withoutPassword(endpoint)}" is not a URL: expected https://HOST or http://HOST:PORT`,
  );
}

function credentialsAreNamed(): boolean {
  return CREDENTIALS_VARIABLES.some((name) => process.env[name]);
}
