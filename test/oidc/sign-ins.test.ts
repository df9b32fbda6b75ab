import { expect, test } from '@jest/globals';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { createSignIns, sessionHandle, signInsOfPage } from '../../provider/oidc/sessions/sign-ins.ts';
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

test('a page looks up its own entries only, the last used first; the next one follows', async () => {
  const clock = createManualClock();
  const index = new MemoryAccountIndex({ clock });
  const expiresAt = clock.now() + 3_600_000;
  let lookedUp = 0;
  const gone = sessionHandle('uid 990');
  const signIns = createSignIns({
    index,
    clock,
    keys: createServerKeys(['a'.repeat(40)]),
    activeSignInsOf: async () => ({
      session: async (uid) => {
        lookedUp += 1;
        return sessionHandle(uid) === gone ? undefined : { expiresAt };
      },
      family: async () => undefined,
    }),
    endSession: async () => {},
    endFamily: async () => {},
  });
  for (let number = 0; number < 1000; number += 1) {
    clock.advance(1);
    await signIns.sessionSeen({ accountId: 'user_A', uid: `uid ${number}`, startedAt: 0, expiresAt });
  }
  const first = await signIns.page('user_A');
  expect(lookedUp).toBe(signInsOfPage);
  expect(first.entries).toHaveLength(signInsOfPage - 1);
  expect(first.entries[0]?.id).toBe(sessionHandle('uid 999'));
  const seen = new Set(first.entries.map(({ id }) => id));
  let after = first.next;
  for (let pages = 1; after !== undefined; pages += 1) {
    expect(pages).toBeLessThan(1000 / signInsOfPage);
    const page = await signIns.page('user_A', after);
    for (const { id } of page.entries) seen.add(id);
    after = page.next;
  }
  expect(seen.size).toBe(999);
  expect((await signIns.page('user_A', 'made up')).entries).toEqual(first.entries);

  expect(await signIns.endOne('user_A', sessionHandle('uid 5'))).toBe(true);
  expect(await signIns.endOne('user_A', sessionHandle('uid 5'))).toBe(false);
  expect(await signIns.endOne('user_B', sessionHandle('uid 6'))).toBe(false);
});
