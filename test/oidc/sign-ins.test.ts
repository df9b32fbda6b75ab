import { expect, test } from '@jest/globals';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { createSignIns, sessionHandle } from '../../provider/oidc/sessions/sign-ins.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryAccountIndex } from '../support/memory/account-index.ts';

test('a browser is listed once, with the same id, after the server secrets are replaced', async () => {
  const clock = createManualClock();
  const index = new MemoryAccountIndex({ clock });
  const expiresAt = clock.now() + 3_600_000;
  const ended: string[] = [];
  const withSecrets = (...secrets: [string, ...string[]]) =>
    createSignIns({
      index,
      clock,
      keys: createServerKeys(secrets),
      activeSignInsOf: async () => ({
        session: async () => ({ expiresAt }),
        family: async () => undefined,
      }),
      endSession: async (uid) => void ended.push(uid),
      endFamily: async () => {},
    });
  const old = withSecrets('a'.repeat(40));
  const young = withSecrets('b'.repeat(40), 'a'.repeat(40));
  const seen = { accountId: 'user_A', uid: 'the-uid', startedAt: clock.now(), expiresAt };

  await old.sessionSeen(seen);
  const [before] = await young.list('user_A');
  expect(before?.id).toBe(sessionHandle('the-uid'));
  clock.advance(300_000);
  await young.sessionSeen({ ...seen, ip: '192.0.2.1' });
  expect(await young.list('user_A')).toEqual([expect.objectContaining({ id: before?.id, ip: '192.0.2.1' })]);

  // The page comes from another process, whose current secret is the old one.
  expect(await young.end('user_A', ({ id }) => id === sessionHandle('the-uid'))).toBe(1);
  expect(ended).toEqual(['the-uid']);
  expect(await young.list('user_A')).toEqual([]);
});
