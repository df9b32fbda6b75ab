import { hash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { ClientSecret } from './client-document.ts';
import type { ClientProblem, LocatedDocument } from './parse-client-documents.ts';

/** SHA-256 digests of secrets, by the reference that a document gives. */
type SecretDigests = ReadonlyMap<string, Buffer>;

interface ResolvedSecrets {
  digests: SecretDigests;
  /** References that were never readable. Clients that use one of them cannot be used. */
  missing: ClientProblem[];
  /** References that were readable before and are not readable now. The last value stays in use. */
  outdated: ClientProblem[];
}

export interface ClientSecretCheck {
  /** Reads all secrets that these clients refer to. It changes nothing and never throws. */
  resolve(clients: readonly LocatedDocument[]): Promise<ResolvedSecrets>;
  /** Replaces the clients and digests that `matches` compares with. */
  use(clients: readonly LocatedDocument[], digests: SecretDigests): void;
  /**
   * Whether `presented` is a secret of this client that has not expired. The duration does not depend on `presented`.
   * All secrets of the client that have not expired are compared, so the duration does not reveal which one matched.
   */
  matches(clientId: string, presented: string): boolean;
}

interface DatedDigest {
  digest: Buffer;
  /** Milliseconds since the epoch. */
  notAfter: number;
}

const sha256 = (value: string) => hash('sha256', value, 'buffer');

function digestOf(secret: ClientSecret, digests: SecretDigests): Buffer | undefined {
  if (secret.sha256 === undefined) return secret.ref === undefined ? undefined : digests.get(secret.ref);
  return Buffer.from(secret.sha256, secret.sha256.length === 64 ? 'hex' : 'base64url');
}

async function readDigest(secrets: Pick<Secrets, 'resolve'>, reference: string): Promise<Buffer | Error> {
  try {
    const value = await secrets.resolve(reference);
    return value === '' ? new Error(`${reference} is empty`) : sha256(value);
  } catch (error) {
    return error instanceof Error ? error : new Error(`${reference} can't be read`);
  }
}

function failures(clients: readonly LocatedDocument[], errors: ReadonlyMap<string, Error>): ClientProblem[] {
  return clients.flatMap(({ origin, document }) =>
    document.secrets.flatMap((secret, index) => {
      const error = secret.ref === undefined ? undefined : errors.get(secret.ref);
      if (error === undefined) return [];
      const path = `/secrets/${index}/ref`;
      return [{ origin, clientId: document.id, path, message: `can't be read: ${error.message}` }];
    }),
  );
}

/** Compares client secrets with their digests. Only digests are kept in memory, never the secrets. */
export function createClientSecretCheck(deps: {
  secrets: Pick<Secrets, 'resolve'>;
  clock: Clock;
}): ClientSecretCheck {
  let known: SecretDigests = new Map();
  let byClient = new Map<string, DatedDigest[]>();

  return {
    async resolve(clients) {
      const references = clients.flatMap(({ document }) => document.secrets.flatMap(({ ref }) => ref ?? []));
      const read = await Promise.all(
        [...new Set(references)].map(async (ref) => [ref, await readDigest(deps.secrets, ref)] as const),
      );
      const digests = new Map(known);
      const missing = new Map<string, Error>();
      const outdated = new Map<string, Error>();
      for (const [ref, result] of read) {
        if (!(result instanceof Error)) digests.set(ref, result);
        else (known.has(ref) ? outdated : missing).set(ref, result);
      }
      return { digests, missing: failures(clients, missing), outdated: failures(clients, outdated) };
    },

    use(clients, digests) {
      const next = new Map<string, DatedDigest[]>();
      const used = new Map<string, Buffer>();
      for (const { document } of clients) {
        const dated: DatedDigest[] = [];
        for (const secret of document.secrets) {
          const digest = digestOf(secret, digests);
          if (digest === undefined) continue;
          if (secret.ref !== undefined) used.set(secret.ref, digest);
          const notAfter = secret.notAfter === undefined ? Infinity : Date.parse(secret.notAfter);
          dated.push({ digest, notAfter });
        }
        next.set(document.id, dated);
      }
      known = used;
      byClient = next;
    },

    matches(clientId, presented) {
      const digest = sha256(presented);
      const now = deps.clock.now();
      return (byClient.get(clientId) ?? [])
        .filter((secret) => secret.notAfter > now)
        .map((secret) => timingSafeEqual(secret.digest, digest))
        .includes(true);
    },
  };
}
