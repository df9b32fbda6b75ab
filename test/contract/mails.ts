import { beforeEach, describe, expect, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import type { Mail, Mails } from '../../provider/ports/mails.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { useFixture } from './fixture.ts';

export interface MailsFixture {
  /** The store under test. It is empty at first. */
  mails: Mails;
  /** Transactions over the same data. */
  unitOfWork: UnitOfWork;
  close(): Promise<void>;
}

const now = Date.UTC(2026, 0, 1);
const leaseMs = 30_000;

export const sampleMail = (changes: Partial<Mail> = {}): Mail => ({
  id: newId('mail'),
  kind: 'password-changed',
  accountId: newId('user'),
  content: 'sealed',
  createdAt: now,
  expiresAt: now + 3_600_000,
  ...changes,
});

/** Checks every sentence of `provider/ports/mails.ts` on what `open` gives. */
export function mailsContract(name: string, open: () => Promise<MailsFixture>): void {
  describe(`${name} keeps the contract of Mails`, () => {
    const fixture = useFixture(open, 'test');
    let mails: Mails;
    beforeEach(() => {
      ({ mails } = fixture());
    });

    const added = async (changes: Partial<Mail> = {}) => {
      const mail = sampleMail(changes);
      await mails.add(mail);
      return mail;
    };
    const claim = (at = now, limit = 100) => mails.claim(limit, at, leaseMs);
    const idsOf = (found: readonly { id: string }[]) => found.map(({ id }) => id).sort();

    test('a claimed mail is as it was added, and knows its earlier tries', async () => {
      const mail = await added();
      const bare = await added({ accountId: undefined, createdAt: now + 1 });
      const { accountId: _, ...withoutAccount } = bare;
      expect(await claim()).toEqual(
        expect.arrayContaining([
          { ...mail, attempts: 0 },
          { ...withoutAccount, attempts: 0 },
        ]),
      );
      const again = await claim(now + leaseMs);
      expect(again.map(({ attempts }) => attempts)).toEqual([1, 1]);
    });

    test('a mail is stored if and only if its transaction commits', async () => {
      const [kept, dropped] = [sampleMail(), sampleMail()];
      await fixture().unitOfWork.run(async (stores) => stores.mails.add(kept));
      const run = fixture().unitOfWork.run(async (stores) => {
        await stores.mails.add(dropped);
        throw new Error('rolled back');
      });
      await expect(run).rejects.toThrow('rolled back');
      expect(idsOf(await claim())).toEqual([kept.id]);
    });

    test('no mail is held by two claims, and a claim expires', async () => {
      const all = await Promise.all(Array.from({ length: 5 }, () => added()));
      const claims = await Promise.all(Array.from({ length: 5 }, () => claim(now, 2)));
      const ids = claims.flat().map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      await claim();
      expect(await claim(now + leaseMs - 1)).toEqual([]);
      expect(idsOf(await claim(now + leaseMs))).toEqual(idsOf(all));
    });

    test('mails that have waited the longest come first, and a claim takes no more than its limit', async () => {
      const second = await added({ createdAt: now + 1 });
      const first = await added({ createdAt: now });
      expect(await claim(now, 1)).toMatchObject([{ id: first.id }]);
      expect(await claim(now, 1)).toMatchObject([{ id: second.id }]);
      expect(await claim(now, 1)).toEqual([]);
    });

    test('an expired mail is given too, so that it can be set aside', async () => {
      const mail = await added({ expiresAt: now - 1 });
      expect(idsOf(await claim())).toEqual([mail.id]);
    });

    test('of removals and failures of one mail at the same time, exactly one counts, and nothing is left of it', async () => {
      const mail = await added();
      await claim();
      const results = await Promise.all([
        ...Array.from({ length: 3 }, () => mails.remove(mail.id)),
        mails.markFailed(mail.id, 'no', undefined),
      ]);
      expect(results.filter(Boolean)).toHaveLength(1);
      const removed = await added();
      expect(await mails.remove(removed.id)).toBe(true);
      expect(await mails.markFailed(removed.id, 'late', undefined)).toBe(false);
      expect(idsOf(await claim(now + leaseMs))).toEqual([]);
      expect(idsOf(await mails.setAside(10))).not.toContain(removed.id);
    });

    test('a failed mail is due again at its time, and holds back no other', async () => {
      const [failed, other] = [await added(), await added({ createdAt: now + 1 })];
      await claim();
      expect(await mails.markFailed(failed.id, 'a \0 reason', now + 5 * leaseMs)).toBe(true);
      expect(idsOf(await claim(now + leaseMs))).toEqual([other.id]);
      expect(await mails.remove(other.id)).toBe(true);
      expect(await claim(now + 5 * leaseMs - 1)).toEqual([]);
      expect(await claim(now + 5 * leaseMs)).toMatchObject([
        { id: failed.id, attempts: 1, reason: 'a  reason' },
      ]);
    });

    test('a postponed mail is due again at its time, and the claim was no try', async () => {
      const mail = await added();
      await claim();
      await mails.postpone(mail.id, now + 7);
      expect(await claim(now + 6)).toEqual([]);
      expect(await claim(now + 7)).toMatchObject([{ id: mail.id, attempts: 0 }]);
    });

    test('a mail that was set aside is shown without its content, and is due again only after a retry', async () => {
      const mail = await added();
      const expired = await added({ createdAt: now + 1, expiresAt: now + 10 });
      await claim();
      for (const { id } of [mail, expired])
        expect(await mails.markFailed(id, 'no \0 answer', undefined)).toBe(true);
      expect(await mails.remove(mail.id)).toBe(false);
      expect(await mails.markFailed(mail.id, 'again', undefined)).toBe(false);
      expect(await claim(now + 10 * leaseMs)).toEqual([]);
      const { content: _, ...facts } = mail;
      const aside = await mails.setAside(10);
      expect(aside).toHaveLength(2);
      expect(aside[0]).toEqual({ ...facts, attempts: 1, reason: 'no  answer' });
      expect(await mails.setAside(1)).toHaveLength(1);
      expect(await mails.retry([mail.id, 'unknown'], now + 10)).toEqual([mail.id]);
      expect(await claim(now + 10)).toMatchObject([{ id: mail.id, attempts: 0 }]);
      expect(await mails.retry(undefined, now + 10)).toEqual([]);
      expect(await mails.retry(undefined, now + 9)).toEqual([expired.id]);
    });

    test('depth counts what waits, the oldest of it, and what was set aside', async () => {
      expect(await mails.depth()).toEqual({ pending: 0, oldest: undefined, setAside: 0 });
      const [first] = [await added(), await added({ createdAt: now - 7 })];
      expect(await mails.depth()).toEqual({ pending: 2, oldest: now - 7, setAside: 0 });
      await mails.markFailed(first.id, 'no', undefined);
      expect(await mails.depth()).toEqual({ pending: 1, oldest: now - 7, setAside: 1 });
    });
  });
}
