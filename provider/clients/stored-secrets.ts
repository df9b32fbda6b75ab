import { createHash, randomBytes } from 'node:crypto';
import type { StoredClientSecret } from '../ports/client-store.ts';

/** How long a generated secret works after the document names secrets itself, in milliseconds. */
export const namedSecretsOverlapMs = 24 * 3_600_000;

/** The most secrets of a client that can work at one time. */
export const mostSecrets = 2;

/** A new client secret: 256 random bits in hex, which no app has to encode before it sends them (RFC 6749 §2.3.1). */
export const generateClientSecret = (): string => randomBytes(32).toString('hex');

/** What is stored of a secret. */
export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

/** The secrets that work at this time. @param now milliseconds since the epoch */
export const liveSecrets = (secrets: readonly StoredClientSecret[], now: number): StoredClientSecret[] =>
  secrets.filter(({ notAfter }) => notAfter === undefined || Date.parse(notAfter) > now);

/** The same secret, which stops working at this time at the latest. */
export function endingBy(secret: StoredClientSecret, at: number): StoredClientSecret {
  const end = secret.notAfter === undefined ? at : Math.min(at, Date.parse(secret.notAfter));
  return { sha256: secret.sha256, notAfter: new Date(end).toISOString() };
}

/** Whether clients with this document authenticate with a secret. `auth` has a default. */
export function usesSecret({ auth = 'client_secret_basic' }: { auth?: unknown }): boolean {
  return typeof auth === 'string' && auth.startsWith('client_secret');
}

/** The number of secrets that a document names itself. */
export const namedSecrets = ({ secrets }: { secrets?: unknown }): number =>
  Array.isArray(secrets) ? secrets.length : 0;

/** The secrets to store beside a document, and whether a new one must be generated and added to them. */
export interface KeptSecrets {
  secrets: readonly StoredClientSecret[];
  needsNew: boolean;
}

/**
 * Decides about the generated secrets of a client whose document is written.
 *
 * - A client that uses no secret keeps none.
 * - A client whose document names no secret has one without an end.
 * - When the document begins to name secrets, generated ones work for some time longer, so that the app can change.
 *
 * @param current the stored secrets, oldest first. They are given back unchanged if nothing must change.
 * @param now milliseconds since the epoch
 */
export function keptSecrets(
  document: Record<string, unknown>,
  current: readonly StoredClientSecret[],
  now: number,
): KeptSecrets {
  if (!usesSecret(document)) return { secrets: [], needsNew: false };
  const live = liveSecrets(current, now);
  const named = namedSecrets(document);
  if (named === 0) {
    if (live.some(({ notAfter }) => notAfter === undefined)) return { secrets: current, needsNew: false };
    return { secrets: live.slice(1 - mostSecrets), needsNew: true };
  }
  const room = Math.max(0, mostSecrets - named);
  if (live.length <= room && current.every(({ notAfter }) => notAfter !== undefined))
    return { secrets: current, needsNew: false };
  const kept = room === 0 ? [] : live.slice(-room);
  return {
    secrets: kept.map((one) =>
      one.notAfter === undefined ? endingBy(one, now + namedSecretsOverlapMs) : one,
    ),
    needsNew: false,
  };
}

/** Why a secret can't be added to a client. */
export type SecretProblem =
  | { problem: 'uses_no_secret' | 'named_in_document' }
  /** Two secrets work. The earlier one until this time, or without an end. */
  | { problem: 'two_secrets'; until: string | undefined };

/**
 * Adds a secret to those that are stored beside a client's document.
 *
 * @param overlapMs how long the present secrets work at most from now on. Undefined: they keep their ends. 0: they stop
 *   working at once.
 * @param now milliseconds since the epoch
 */
export function addSecret(
  { document, secrets }: { document: Record<string, unknown>; secrets: readonly StoredClientSecret[] },
  sha256: string,
  { overlapMs, now }: { overlapMs: number | undefined; now: number },
): StoredClientSecret[] | SecretProblem {
  if (!usesSecret(document)) return { problem: 'uses_no_secret' };
  if (namedSecrets(document) > 0) return { problem: 'named_in_document' };
  if (overlapMs === 0) return [{ sha256 }];
  const live = liveSecrets(secrets, now);
  if (live.length >= mostSecrets) return { problem: 'two_secrets', until: live[0]?.notAfter };
  const before = overlapMs === undefined ? live : live.map((one) => endingBy(one, now + overlapMs));
  return [...before, { sha256 }];
}
