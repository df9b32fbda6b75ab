import type { RegisteredClient, RegisteredClients } from '../../../provider/ports/registered-clients.ts';
import type { Access } from './database.ts';

/** Registered clients in a MemoryDatabase shared with the other stores of a transaction. For tests. */
export class MemoryRegisteredClients implements RegisteredClients {
  readonly #database: Access;

  constructor({ database }: { database: Access }) {
    this.#database = database;
  }

  find(id: string, now: number): Promise<RegisteredClient | undefined> {
    return this.#database.use(({ registeredClients }) => {
      const found = registeredClients.get(id);
      return found && found.expiresAt > now ? structuredClone(found) : undefined;
    });
  }

  list(now: number): Promise<RegisteredClient[]> {
    return this.#database.use(({ registeredClients }) =>
      structuredClone(
        [...registeredClients.values()]
          .filter(({ expiresAt }) => expiresAt > now)
          .sort((one, other) => other.createdAt - one.createdAt),
      ),
    );
  }

  add(client: RegisteredClient, { most, now }: { most: number; now: number }): Promise<boolean> {
    return this.#database.use(({ registeredClients }) => {
      const stored = [...registeredClients.values()].filter(({ expiresAt }) => expiresAt > now);
      if (stored.length >= most) return false;
      registeredClients.set(client.id, structuredClone(client));
      return true;
    });
  }

  update(change: Pick<RegisteredClient, 'id' | 'metadata' | 'secretSha256'>): Promise<boolean> {
    return this.#database.use(({ registeredClients }) => {
      const known = registeredClients.get(change.id);
      if (known) registeredClients.set(change.id, { ...known, ...structuredClone(change) });
      return known !== undefined;
    });
  }

  keep(id: string, expiresAt: number): Promise<void> {
    return this.#database.use(({ registeredClients }) => {
      const known = registeredClients.get(id);
      if (known && known.expiresAt < expiresAt) registeredClients.set(id, { ...known, expiresAt });
    });
  }

  remove(id: string): Promise<boolean> {
    return this.#database.use(({ registeredClients }) => registeredClients.delete(id));
  }

  addToken(sha256: string, expiresAt: number): Promise<void> {
    return this.#database.use(({ registrationTokens }) => void registrationTokens.set(sha256, expiresAt));
  }

  hasToken(sha256: string, now: number): Promise<boolean> {
    return this.#database.use(({ registrationTokens }) => (registrationTokens.get(sha256) ?? 0) > now);
  }
}
