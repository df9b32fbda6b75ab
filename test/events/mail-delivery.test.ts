import { afterEach, expect, test } from '@jest/globals';
import { createMailDelivery, type MailDeliveryDeps } from '../../provider/events/mail-delivery.ts';
import type { PollingLoop } from '../../provider/events/polling-loop.ts';
import type { SendResult } from '../../provider/ports/mail-sender.ts';
import { sampleMail } from '../contract/mails.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryMails } from '../support/memory/mails.ts';
import { waitFor } from '../support/wait-for.ts';

const to = 'john@example.com';
const loops: PollingLoop[] = [];
afterEach(async () => {
  for (const loop of loops.splice(0)) await loop.stop();
});

function createWorld(answer: () => Promise<SendResult> | SendResult, deps: Partial<MailDeliveryDeps> = {}) {
  const clock = createManualClock(sampleMail().createdAt);
  const mails = new MemoryMails({ database: new MemoryDatabase() });
  const sent: string[] = [];
  const outcomes: string[] = [];
  const lines: string[] = [];
  const note = (fields: Record<string, unknown>, message: string) =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const options: MailDeliveryDeps = {
    mails,
    render: ({ id }) => ({ id, to, subject: 's', text: 't', html: 'h' }),
    send: async ({ id }) => {
      sent.push(id);
      return answer();
    },
    isSuppressed: async () => false,
    count: async () => 'allowed',
    clock,
    logger: { info: note, warn: note },
    metrics: { mails: (outcome) => void outcomes.push(outcome), delay: () => {} },
    minIdleMs: 5,
    maxIdleMs: 5,
    ...deps,
  };
  const start = () => {
    const loop = createMailDelivery(options);
    loops.push(loop);
    loop.start();
  };
  return { clock, mails, sent, outcomes, lines, start };
}

const taken: SendResult = { outcome: 'sent', answer: '250 taken' };
const away: SendResult = { outcome: 'failed', reason: `no answer for <${to}>` };

test('several processes send each mail once, and nothing is left of it', async () => {
  const { mails, sent, start, outcomes } = createWorld(() => taken);
  const all = Array.from({ length: 30 }, () => sampleMail());
  for (const mail of all) await mails.add(mail);
  for (let count = 0; count < 3; count += 1) start();
  await waitFor(() => outcomes.length === all.length);
  expect([...sent].sort()).toEqual(all.map(({ id }) => id).sort());
  expect(await mails.depth()).toEqual({ pending: 0, oldest: undefined, setAside: 0 });
});

test('a mail that fails is tried again with growing pauses, and set aside when it would expire', async () => {
  const { clock, mails, sent, outcomes, start } = createWorld(() => away);
  await mails.add(sampleMail());
  start();
  await waitFor(() => outcomes.length === 1);
  clock.advance(4999);
  expect(sent).toHaveLength(1);
  for (let step = 0; step < 100 && outcomes.at(-1) !== 'set_aside'; step += 1) {
    const count = outcomes.length;
    clock.advance(900_000);
    await waitFor(() => outcomes.length > count);
  }
  expect(outcomes.slice(0, -1).every((outcome) => outcome === 'failed')).toBe(true);
  expect(outcomes.length).toBeGreaterThan(2);
  expect(await mails.setAside(1)).toMatchObject([
    { reason: expect.stringContaining('no answer for <<address>>') },
  ]);
});

test('an expired mail is never sent', async () => {
  const { clock, mails, sent, outcomes, start } = createWorld(() => taken);
  const mail = sampleMail();
  await mails.add(mail);
  clock.advance(mail.expiresAt - clock.now());
  start();
  await waitFor(() => outcomes.length === 1);
  expect([sent, outcomes]).toEqual([[], ['set_aside']]);
  expect(await mails.setAside(1)).toMatchObject([{ reason: 'it expired before it could be sent' }]);
});

test('a refused mail is set aside at once, and holds back no other', async () => {
  const answers: SendResult[] = [{ outcome: 'rejected', reason: '550 no such user' }, taken];
  const { mails, outcomes, start } = createWorld(() => answers.shift() ?? away);
  await mails.add(sampleMail());
  await mails.add(sampleMail({ createdAt: sampleMail().createdAt + 1 }));
  start();
  await waitFor(() => outcomes.length === 2);
  expect([...outcomes].sort()).toEqual(['sent', 'set_aside']);
});

test('a sender that throws and a content that cannot be read count as failures', async () => {
  const throwing = createWorld(() => Promise.reject(new Error('broken')));
  await throwing.mails.add(sampleMail());
  throwing.start();
  await waitFor(() => throwing.outcomes.length === 1);
  const unreadable = createWorld(() => taken, {
    render: () => {
      throw new Error('its content cannot be read');
    },
  });
  await unreadable.mails.add(sampleMail());
  unreadable.start();
  await waitFor(() => unreadable.outcomes.length === 1);
  expect([throwing.outcomes, unreadable.outcomes, unreadable.sent]).toEqual([['failed'], ['failed'], []]);
});

test('a mail beyond the limit of its address is dropped, one beyond the limit in total waits and is counted again', async () => {
  const many = createWorld(() => taken, { count: async () => 'too_many' });
  await many.mails.add(sampleMail());
  many.start();
  await waitFor(() => many.outcomes.length === 1);
  expect([many.sent, many.outcomes, (await many.mails.depth()).pending]).toEqual([[], ['dropped'], 0]);

  const verdicts: ('allowed' | number)[] = [1000, 'allowed'];
  const full = createWorld(() => taken, { count: async () => verdicts.shift() ?? 'too_many' });
  await full.mails.add(sampleMail());
  full.start();
  await waitFor(() => verdicts.length === 1);
  expect(full.sent).toEqual([]);
  full.clock.advance(1000);
  await waitFor(() => full.outcomes.length === 1);
  expect(full.outcomes).toEqual(['sent']);
});

test('no line of the log has the address or the content', async () => {
  const { mails, lines, outcomes, start } = createWorld(() => away);
  await mails.add(sampleMail());
  start();
  await waitFor(() => outcomes.length === 1);
  expect(lines.join('\n')).toContain('mail not sent, trying again');
  expect(lines.join('\n')).not.toContain(to);
  expect(lines.join('\n')).not.toContain('sealed');
});

test('a mail to a suppressed address is dropped, also one that failed before, and the log does not name it', async () => {
  let isSuppressed = false;
  const { clock, mails, sent, outcomes, lines, start } = createWorld(() => away, {
    isSuppressed: async () => isSuppressed,
    count: async () => 'allowed',
  });
  await mails.add(sampleMail());
  start();
  await waitFor(() => outcomes.length === 1);
  isSuppressed = true;
  await mails.add(sampleMail());
  clock.advance(900_000);
  await waitFor(() => outcomes.length === 3);
  expect(outcomes).toEqual(['failed', 'suppressed', 'suppressed']);
  expect(sent).toHaveLength(1);
  expect(await mails.depth()).toEqual({ pending: 0, oldest: undefined, setAside: 0 });
  expect(lines.join()).toContain('mail dropped, its address is suppressed');
  expect(lines.join()).not.toContain(to);
});
