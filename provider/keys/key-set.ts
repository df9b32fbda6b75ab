import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import type { Config } from '../config/schema.ts';
import { ConfigurationError } from '../lib/errors.ts';

const number = z.string().regex(/^[A-Za-z0-9_-]+$/, 'must be base64url');

const privateJwkSchema = z
  .object({ kty: z.literal('RSA'), n: number, e: number, d: number, p: number, q: number })
  .extend({ dp: number, dq: number, qi: number });

/** An RSA private key (RFC 7518 §6.3.2). */
export type PrivateJwk = z.output<typeof privateJwkSchema>;

const milliseconds = z.int().min(0);

const signingKeySchema = z.object({
  kid: z.string().min(1).max(200),
  /** The private key. A key that AWS KMS keeps has `kms` instead. */
  privateJwk: privateJwkSchema.optional(),
  /** The name of the key in KMS, and its public part. */
  kms: z.object({ arn: z.string().min(1).max(2048), n: number, e: number }).optional(),
  /** The key is in the JWKS from this time on. All times in this file are in milliseconds since the epoch. */
  publishedAt: milliseconds,
  /** The key may sign from this time on. */
  signsFrom: milliseconds,
  /** From this time on, the key no longer signs, because the next key signs. */
  retiredAt: milliseconds.optional(),
});

const keySetSchema = z.object({ keys: z.array(signingKeySchema).min(1) }).superRefine(({ keys }, context) => {
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) {
    context.addIssue({ code: 'custom', path: ['keys'], message: 'two keys have the same kid' });
  }
  for (const [index, { privateJwk, kms }] of keys.entries()) {
    if ((privateJwk === undefined) === (kms === undefined)) {
      const message = 'needs either privateJwk or kms';
      context.addIssue({ code: 'custom', path: ['keys', index], message });
    }
  }
  if (keys.every(({ retiredAt }) => retiredAt !== undefined)) {
    context.addIssue({
      code: 'custom',
      path: ['keys'],
      message: 'every key is retired: one must stay to sign',
    });
  }
});

/** A signing key and the times at which its state changes. */
export type SigningKey = z.output<typeof signingKeySchema>;

/**
 * All signing keys. Only the set and the time determine which key signs and which keys are published. So all processes
 * choose the same keys without communication. At least one key is not retired.
 */
export interface KeySet {
  keys: SigningKey[];
}

/** The modulus and the exponent of a key, base64url (RFC 7518 §6.3.1). */
export function publicPart({ privateJwk, kms }: Pick<SigningKey, 'privateJwk' | 'kms'>): {
  n: string;
  e: string;
} {
  const part = privateJwk ?? kms;
  if (part === undefined) throw new Error('a key without a public part was let in');
  return { n: part.n, e: part.e };
}

/** The durations for which retired keys are needed. */
export interface KeyTimes {
  /** The longest lifetime of a token that a key signs. */
  tokenSeconds: number;
  /** How long a key is published before it signs. It must be longer than any verifier caches the JWKS. */
  leadSeconds: number;
  /** How long a retired key still checks `id_token_hint`s at logout. */
  keptSeconds: number;
}

/** The `keptSeconds` of every process: 30 days. */
export const usualKeptSeconds = 30 * 86_400;

/** The times that follow from the settings. */
export function keyTimesOf(
  config: Pick<Config, 'accessTokenSeconds' | 'idTokenSeconds' | 'keyLeadSeconds'>,
): KeyTimes {
  return {
    tokenSeconds: Math.max(config.accessTokenSeconds, config.idTokenSeconds),
    leadSeconds: config.keyLeadSeconds,
    keptSeconds: usualKeptSeconds,
  };
}

function unusable(index: number, jwk: PrivateJwk): string[] {
  try {
    const key = createPrivateKey({ key: jwk, format: 'jwk' });
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    return bits >= 2048 ? [] : [`/keys/${index}/privateJwk is an RSA key of ${bits} bits: use at least 2048`];
  } catch {
    return [`/keys/${index}/privateJwk is not an RSA private key that can be read`];
  }
}

const invalid = (problems: string[]) =>
  new ConfigurationError(
    problems.map((problem) => `The key set is not valid: ${problem}. Restore it from a backup.`),
  );

/**
 * Parses a stored key set.
 *
 * @throws ConfigurationError that says where the text is wrong and never repeats it, because it is secret
 */
export function parseKeySet(text: string): KeySet {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The message of the parser contains a part of the text, which is secret.
    throw invalid(['it is not JSON']);
  }
  const parsed = keySetSchema.safeParse(value);
  if (!parsed.success) {
    throw invalid(parsed.error.issues.map(({ path, message }) => `/${path.join('/')} ${message}`));
  }
  const problems = parsed.data.keys.flatMap(({ privateJwk }, index) =>
    privateJwk === undefined ? [] : unusable(index, privateJwk),
  );
  if (problems.length > 0) throw invalid(problems);
  return parsed.data;
}

/** The text that `parseKeySet` reads. Secret. */
export function serializeKeySet(set: KeySet): string {
  return `${JSON.stringify(set)}\n`;
}
