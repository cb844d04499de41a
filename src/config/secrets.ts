/** Masks secrets in everything that is printed. */
import { withoutPassword } from '../brokers/address.ts';

const SECRET_KEY = /pass|pwd|secret|token|key|credential|authorization/i;
const URL_PASSWORD = /(\/\/[^\s/:@]*:)[^\s/]*@/g;
const QUERY_SECRET = /([?&][\w.-]{0,40}(?:pass|pwd|secret|token|key|credential)[\w.-]{0,40}=)[^\s&#]*/gi;

/** Whether the value of a key with this name is likely to be a secret. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key);
}

/** Replaces passwords in URLs and secret query parameters with `***`. */
export function withoutPasswords(text: string): string {
  return text.replace(URL_PASSWORD, '$1***@').replace(QUERY_SECRET, '$1***');
}

/**
 * A key, possibly malformed, in a form that is safe to print: cut off where a secret could follow.
 *
 *     withoutSecretBehind('password: abc')    // 'password…'
 */
export function withoutSecretBehind(key: string): string {
  const [start = ''] = key.split(/[\s:=]/, 1);
  return isSecretKey(key) && start.length < key.length ? `${start}…` : key;
}

/**
 * A value in a form that is safe to print: `***` if its key suggests a secret, and for passwords in URLs.
 *
 *     withoutSecrets('api_key', 'abc')                    // '***'
 *     withoutSecrets('database', 'pg://me:abc@host/x')    // 'pg://me:***@host/x'
 */
export function withoutSecrets(key: string, value: string): string {
  // The path of a file that holds a secret is not itself a secret, and users need it to find the file.
  if (isSecretKey(key) && !key.endsWith('_file')) return '***';
  return key === 'broker' ? withoutPassword(value) : withoutPasswords(value);
}
