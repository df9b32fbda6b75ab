import { createHash } from 'node:crypto';
import type { StoredClientSecret } from '../ports/client-store.ts';
import { type Finding, missing } from './conditions.ts';

/** The annotation of a resource whose change makes Gatehouse replace the generated secret. */
export const rotateAnnotation = 'gatehouse.dev/rotate';
/** The annotation of a generated Secret with the time of its generation. */
export const generatedAnnotation = 'gatehouse.dev/generated-at';

/** What the cluster and the store say about the secret of a client. Times are in milliseconds since the epoch. */
export interface SecretState {
  source: 'referenced' | 'generated';
  /** The name of the Secret and the key in it, for messages. */
  name: string;
  key: string;
  /** Undefined when the Secret does not exist. */
  secret:
    | {
        /** The value of the key. */
        value: string | undefined;
        /** Whether the resource owns the Secret. */
        owned: boolean;
        /** The value of the annotation `rotate` for which it was generated. */
        rotate: string | undefined;
        generatedAt: number | undefined;
      }
    | undefined;
  /** The digests in the store. */
  stored: readonly StoredClientSecret[];
  /** The value of the annotation `rotate` of the resource. */
  rotate: string | undefined;
  rotateAfterMs: number | undefined;
  overlapMs: number;
  now: number;
}

export type SecretPlan =
  /** The Secret is missing or can't be used. The digests in the store stay as they are. */
  | { kind: 'wait'; finding: Finding }
  /** The store gets these digests. */
  | { kind: 'use'; secrets: readonly StoredClientSecret[]; rotateAt: number | undefined }
  /** The Secret has no client secret: it gets a new one. The store takes its digest from there at the next look. */
  | { kind: 'write'; why: 'SecretGenerated' | 'SecretReplaced' }
  /**
   * The client gets a new secret while apps use the one in the Secret. The store gets the new one first, beside `keep`,
   * so that no app has a secret that a process does not know.
   */
  | { kind: 'rotate'; keep: string };

/** The shortest secret of a Kubernetes Secret, in characters. Only its SHA-256 is stored, so it must not be guessable. */
export const shortestSecret = 32;

export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

const current = (stored: readonly StoredClientSecret[]) =>
  stored.find(({ notAfter }) => notAfter === undefined);

const isLive = ({ notAfter }: StoredClientSecret, now: number) =>
  notAfter === undefined || Date.parse(notAfter) > now;

/**
 * The digests after `sha256` became the secret in use, the oldest first: one that ends after the overlap, and this one
 * without end. A secret that is being replaced already keeps its end. With the same `sha256` again, nothing changes.
 *
 * @param keep the other secret, if it is not the one that the store has as current
 */
export function nextSecrets(
  stored: readonly StoredClientSecret[],
  sha256: string,
  { now, overlapMs, keep }: { now: number; overlapMs: number; keep?: string | undefined },
): StoredClientSecret[] {
  const inUse = current(stored);
  const live = stored.filter((secret) => secret.sha256 !== sha256 && isLive(secret, now));
  if (inUse?.sha256 === sha256) return [...live.slice(-1), { sha256 }];
  const before = keep ?? inUse?.sha256 ?? live.at(-1)?.sha256;
  if (before === undefined || before === sha256 || overlapMs === 0) return [{ sha256 }];
  return [{ sha256: before, notAfter: new Date(now + overlapMs).toISOString() }, { sha256 }];
}

/** Decides what happens to the secret of a client. */
export function planSecret(state: SecretState): SecretPlan {
  return state.source === 'referenced' ? planReferenced(state) : planGenerated(state);
}

const use = (state: SecretState, sha256: string, rotateAt?: number): SecretPlan => ({
  kind: 'use',
  secrets: nextSecrets(state.stored, sha256, state),
  rotateAt,
});

const wait = (reason: string, message: string): SecretPlan => ({
  kind: 'wait',
  finding: missing(reason, message),
});

function planReferenced(state: SecretState): SecretPlan {
  const { name, key, secret } = state;
  if (secret === undefined)
    return wait('SecretNotFound', `The Secret ${name} does not exist. Gatehouse waits for it.`);
  if (secret.value === undefined || secret.value === '')
    return wait(
      'SecretKeyNotFound',
      `The Secret ${name} has no text under the key ${key}. Gatehouse waits for it.`,
    );
  if (secret.value.length < shortestSecret)
    return wait(
      'SecretTooShort',
      `The client secret in ${name} has less than ${shortestSecret} characters. Use a random one, such as the output of "openssl rand -base64 32".`,
    );
  return use(state, digestOf(secret.value));
}

function planGenerated(state: SecretState): SecretPlan {
  const { name, secret, stored, now, rotate, rotateAfterMs } = state;
  const inUse = current(stored)?.sha256;
  if (secret === undefined)
    return { kind: 'write', why: inUse === undefined ? 'SecretGenerated' : 'SecretReplaced' };
  if (!secret.owned)
    return wait(
      'SecretNotOurs',
      `The Secret ${name} exists and does not belong to this resource. Gatehouse does not change it: set spec.secretName to another name, or use it with spec.secretRef.`,
    );
  if (secret.value === undefined || secret.value.length < shortestSecret)
    return { kind: 'write', why: 'SecretReplaced' };
  const sha256 = digestOf(secret.value);
  // The store has a newer secret that was never written to the Secret, because the operator was stopped before.
  const isLeftBehind =
    inUse !== undefined && inUse !== sha256 && stored.some((known) => known.sha256 === sha256);
  if (isLeftBehind) return { kind: 'rotate', keep: sha256 };
  const rotateAt =
    rotateAfterMs === undefined || secret.generatedAt === undefined
      ? undefined
      : secret.generatedAt + rotateAfterMs;
  const isAsked = rotate !== undefined && rotate !== secret.rotate;
  if (isAsked || (rotateAt !== undefined && rotateAt <= now)) return { kind: 'rotate', keep: sha256 };
  return use(state, sha256, rotateAt);
}
