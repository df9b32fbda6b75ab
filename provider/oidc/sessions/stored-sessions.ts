import { type ArtifactAdapterDeps, createArtifactAdapter } from '../storage/artifact-adapter.ts';

/** The library's session as it is stored: what is looked at without the library. */
export interface StoredSession {
  /** Its id in the store, which the cookie holds. */
  jti: string;
  accountId?: string | undefined;
  /** The account's when the person signed in. */
  tokenVersion?: number | undefined;
  /** Seconds since the epoch. */
  exp?: number | undefined;
  /** By client: what the session is called there. */
  authorizations?: Record<string, { sid?: string | undefined }> | undefined;
}

/** Sessions without a Provider: for commands, and for who ends one from outside of it. */
export interface StoredSessions {
  findByUid(uid: string): Promise<StoredSession | undefined>;
  /** Takes it out of the store, and no more than that. */
  destroy(jti: string): Promise<void>;
}

export function createStoredSessions(
  deps: Pick<ArtifactAdapterDeps, 'store' | 'keys' | 'clock'>,
): StoredSessions {
  // Nothing consumes a session.
  const adapter = createArtifactAdapter('Session', { ...deps, rememberSpentSeconds: 0 });
  return {
    findByUid: async (uid) => (await adapter.findByUid(uid)) as StoredSession | undefined,
    destroy: async (jti) => void (await adapter.destroy(jti)),
  };
}
