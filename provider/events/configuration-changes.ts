import type { ClientDocument } from '../clients/client-document.ts';
import type { CurrentKeys } from '../keys/key-ring.ts';
import { type AnnouncerDeps, createAnnouncer } from './announcer.ts';
import type { NewEvent } from './catalogue.ts';

/** Writes events about changes of clients and keys. Every process notices these changes separately. */
export interface ConfigurationChanges {
  /**
   * Never rejects; `retry` repeats a failed write.
   *
   * @param source the name of the clients' source
   */
  clients(source: string, clients: readonly ClientDocument[]): Promise<void>;
  /** Never rejects; a failed write is repeated by `retry`. */
  keys(keys: CurrentKeys): Promise<void>;
  retry(): Promise<void>;
}

export function createConfigurationChanges({
  newEvent,
  ...deps
}: AnnouncerDeps & { newEvent: NewEvent }): ConfigurationChanges {
  const announcer = createAnnouncer(deps);
  return {
    clients: (source, clients) =>
      announcer.announce({
        topic: `clients of ${source}`,
        members: new Map(clients.map((client) => [client.id, client])),
        event: (difference) => newEvent('clients.changed', `clients:${source}`, { source, ...difference }),
      }),
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
