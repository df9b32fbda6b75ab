import { afterEach, expect, test } from '@jest/globals';
import { createMailFeedback, mailProof, type ReportOutcome } from '../../provider/events/mail-feedback.ts';
import type { PollingLoop } from '../../provider/events/polling-loop.ts';
import { newId, randomToken } from '../../provider/lib/ids.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import type { FeedbackMessage, MailReport } from '../../provider/ports/mail-feedback.ts';
import type { MailSuppression } from '../../provider/ports/mail-suppressions.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { waitFor } from '../support/wait-for.ts';

const to = 'John@example.com';
const loops: PollingLoop[] = [];
afterEach(async () => {
  for (const loop of loops.splice(0)) await loop.stop();
});

/** A queue in memory. `reading` may throw, as a service that is away. */
function createWorld({ keys = createServerKeys([randomToken()]), failures = 0 } = {}) {
  const clock = createManualClock();
  const queue = new Map<string, MailReport | undefined>();
  const suppressed: MailSuppression[] = [];
  const outcomes: ReportOutcome[] = [];
  const lines: string[] = [];
  const note = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  let unavailable = failures;
  const seen = new Set<string>();
  const loop = createMailFeedback({
    feedback: {
      receive: async (): Promise<FeedbackMessage[]> =>
        [...queue]
          .filter(([receipt]) => !seen.has(receipt))
          .map(([receipt, report]) => ({ receipt, report })),
      remove: async (receipts) => {
        for (const receipt of receipts) queue.delete(receipt);
      },
    },
    suppressions: {
      add: async (suppression) => {
        if (unavailable > 0) {
          unavailable -= 1;
          throw new Error('the store is away');
        }
        suppressed.push(suppression);
      },
    },
    keys,
    clock,
    logger: { info: note, warn: note },
    metrics: {
      reports: (outcome) => {
        if (outcome === 'unreadable') for (const [receipt, report] of queue) if (!report) seen.add(receipt);
        outcomes.push(outcome);
      },
    },
    minIdleMs: 2,
    maxIdleMs: 2,
  });
  loops.push(loop);
  const put = (report: MailReport | undefined) => void queue.set(newId('receipt'), report);
  return { clock, keys, queue, suppressed, outcomes, lines, loop, put };
}

function ours(world: ReturnType<typeof createWorld>, kind: MailReport['kind'], address = to): MailReport {
  const mailId = newId('mail');
  return { kind, mailId, proof: mailProof(world.keys, mailId, address), to: address };
}

test('a lasting bounce and a complaint suppress the address for a year; the log does not name it', async () => {
  const world = createWorld();
  world.put(ours(world, 'bounce'));
  world.put(ours(world, 'complaint', 'jane@example.com'));
  world.loop.start();
  await waitFor(() => world.queue.size === 0);
  const at = world.clock.now();
  const year = 365 * 86_400_000;
  expect(world.suppressed).toEqual([
    { address: to, reason: 'bounce', at, expiresAt: at + year },
    { address: 'jane@example.com', reason: 'complaint', at, expiresAt: at + year },
  ]);
  expect(world.outcomes).toEqual(['bounce', 'complaint']);
  expect(world.lines.join()).toContain('address suppressed');
  expect(world.lines.join()).not.toContain('example.com');
});

test('a report counts whatever spelling of the address it has', async () => {
  const world = createWorld();
  world.put({ ...ours(world, 'bounce'), to: 'john@EXAMPLE.com' });
  world.loop.start();
  await waitFor(() => world.queue.size === 0);
  expect(world.outcomes).toEqual(['bounce']);
});

test('a bounce that may pass suppresses nothing', async () => {
  const world = createWorld();
  world.put(ours(world, 'other'));
  world.loop.start();
  await waitFor(() => world.queue.size === 0);
  expect(world.suppressed).toEqual([]);
  expect(world.outcomes).toEqual(['ignored']);
});

test('a report without a proof of ours, or with that of another mail or address, suppresses nothing', async () => {
  const world = createWorld();
  const real = ours(world, 'bounce');
  const forged: MailReport[] = [
    { ...real, proof: undefined },
    { ...real, proof: '' },
    { ...real, proof: randomToken() },
    { ...real, mailId: newId('mail') },
    { ...real, mailId: undefined },
    { ...real, to: 'jane@example.com' },
    { ...real, to: undefined },
    { ...real, proof: mailProof(createServerKeys([randomToken()]), String(real.mailId), to) },
  ];
  for (const report of forged) world.put(report);
  world.loop.start();
  await waitFor(() => world.queue.size === 0);
  expect(world.suppressed).toEqual([]);
  expect(world.outcomes).toEqual(forged.map(() => 'foreign'));
});

test('a proof is valid after the server secrets were rotated', async () => {
  const [older, newer] = [randomToken(), randomToken()];
  const world = createWorld({ keys: createServerKeys([older]) });
  world.put(ours(world, 'bounce'));
  world.keys.replace([newer, older]);
  world.loop.start();
  await waitFor(() => world.queue.size === 0);
  expect(world.outcomes).toEqual(['bounce']);
});

test('a message that cannot be read stays in the queue and holds back no other one', async () => {
  const world = createWorld();
  world.put(undefined);
  world.put(ours(world, 'bounce'));
  world.loop.start();
  await waitFor(() => world.suppressed.length === 1);
  await waitFor(() => world.queue.size === 1);
  expect([...world.queue.values()]).toEqual([undefined]);
  expect(world.outcomes).toEqual(['unreadable', 'bounce']);
});

test('a store that is away loses no report', async () => {
  const world = createWorld({ failures: 2 });
  world.put(ours(world, 'bounce'));
  world.loop.start();
  await waitFor(() => world.queue.size === 0);
  expect(world.suppressed).toHaveLength(1);
  expect(world.lines.filter((line) => line.startsWith('reports about mails cannot be read'))).toHaveLength(2);
});

test('stopping ends the wait for messages without a warning, and the loop can start again', async () => {
  const lines: string[] = [];
  let waits = 0;
  const loop = createMailFeedback({
    feedback: {
      receive: (stopping) => {
        waits += 1;
        return new Promise((_, reject) => {
          stopping.addEventListener('abort', () => reject(new Error('aborted')));
        });
      },
      remove: async () => {},
    },
    suppressions: { add: async () => {} },
    keys: createServerKeys([randomToken()]),
    clock: createManualClock(),
    logger: { info: () => {}, warn: (_: unknown, message?: string) => void lines.push(String(message)) },
  });
  for (let turn = 1; turn <= 2; turn += 1) {
    loop.start();
    await waitFor(() => waits === turn);
    await loop.stop();
  }
  expect(lines).toEqual([]);
});
