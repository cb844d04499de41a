/**
 * Signs requests to SQS (AWS Signature Version 4; see "Create a signed AWS API request" in the IAM user guide). Caches the
 * signing key, which depends only on the secret, the day and the region.
 */
import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export class Signer {
  readonly #region: string;
  #secret: string | undefined;
  #day = '';
  #key: KeyObject | undefined;

  constructor(region: string) {
    this.#region = region;
  }

  /**
   * Returns the headers of a POST with the signature added. `headers` must have lowercase names and include `host`. `path` is
   * the `pathname` of the URL.
   */
  sign(
    { accessKeyId, secretAccessKey, sessionToken }: Credentials,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    now: Date,
  ): Record<string, string> {
    const time = `${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
    const day = time.slice(0, 8);
    const added = {
      'x-amz-date': time,
      ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
    };
    const all: Record<string, string> = { ...headers, ...added };
    const names = Object.keys(all).sort();
    const signedHeaders = names.join(';');
    const canonicalHeaders = names.map((name) => `${name}:${all[name]}\n`).join('');
    const canonicalRequest = `POST\n${canonicalPath(path)}\n\n${canonicalHeaders}\n${signedHeaders}\n${sha256(body)}`;
    const scope = `${day}/${this.#region}/sqs/aws4_request`;
    const signature = createHmac('sha256', this.#keyOf(secretAccessKey, day))
      .update(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonicalRequest)}`)
      .digest('hex');
    const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
    return { ...all, authorization };
  }

  #keyOf(secret: string, day: string): KeyObject {
    if (this.#key === undefined || this.#secret !== secret || this.#day !== day) {
      const derived = [day, this.#region, 'sqs', 'aws4_request'].reduce<string | Buffer>(
        hmac,
        `AWS4${secret}`,
      );
      this.#key = createSecretKey(derived as Buffer);
      this.#secret = secret;
      this.#day = day;
    }
    return this.#key;
  }
}

/**
 * The canonical path for the signature: encoded again, without empty segments. `/my%20queues//jobs` becomes
 * `/my%2520queues/jobs`.
 */
function canonicalPath(path: string): string {
  return path
    .replaceAll(/\/{2,}/g, '/')
    .replaceAll(/[^\w.~/-]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}
