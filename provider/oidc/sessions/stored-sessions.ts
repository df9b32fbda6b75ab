import { type ArtifactOptions, createArtifacts } from '../storage/artifacts.ts';

/** The library's session as it is stored: the fields that are read without the library. */
export interface StoredSession {
  /** Its id in the store, which the cookie holds. */
  jti: string;
  accountId?: string | undefined;
  /** The account's token version when the person signed in. */
  tokenVersion?: number | undefined;
  /** Seconds since the epoch. */
  exp?: number | undefined;
  /** For each client, the `sid` of the session at that client. */
  authorizations?: Record<string, { sid?: string | undefined }> | undefined;
}

/** Sessions without a Provider: for commands, and for ending a session from outside of it. */
export interface StoredSessions {
  findByUid(uid: string): Promise<StoredSession | undefined>;
  /** Deletes it from the store, and does nothing else. */
  destroy(jti: string): Promise<void>;
}

export function createStoredSessions(options: ArtifactOptions): StoredSessions {
  const artifacts = createArtifacts('Session', options);
  return {
    findByUid: async (uid) => (await artifacts.findByIndex(uid))?.payload as StoredSession | undefined,
    destroy: (jti) => artifacts.destroy(jti),
  };
}
