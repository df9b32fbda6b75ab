import { newId } from '../../../provider/lib/ids.ts';
import type { Agreement, Consent, ConsentStore } from '../../../provider/ports/consent-store.ts';
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

/** Stores consents in memory, alone or in a MemoryDatabase shared with the other stores of a transaction. */
export class MemoryConsentStore implements ConsentStore {
  readonly #database: Access;

  constructor({ database = new MemoryDatabase() }: { database?: Access } = {}) {
    this.#database = database;
  }

  find(accountId: string, clientId: string): Promise<Consent | undefined> {
    return this.#database.use(({ consents }) => structuredClone(consents.get(rowKey(accountId, clientId))));
  }

  list(accountId: string): Promise<Consent[]> {
    return this.#database.use(({ consents }) =>
      [...consents.values()]
        .filter((consent) => consent.accountId === accountId)
        .sort((one, other) => one.since - other.since)
        .map((consent) => structuredClone(consent)),
    );
  }

  add(agreement: Agreement, at: number): Promise<{ consent: Consent; isNew: boolean }> {
    const { accountId, clientId } = agreement;
    return this.#database.use(({ consents }) => {
      const before = consents.get(rowKey(accountId, clientId));
      const after: Consent = {
        accountId,
        clientId,
        oidcScopes: union(before?.oidcScopes, agreement.oidcScopes),
        resourceScopes: unionOfResources(before?.resourceScopes ?? {}, agreement.resourceScopes),
        id: before?.id ?? newId('consent'),
        since: before?.since ?? at,
      };
      consents.set(rowKey(accountId, clientId), after);
      return { consent: structuredClone(after), isNew: before === undefined };
    });
  }

  withdraw({ accountId, clientId, id }: Pick<Consent, 'accountId' | 'clientId' | 'id'>): Promise<boolean> {
    return this.#database.use(({ consents }) => {
      const key = rowKey(accountId, clientId);
      return consents.get(key)?.id === id && consents.delete(key);
    });
  }
  withdrawAll(clientIds: readonly string[]): Promise<number> {
    return this.#database.use(({ consents }) => {
      const withdrawn = [...consents].filter(([, { clientId }]) => clientIds.includes(clientId));
      for (const [key] of withdrawn) consents.delete(key);
      return withdrawn.length;
    });
  }
}
