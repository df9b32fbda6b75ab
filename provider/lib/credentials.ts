import { ConfigurationError } from './errors.ts';
import { readSecretReference } from './secret-reference.ts';

/** A user name and a password that belong together. Without a user name, the one in the URL is used. */
export interface Credential {
  user?: string | undefined;
  password: string;
}

function textAt(value: object, key: string): string | undefined {
  const found: unknown = Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/**
 * Reads the text of a secret for a database or for Redis. A whole secret of AWS Secrets Manager (`secretsmanager:NAME`)
 * that holds a JSON object is a pair, in the form that RDS and its rotation use: `username` and `password`. Every other
 * secret is a password.
 *
 * @throws ConfigurationError for an object without a password. It never contains the secret.
 */
export function readCredential(reference: string, text: string): Credential {
  const { scheme, key } = readSecretReference(reference) ?? {};
  if (scheme !== 'secretsmanager' || key !== undefined || !/^\s*\{/.test(text)) return { password: text };
  const problem = (what: string) =>
    new ConfigurationError([
      `The secret ${reference} can't be used: ${what}. Store {"username": "…", "password": "…"} as RDS does, or name one key with ${reference}#KEY.`,
    ]);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw problem('it begins like a JSON object and is none');
  }
  const user = textAt(Object(parsed), 'username');
  const password = textAt(Object(parsed), 'password');
  if (password === undefined) throw problem('its JSON has no text under the key password');
  return { user, password };
}
