import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import type { RegisteredClient, RegisteredClients } from '../ports/registered-clients.ts';
import { type ClientDocument, registeredIdPrefix } from './client-document.ts';
import { ClientRefused } from './client-id-metadata.ts';
import {
  type ClientMetadata,
  describeMetadataProblems,
  documentOfMetadata,
  type RegistrationRules,
} from './registration-metadata.ts';

/** SHA-256 in base64url. Values with 256 random bits need no slower hash. */
export const sha256 = (value: string): string => createHash('sha256').update(value).digest('base64url');

/** Whether the digest is that of the value, in constant time. */
export const isDigestOf = (digest: string | undefined, value: string): boolean =>
  digest !== undefined && timingSafeEqual(Buffer.from(digest), Buffer.from(sha256(value)));

/** Whether a client with this id can only have registered itself. */
export const isRegisteredId = (id: string): boolean => id.startsWith(registeredIdPrefix);

/** Checks metadata of a client that registers itself, or that did (RFC 7591 §2). */
export const checkRegistration = (id: string, metadata: ClientMetadata, rules: RegistrationRules) =>
  documentOfMetadata(metadata, rules, {
    id,
    name: 'An app without a name',
    auth: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    isForAllServers: false,
  });

export interface RegisteredLookupOptions {
  store: Pick<RegisteredClients, 'find' | 'keep'>;
  rules: RegistrationRules;
  clock: Clock;
}

/** The look-ups of clients that registered themselves: in this process, and after at most a second in the store. */
export interface RegisteredLookup {
  find(id: string): ClientDocument | undefined;
  /** @throws ClientRefused for metadata that the settings do not allow any more; StoreUnavailable */
  lookup(id: string): Promise<ClientDocument | undefined>;
  isAllowed(id: string): boolean;
  secretMatches(id: string, presented: string): boolean;
  /** A person let the client use an account: from now on its registration is kept. */
  used(id: string): Promise<void>;
}

/** How long a process uses a client without another look at the store, where it may have been changed or deleted. */
const heldMs = 1000;

/** How many clients a process keeps in memory. */
const mostHeld = 1000;

const day = 86_400_000;

/** How long a registration is kept that was not used at all, and after its last use. A refresh token lives 90 days at most. */
export const registrationMs = { unused: day, afterUse: 91 * day };

interface Held {
  client: RegisteredClient;
  document: ClientDocument;
  until: number;
}

export function createRegisteredLookup({ store, rules, clock }: RegisteredLookupOptions): RegisteredLookup {
  const held = new Map<string, Held>();
  const hold = (id: string, client: RegisteredClient, now: number): ClientDocument => {
    const checked = checkRegistration(id, client.metadata, rules);
    if (!checked.ok) throw new ClientRefused(describeMetadataProblems(checked.problems));
    held.set(id, { client, document: checked.document, until: now + heldMs });
    for (const oldest of held.keys()) {
      if (held.size <= mostHeld) break;
      held.delete(oldest);
    }
    return checked.document;
  };
  const keep = (id: string) => store.keep(id, clock.now() + registrationMs.afterUse);
  return {
    find: (id) => held.get(id)?.document,
    isAllowed: isRegisteredId,
    secretMatches: (id, presented) => isDigestOf(held.get(id)?.client.secretSha256, presented),
    lookup: async (id) => {
      if (!isRegisteredId(id)) return undefined;
      const now = clock.now();
      const known = held.get(id);
      if (known && now < known.until) return known.document;
      held.delete(id);
      const client = await store.find(id, now);
      if (client === undefined) return undefined;
      const wasUsed = client.expiresAt > client.createdAt + registrationMs.unused;
      // One write a day is enough.
      if (wasUsed && client.expiresAt < now + registrationMs.afterUse - day) await keep(id);
      return hold(id, client, now);
    },
    used: async (id) => {
      if (isRegisteredId(id)) await keep(id);
    },
  };
}
