import { ConfigurationError } from '../lib/errors.ts';

const shortest = 32;

/** Of 32 random hexadecimal digits, fewer than 8 are different once in 20 million times. */
const fewestCharacters = 8;

function isRepeated(secret: string): boolean {
  const periods = Array.from({ length: Math.floor(secret.length / 2) }, (_, index) => index + 1);
  return periods.some((period) => secret.startsWith(secret.slice(0, -period), period));
}

/** Whether most characters are the same as the one before, or its neighbours in the alphabet. */
function isSequence(secret: string): boolean {
  const steps = Array.from(secret).filter(
    (_, index) => Math.abs(secret.charCodeAt(index) - secret.charCodeAt(index - 1)) <= 1,
  );
  return steps.length >= secret.length * 0.75;
}

/** What makes a secret easy to guess. It finds texts that cannot be random, but cannot prove that a text is random. */
function weakness(secret: string): string | undefined {
  if (secret.length < shortest) return `has fewer than ${shortest} characters`;
  const different = new Set(secret).size;
  if (different < fewestCharacters) return `has only ${different} different characters`;
  if (isRepeated(secret)) return 'repeats itself';
  return isSequence(secret) ? 'is a sequence of characters' : undefined;
}

/**
 * Gives the secrets in the text that the setting refers to, the current one first. They are separated by
 * white space or commas.
 *
 * @throws ConfigurationError that names each secret that is too short or too easy to guess by its position, and never contains its text
 */
export function parseServerSecrets(
  text: string,
  setting = 'GATEHOUSE_SERVER_SECRETS',
): readonly [string, ...string[]] {
  const advice = 'Make one with: openssl rand -base64 48 | tr -d "\\n"';
  const [current, ...older] = text.split(/[\s,]+/).filter((secret) => secret !== '');
  if (current === undefined) {
    throw new ConfigurationError([`${setting} names a secret without text. ${advice}`]);
  }
  const secrets: readonly [string, ...string[]] = [current, ...older];
  const problems = secrets.flatMap((secret, index) => {
    const weak = weakness(secret);
    return weak === undefined
      ? []
      : [`${setting}: secret ${index + 1} of ${secrets.length} ${weak}. ${advice}`];
  });
  if (new Set(secrets).size < secrets.length) {
    problems.push(`${setting}: the same secret is there twice. Remove one.`);
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return secrets;
}
