/** Keeps secrets out of what is printed. */
import { withoutPassword } from '../brokers/address.ts';

const SECRET_KEY = /pass|pwd|secret|token|key|credential|authorization/i;
const URL_PASSWORD = /(\/\/[^\s/:@]*:)[^\s/]*@/g;
const QUERY_SECRET = /([?&][\w.-]{0,40}(?:pass|pwd|secret|token|key|credential)[\w.-]{0,40}=)[^\s&#]*/gi;

/** Whether the value of a key with this name is likely to be a secret. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key);
}

/** A text with `***` for passwords in URLs, and for what their queries say is a secret. */
export function withoutPasswords(text: string): string {
  return text.replace(URL_PASSWORD, '$1***@').replace(QUERY_SECRET, '$1***');
}

/**
 * A key, or what should have been one, as it may be shown: the start of it where the secret itself may follow.
 *
 *     withoutSecretBehind('password: abc')    // 'password…'
 */
export function withoutSecretBehind(key: string): string {
  const [start = ''] = key.split(/[\s:=]/, 1);
  return isSecretKey(key) && start.length < key.length ? `${start}…` : key;
}

/**
 * A value of the ini file as it may be shown: `***` for what its key says is a secret, and for passwords in URLs.
 *
 *     withoutSecrets('api_key', 'abc')                    // '***'
 *     withoutSecrets('database', 'pg://me:abc@host/x')    // 'pg://me:***@host/x'
 */
export function withoutSecrets(key: string, value: string): string {
  // A file with a secret is named, so that it can be found.
  if (isSecretKey(key) && !key.endsWith('_file')) return '***';
  return key === 'broker' ? withoutPassword(value) : withoutPasswords(value);
}
