import { ConfigurationError } from './errors.ts';

export const secretSchemes = ['file', 'env', 'secretsmanager'] as const;

export type SecretScheme = (typeof secretSchemes)[number];

/** A reference to a secret, in its parts. */
export interface SecretReference {
  scheme: SecretScheme;
  /** A path, the name of a variable, or the name or ARN of a secret in AWS Secrets Manager. */
  name: string;
  /** Only for `secretsmanager:`. The key in the JSON object that the secret holds. Without it, the whole text is meant. */
  key?: string | undefined;
}

/** How each scheme is written, for messages. */
export const secretForms: Readonly<Record<SecretScheme, string>> = {
  file: 'file:/path/of/the/file',
  env: 'env:NAME_OF_A_VARIABLE',
  secretsmanager: 'secretsmanager:NAME#KEY',
};

const shapes: Readonly<Record<SecretScheme, RegExp>> = {
  file: /^file:(?<name>[^\0\r\n]+)$/,
  env: /^env:(?<name>[A-Za-z_][A-Za-z0-9_]*)$/,
  // The characters of names and ARNs of AWS Secrets Manager. A `#` can't be one of them.
  secretsmanager: /^secretsmanager:(?<name>[A-Za-z0-9/_+=.@:-]{1,2048})(?:#(?<key>[^\0\r\n]+))?$/,
};

/** Gives the parts of a well-formed reference, and undefined for any other text. */
export function readSecretReference(text: string): SecretReference | undefined {
  for (const scheme of secretSchemes) {
    const { name, key } = shapes[scheme].exec(text)?.groups ?? {};
    if (name !== undefined) return { scheme, name, key };
  }
  return undefined;
}

/**
 * Gives the parts of a reference.
 *
 * @throws ConfigurationError for a text that is no reference. The error does not repeat the text, because a person may
 * have written the secret itself.
 */
export function parseSecretReference(text: string): SecretReference {
  const read = readSecretReference(text);
  if (read !== undefined) return read;
  const { file, env, secretsmanager } = secretForms;
  throw new ConfigurationError([
    `A secret is named by ${file}, ${env} or ${secretsmanager}, and by nothing else.`,
  ]);
}
