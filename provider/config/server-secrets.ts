import { ConfigurationError } from '../lib/errors.ts';

const shortest = 32;

/**
 * Gives the secrets in the text that GATEHOUSE_SERVER_SECRETS refers to, the current one first. They are separated by
 * white space or commas.
 *
 * @throws ConfigurationError that names each secret that is too short by its position, and never contains its text
 */
export function parseServerSecrets(text: string): readonly [string, ...string[]] {
  const advice = 'Make one with: openssl rand -base64 48 | tr -d "\\n"';
  const [current, ...older] = text.split(/[\s,]+/).filter((secret) => secret !== '');
  if (current === undefined) {
    throw new ConfigurationError([`GATEHOUSE_SERVER_SECRETS names a secret without text. ${advice}`]);
  }
  const secrets: readonly [string, ...string[]] = [current, ...older];
  const problems = secrets.flatMap((secret, index) =>
    secret.length < shortest
      ? [
          `GATEHOUSE_SERVER_SECRETS: secret ${index + 1} of ${secrets.length} has fewer than ${shortest} characters. ${advice}`,
        ]
      : [],
  );
  if (new Set(secrets).size < secrets.length) {
    problems.push('GATEHOUSE_SERVER_SECRETS: the same secret is there twice. Remove one.');
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return secrets;
}
