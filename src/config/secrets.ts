/** Keeps secrets out of what is printed. */

const SECRET_KEY = /pass|pwd|secret|token|key|credential/i;
const URL_PASSWORD = /(\/\/[^\s/:@]*:)[^\s/]*@/g;

/**
 * A value of the ini file as it may be shown: `***` for what its key says is a secret, and for passwords in URLs.
 *
 *     withoutSecrets('api_key', 'abc')                    // '***'
 *     withoutSecrets('database', 'pg://me:abc@host/x')    // 'pg://me:***@host/x'
 */
export function withoutSecrets(key: string, value: string): string {
  return SECRET_KEY.test(key) ? '***' : value.replace(URL_PASSWORD, '$1***@');
}
