/** A client that gets a logout token when a person's session there ends (OpenID Connect Back-Channel Logout 1.0 §2.2). */
export interface LogoutReceiver {
  clientId: string;
  /** Its `backchannel_logout_uri`. */
  uri: string;
  /** Host and port of `uri`. Requests to one host share a limit. */
  host: string;
  /** Whether logout tokens have the `sid`. Without it, they end all of the person's sessions at the client. */
  withSid: boolean;
  /** Whether `uri` may be in our own network: only for a client from our configuration, never for one that registered itself. */
  mayBePrivate: boolean;
}

/** A person is signed in at a client. */
export interface ClientSession {
  clientId: string;
  /** The `sid` of the id tokens. No two sessions at clients have the same. */
  sid: string;
  accountId: string;
  /** The account's token version when the person signed in. */
  tokenVersion: number;
  /** The handle of the browser's session; undefined for a sign-in without one (password, device). */
  sessionId?: string | undefined;
  /** When all tokens of it have expired at the latest. Milliseconds since the epoch. */
  expiresAt: number;
}

/** Which sessions at clients end. */
export type EndedClientSessions =
  /** Those of an account, at one client or at all. */
  | { accountId: string; clientId?: string | undefined }
  /** Those of one session of a browser. */
  | { sessionId: string }
  | { sid: string };

/**
 * The sessions of people at clients that want a logout token. They are in the database and not with the browser's
 * sessions: so an ending finds them in its own transaction, also where it has neither Redis nor server secrets, and also
 * after Redis lost its data. Clients without a back-channel logout URI have none.
 *
 * Guarantees, on every implementation, across processes:
 * - `end` is part of the transaction that writes the ending. When it commits, each ended session has left the list and
 *   one logout for it is waiting (`logouts.ts`); when it does not, nothing changed.
 * - of any number of parallel endings of one session, exactly one makes a logout. A later ending makes none, unless the
 *   session was joined again.
 * - of a `join` and a transaction that raises the account's token version and then calls `end`, either `join` gives
 *   false, or `end` ends the joined session.
 */
export interface ClientSessions {
  /**
   * Notes a session before its tokens are issued, and the client's newest document with it. A session that is known gets
   * the new values. Gives false, and notes nothing, when the account is not active or has another token version.
   */
  join(session: ClientSession, receiver: LogoutReceiver): Promise<boolean>;
  /** Ends sessions, and makes a logout for each. Gives the number of logouts. @param at milliseconds since the epoch */
  end(which: EndedClientSessions, at: number): Promise<number>;
  /** Removes a session without a logout: the client ended it itself. */
  leave(sid: string): Promise<void>;
  /**
   * Brings the receivers up to date with the documents of their clients. Clients that were never joined stay unknown.
   *
   * @param without the ids of clients whose document has no URI: their sessions and logouts are removed
   */
  update(receivers: readonly LogoutReceiver[], without: readonly string[]): Promise<void>;
  /** Removes everything about deleted clients, also the logouts that wait. */
  forget(clientIds: readonly string[]): Promise<void>;
}
