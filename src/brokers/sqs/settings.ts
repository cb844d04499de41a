/**
 * Where requests to SQS go and as whom: the options first, then what the AWS default chain finds in the environment
 * and the profiles.
 */
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { withoutPassword } from '../address.ts';
import { BrokerConfigError, BrokerError } from '../errors.ts';

export interface SqsOptions {
  /** Default: AWS_REGION, else the region of the profile. */
  readonly region?: string | undefined;
  /** The URL that requests go to. Default: AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL or the profile's, else AWS's own of the region. */
  readonly endpoint?: string | undefined;
  /** True if the endpoint is an emulator: region and credentials are made up where nothing names them. Default false. */
  readonly emulator?: boolean;
}

export interface SqsSettings {
  readonly region: string;
  /** Undefined: AWS's own endpoint of the region. */
  readonly endpoint: string | undefined;
  /** Undefined: those of the AWS default chain. */
  readonly credentials: NonNullable<SQSClientConfig['credentials']> | undefined;
}

/** Any will do: emulators do not check them. */
const EMULATOR_REGION = 'us-east-1';
const EMULATOR_CREDENTIALS = { accessKeyId: 'emulator', secretAccessKey: 'emulator' };

/** The variables that name credentials. Without one the chain may ask the metadata service, and wait for it in vain. */
const CREDENTIALS_VARIABLES = [
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

/** Throws a BrokerError of kind `setup` if no region is named anywhere, or the region or the endpoint cannot be one. */
export async function resolveSettings(options: SqsOptions): Promise<SqsSettings> {
  const { region, endpoint, emulator = false } = options;
  const chain = new SQSClient(region ? { region } : {}).config;
  return {
    region: await regionOf(chain.region, emulator && !region),
    endpoint: await endpointOf(endpoint ?? chain.serviceConfiguredEndpoint),
    credentials: emulator && !credentialsAreNamed() ? EMULATOR_CREDENTIALS : undefined,
  };
}

/** For people, and the start of most errors: `SQS in region eu-west-1`. */
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
      `No AWS region to use: ${(cause as Error).message.replace(/\.$/, '')}. Set AWS_REGION, or region in the AWS profile, or in the ini file [sqs] region`,
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
    `The SQS endpoint "${withoutPassword(endpoint)}" is no URL: expected https://HOST or http://HOST:PORT`,
  );
}

function credentialsAreNamed(): boolean {
  return CREDENTIALS_VARIABLES.some((name) => process.env[name]);
}
