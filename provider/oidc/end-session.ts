import type { Provider } from 'oidc-provider';

/**
 * Ends a browser's session from outside of it: its access tokens at every client, its families without
 * `offline_access`, and the session itself, on every process. Does nothing when it is over already.
 *
 * @param uid the session's uid, which isn't its cookie
 */
export async function endSession(
  provider: Provider,
  uid: string,
  endSessionAtClient: (sid: string) => Promise<void>,
): Promise<void> {
  const session = await provider.Session.findByUid(uid);
  if (!session) return;
  // Tokens first: when this fails halfway the session still stands, and ending it again ends the rest.
  for (const { sid } of Object.values(session.authorizations ?? {})) {
    if (sid) await endSessionAtClient(sid);
  }
  await session.destroy();
}
