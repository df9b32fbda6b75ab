import { beforeEach, describe, expect, test } from '@jest/globals';
import { newId, randomToken } from '../../provider/lib/ids.ts';
import type { Account, AccountStore } from '../../provider/ports/account-store.ts';
import type { ClientSession, ClientSessions, LogoutReceiver } from '../../provider/ports/client-sessions.ts';
import type { ClaimedLogout, LogoutClaim, Logouts } from '../../provider/ports/logouts.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { sampleAccount } from './account-store.ts';
import { useFixture } from './fixture.ts';

export interface LogoutsFixture {
  /** The stores under test. They are empty at first. */
  sessions: ClientSessions;
  logouts: Logouts;
  /** Stores over the same data. */
  accounts: Pick<AccountStore, 'insert' | 'update'>;
  unitOfWork: UnitOfWork;
  close(): Promise<void>;
}

const now = Date.UTC(2026, 0, 1);
const leaseMs = 30_000;

/** Checks every sentence of `provider/ports/client-sessions.ts` and `provider/ports/logouts.ts` on what `open` gives. */
export function logoutsContract(name: string, open: () => Promise<LogoutsFixture>): void {
  describe(`${name} keeps the contracts of ClientSessions and Logouts`, () => {
    const fixture = useFixture(open, 'test');
    let sessions: ClientSessions;
    let logouts: Logouts;
    let account: Account;
    beforeEach(async () => {
      ({ sessions, logouts } = fixture());
      account = sampleAccount();
      await fixture().accounts.insert(account);
    });

    const receiver = (clientId: string, changes: Partial<LogoutReceiver> = {}): LogoutReceiver => ({
      clientId,
      uri: `https://${clientId}.example/logout`,
      host: `${clientId}.example`,
      withSid: true,
      mayBePrivate: false,
      ...changes,
    });
    const join = async (
      clientId: string,
      changes: Partial<ClientSession> = {},
      changed: Partial<LogoutReceiver> = {},
    ) => {
      const session: ClientSession = {
        clientId,
        sid: randomToken(16),
        accountId: account.id,
        tokenVersion: account.tokenVersion,
        expiresAt: now + 1000,
        ...changes,
      };
      return { session, isJoined: await sessions.join(session, receiver(clientId, changed)) };
    };
    const sidOf = async (clientId: string, changes: Partial<ClientSession> = {}) =>
      (await join(clientId, changes)).session.sid;
    const claim = (changes: Partial<LogoutClaim> = {}) =>
      logouts.claim({ limit: 100, perHost: 100, busyHosts: [], now, leaseMs, ...changes });
    const sidsOf = (claimed: readonly ClaimedLogout[]) => claimed.map(({ sid }) => sid).sort();
    /** Makes this number of logouts at a client. */
    const make = async (clientId: string, count: number) => {
      for (let made = 0; made < count; made += 1) await sessions.end({ sid: await sidOf(clientId) }, now);
    };

    test('a logout names the client, the person and the session, and goes where the client is', async () => {
      const sid = await sidOf('app');
      expect(await sessions.end({ sid }, now + 5)).toBe(1);
      expect(await claim()).toEqual([
        {
          id: expect.stringMatching(/^logout_[\w-]+$/),
          clientId: 'app',
          accountId: account.id,
          sid,
          endedAt: now + 5,
          attempts: 0,
          firstTriedAt: now,
          uri: 'https://app.example/logout',
          host: 'app.example',
          mayBePrivate: false,
        },
      ]);
    });

    test('sessions end by account, by account and client, by session of a browser, and by sid', async () => {
      const other = sampleAccount();
      await fixture().accounts.insert(other);
      const theirs = { accountId: other.id, tokenVersion: other.tokenVersion };
      const [a, b, c] = [await sidOf('app', { sessionId: 's1' }), await sidOf('app'), await sidOf('site')];
      const [d, e] = [await sidOf('app', theirs), await sidOf('site', { ...theirs, sessionId: 's2' })];
      const ended = async (...which: Parameters<ClientSessions['end']>) => {
        const count = await sessions.end(...which);
        const claimed = await claim();
        expect(claimed).toHaveLength(count);
        return sidsOf(claimed);
      };
      expect(await ended({ sid: 'unknown' }, now)).toEqual([]);
      expect(await ended({ sessionId: 's1' }, now)).toEqual([a]);
      expect(await ended({ accountId: account.id, clientId: 'app' }, now)).toEqual([b]);
      expect(await ended({ accountId: account.id }, now)).toEqual([c]);
      expect(await ended({ sid: d }, now)).toEqual([d]);
      expect(await ended({ accountId: other.id }, now)).toEqual([e]);
      expect(await ended({ accountId: other.id }, now)).toEqual([]);
    });

    test('parallel endings of one session make one logout, and a session that was joined again ends again', async () => {
      const { session } = await join('app', { sessionId: 's1' });
      const { sid } = session;
      const counts = await Promise.all([
        ...Array.from({ length: 5 }, () => sessions.end({ sid }, now)),
        ...Array.from({ length: 5 }, () => sessions.end({ accountId: account.id }, now)),
        ...Array.from({ length: 5 }, () => sessions.end({ sessionId: 's1' }, now)),
      ]);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1);
      await sessions.join(session, receiver('app'));
      expect(await sessions.end({ sid }, now)).toBe(1);
      expect(sidsOf(await claim())).toEqual([sid, sid]);
    });

    test('a session that is joined twice ends once', async () => {
      const { session } = await join('app');
      expect(await sessions.join({ ...session, expiresAt: now + 5000 }, receiver('app'))).toBe(true);
      expect(await sessions.end({ accountId: account.id }, now)).toBe(1);
    });

    test('an ending that is rolled back changes nothing', async () => {
      const sid = await sidOf('app');
      const run = fixture().unitOfWork.run(async ({ clientSessions }) => {
        expect(await clientSessions.end({ sid }, now)).toBe(1);
        throw new Error('rolled back');
      });
      await expect(run).rejects.toThrow('rolled back');
      expect(await claim()).toEqual([]);
      expect(await sessions.end({ sid }, now)).toBe(1);
    });

    test('an account that is disabled or has another token version joins nothing', async () => {
      expect((await join('app', { tokenVersion: account.tokenVersion + 1 })).isJoined).toBe(false);
      expect((await join('app', { accountId: newId('user') })).isJoined).toBe(false);
      await fixture().accounts.update(account.id, { state: 'disabled' }, now);
      expect((await join('app')).isJoined).toBe(false);
      expect(await sessions.end({ accountId: account.id }, now)).toBe(0);
    });

    test('of a join and an ending of the account at the same time, no session is left over', async () => {
      for (let round = 0; round < 10; round += 1) {
        const { tokenVersion } = account;
        const ending = fixture().unitOfWork.run(async (stores) => {
          const changed = await stores.accounts.update(account.id, { raiseTokenVersion: true }, now);
          const count = await stores.clientSessions.end({ accountId: account.id }, now);
          return { changed, count };
        });
        const joins = Array.from({ length: 5 }, () => join('app', { tokenVersion }));
        const [{ changed, count }, ...joined] = await Promise.all([ending, ...joins]);
        expect(count).toBe(joined.filter(({ isJoined }) => isJoined).length);
        expect(await sessions.end({ accountId: account.id }, now)).toBe(0);
        if (changed) account = changed;
      }
    });

    test('a session that its client left makes no logout', async () => {
      const sid = await sidOf('app');
      await sessions.leave(sid);
      expect(await sessions.end({ accountId: account.id }, now)).toBe(0);
    });

    test('without sid, one ending makes one logout for each client', async () => {
      for (const _ of [1, 2]) await join('app', {}, { withSid: false });
      await join('site');
      expect(await sessions.end({ accountId: account.id }, now)).toBe(2);
      const claimed = await claim();
      expect(claimed.find(({ clientId }) => clientId === 'app')).not.toHaveProperty('sid');
    });

    test('a logout that waits goes to the address that the client has now', async () => {
      await make('app', 1);
      const moved = receiver('app', {
        uri: 'https://new.example/out',
        host: 'new.example',
        mayBePrivate: true,
      });
      await sessions.update([moved, receiver('never joined')], ['unknown']);
      expect(await claim()).toMatchObject([
        { uri: 'https://new.example/out', host: 'new.example', mayBePrivate: true },
      ]);
    });

    test('nothing is left of a client that was deleted or has no address any more', async () => {
      for (const remove of [() => sessions.forget(['app']), () => sessions.update([], ['app'])]) {
        await make('app', 1);
        await make('site', 1);
        const sid = await sidOf('app');
        await remove();
        expect(await sessions.end({ sid }, now)).toBe(0);
        const claimed = await claim();
        expect(claimed.map(({ clientId }) => clientId)).toEqual(['site']);
      }
    });

    test('no logout is held by two claims, and a claim expires', async () => {
      await make('app', 5);
      const all = await Promise.all(Array.from({ length: 5 }, () => claim({ limit: 3 })));
      const ids = all.flat().map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      await claim();
      expect(await claim({ now: now + leaseMs - 1 })).toEqual([]);
      const again = await claim({ now: now + leaseMs });
      expect(again).toHaveLength(5);
      expect(again[0]).toMatchObject({ attempts: 1, firstTriedAt: now });
    });

    test('a claim takes at most a number for each host, and none for a busy host', async () => {
      await make('app', 4);
      await make('site', 2);
      // Another client on the same host.
      const { session } = await join('api', {}, { host: 'app.example' });
      await sessions.end({ sid: session.sid }, now);
      const hosts = (claimed: ClaimedLogout[]) => claimed.map(({ host }) => host).sort();
      expect(hosts(await claim({ perHost: 1 }))).toEqual(['app.example', 'site.example']);
      expect(hosts(await claim({ busyHosts: ['app.example'] }))).toEqual(['site.example']);
      expect(hosts(await claim({ limit: 1 }))).toEqual(['app.example']);
      expect(hosts(await claim())).toEqual(['app.example', 'app.example', 'app.example']);
    });

    test('a delivered logout is gone, and only one of two deliveries counts', async () => {
      await make('app', 1);
      const [logout] = await claim();
      const done = await Promise.all([1, 2, 3].map(() => logouts.markDelivered(logout?.id ?? '')));
      expect(done.filter(Boolean)).toHaveLength(1);
      expect(await logouts.markFailed(logout?.id ?? '', 'late', undefined)).toBe(false);
      expect(await claim({ now: now + 10 * leaseMs })).toEqual([]);
    });

    test('a failed logout is due again at its time, and does not hold back others', async () => {
      await make('app', 2);
      const [first, second] = await claim();
      expect(await logouts.markFailed(first?.id ?? '', 'a \0 reason', now + 10 * leaseMs)).toBe(true);
      expect((await claim({ now: now + leaseMs })).map(({ id }) => id)).toEqual([second?.id]);
      const [again] = await claim({ now: now + 10 * leaseMs, busyHosts: [] });
      expect([first?.id, second?.id]).toContain(again?.id);
    });

    test('a logout that was set aside is shown with its reason, and is due again only after a retry', async () => {
      await make('app', 2);
      const [first, second] = await claim();
      for (const logout of [first, second])
        await logouts.markFailed(logout?.id ?? '', 'no \0 answer', undefined);
      expect(await logouts.markDelivered(first?.id ?? '')).toBe(false);
      expect(await claim({ now: now + 10 * leaseMs })).toEqual([]);
      const aside = await logouts.setAside(10);
      expect(aside).toHaveLength(2);
      expect(aside[0]).toEqual({
        id: expect.any(String),
        clientId: 'app',
        accountId: account.id,
        sid: expect.any(String),
        endedAt: now,
        attempts: 1,
        reason: 'no  answer',
      });
      expect(await logouts.setAside(1)).toHaveLength(1);
      expect(await logouts.retry([first?.id ?? '', 'unknown'])).toEqual([first?.id]);
      expect(await claim({ now: now + 99 })).toMatchObject([
        { id: first?.id, attempts: 0, firstTriedAt: now + 99 },
      ]);
      expect(await logouts.retry(undefined)).toEqual([second?.id]);
    });

    test('depth counts what waits, the oldest of it, and what was set aside', async () => {
      expect(await logouts.depth()).toEqual({ pending: 0, oldest: undefined, setAside: 0 });
      await make('app', 1);
      await sessions.end({ sid: await sidOf('app') }, now - 7);
      const [one] = (await claim()).filter(({ endedAt }) => endedAt === now);
      expect(await logouts.depth()).toEqual({ pending: 2, oldest: now - 7, setAside: 0 });
      await logouts.markFailed(one?.id ?? '', 'no', undefined);
      expect(await logouts.depth()).toEqual({ pending: 1, oldest: now - 7, setAside: 1 });
    });
  });
}
