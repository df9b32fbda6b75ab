import type { ClientDocument } from '../clients/client-document.ts';
import type { CurrentKeys } from '../keys/key-ring.ts';
import { clientsFileTopic } from '../ports/announcements.ts';
import type { ClientSource } from '../ports/client-source.ts';
import type { TransactionStores } from '../ports/unit-of-work.ts';
import type { EndedClients } from '../revocation/client-revocation.ts';
import { type Announced, type AnnouncerDeps, createAnnouncer } from './announcer.ts';
import type { NewEvent } from './catalogue.ts';

/** Writes events about changes of clients and keys. Every process notices these changes separately. */
export interface ConfigurationChanges {
  /** Never rejects; `retry` repeats a failed write. */
  clients(
    source: Pick<ClientSource, 'name' | 'eachByItself'>,
    clients: readonly ClientDocument[],
  ): Promise<void>;
  /** Never rejects; a failed write is repeated by `retry`. */
  keys(keys: CurrentKeys): Promise<void>;
  retry(): Promise<void>;
}

type Follow = NonNullable<Announced['follow']>;

export interface ConfigurationChangesDeps extends AnnouncerDeps {
  newEvent: NewEvent;
  /** Ends everything that these clients were issued. Gives what is done after the commit. */
  endClients(stores: TransactionStores, clients: EndedClients): Promise<() => Promise<void>>;
}

export function createConfigurationChanges(deps: ConfigurationChangesDeps): ConfigurationChanges {
  const { newEvent, endClients } = deps;
  const announcer = createAnnouncer(deps);
  /**
   * Ends what was issued to clients that left the file or are disabled in it. In a store, the transaction that deletes or
   * disables a client does this.
   */
  const endGone =
    (clients: readonly ClientDocument[]): Follow =>
    async (stores, { removed, changed }) => {
      const isDisabled = (id: string) => clients.some((client) => client.id === id && !client.enabled);
      const ofFile: string[] = [];
      for (const id of [...removed, ...changed.filter(isDisabled)])
        if ((await stores.clients.find(id)) === undefined) ofFile.push(id);
      return endClients(stores, {
        deleted: ofFile.filter((id) => !isDisabled(id)),
        disabled: ofFile.filter(isDisabled),
      });
    };
  return {
    clients: ({ name: source, eachByItself }, clients) => {
      const announced: Announced = {
        topic: eachByItself ? `clients of ${source}` : clientsFileTopic,
        members: new Map(clients.map((client) => [client.id, client])),
        event: (difference) => newEvent('clients.changed', `clients:${source}`, { source, ...difference }),
      };
      return announcer.announce(eachByItself ? announced : { ...announced, follow: endGone(clients) });
    },
    keys: ({ kept }) =>
      announcer.announce({
        topic: 'keys',
        // Only the times at which a key starts to sign and retires were decided by a person. The state of the key
        // follows from these times and the current time.
        members: new Map(kept.map(({ kid, signsFrom, retiredAt }) => [kid, { signsFrom, retiredAt }])),
        event: (difference) => newEvent('keys.changed', 'keys', { ...difference }),
      }),
    retry: announcer.retry,
  };
}
