import type { ClientDocument } from '../../clients/client-document.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ClientSession, ClientSessions, LogoutReceiver } from '../../ports/client-sessions.ts';
import { sessionHandle } from './sign-ins.ts';

export interface SessionAtClient extends Pick<ClientSession, 'sid' | 'accountId' | 'tokenVersion'> {
  /** The uid of the browser's session; undefined for a sign-in without one. */
  sessionUid?: string | undefined;
}

/** Notes who is signed in at clients that want logout tokens (OpenID Connect Back-Channel Logout 1.0). */
export interface SessionsAtClients {
  /**
   * To be called before tokens are issued to a client whose document has a `backchannelLogoutUri`.
   * @returns false when the sign-in was ended meanwhile
   */
  join(client: ClientDocument, session: SessionAtClient): Promise<boolean>;
  /** Takes over changed documents, so that logouts which wait go to the new address. */
  documentsLoaded(documents: readonly ClientDocument[]): Promise<void>;
}

export interface SessionsAtClientsOptions {
  store: Pick<ClientSessions, 'join' | 'update'>;
  /** Whether the client is from our configuration. One that registered itself is not. */
  isConfigured(clientId: string): boolean;
  clock: Clock;
  /** The longest lifetime of a session and of a refresh token. */
  longestSeconds: number;
}

export function createSessionsAtClients(options: SessionsAtClientsOptions): SessionsAtClients {
  const { store, clock, longestSeconds } = options;
  const receiverOf = (document: ClientDocument, mayBePrivate: boolean): LogoutReceiver[] => {
    const {
      id: clientId,
      backchannelLogoutUri: uri,
      backchannelLogoutSessionRequired: withSid = true,
    } = document;
    return uri === undefined ? [] : [{ clientId, uri, host: new URL(uri).host, withSid, mayBePrivate }];
  };
  return {
    join: async (client, { sessionUid, ...session }) => {
      const [receiver] = receiverOf(client, options.isConfigured(client.id));
      if (receiver === undefined) return true;
      const sessionId = sessionUid === undefined ? undefined : sessionHandle(sessionUid);
      const expiresAt = clock.now() + longestSeconds * 1000;
      return store.join({ ...session, clientId: client.id, sessionId, expiresAt }, receiver);
    },
    documentsLoaded: (documents) =>
      store.update(
        documents.flatMap((document) => receiverOf(document, true)),
        documents.filter((document) => document.backchannelLogoutUri === undefined).map(({ id }) => id),
      ),
  };
}
