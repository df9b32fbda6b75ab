import type { Consent, ConsentStore } from '../../ports/consent-store.ts';
import { type Access, MemoryDatabase } from './database.ts';

const rowKey = (accountId: string, clientId: string) => JSON.stringify([accountId, clientId]);

function union(before: string[] | undefined, added: string[]): string[] {
  return [...new Set([...(before ?? []), ...added])];
}

function unionOfResources(before: Consent['resourceScopes'], added: Consent['resourceScopes']) {
  const merged = new Map(Object.entries(before));
  for (const [audience, scopes] of Object.entries(added)) {
    merged.set(audience, union(merged.get(audience), scopes));
  }
  return Object.fromEntries(merged);
}

/** Consents in memory; alone, or in a MemoryDatabase shared with the other stores of a transaction. */
export class MemoryConsentStore implements ConsentStore {
  readonly #database: Access;

  constructor({ database = new MemoryDatabase() }: { database?: Access } = {}) {
    this.#database = database;
  }

  find(accountId: string, clientId: string): Promise<Consent | undefined> {
    return this.#database.use(({ consents }) => structuredClone(consents.get(rowKey(accountId, clientId))));
  }

  add(consent: Consent, _at: number): Promise<Consent> {
    const { accountId, clientId } = consent;
    return this.#database.use(({ consents }) => {
      const before = consents.get(rowKey(accountId, clientId));
      const after: Consent = {
        accountId,
        clientId,
        oidcScopes: union(before?.oidcScopes, consent.oidcScopes),
        resourceScopes: unionOfResources(before?.resourceScopes ?? {}, consent.resourceScopes),
      };
      consents.set(rowKey(accountId, clientId), after);
      return structuredClone(after);
    });
  }

  async withdraw(accountId: string, clientId: string): Promise<void> {
    await this.#database.use(({ consents }) => consents.delete(rowKey(accountId, clientId)));
  }
}
