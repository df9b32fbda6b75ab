import type { SetAsideEvent } from '../../ports/outbox.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { isoTime, table } from '../cli/table.ts';
import { withStores } from './open-stores.ts';

export interface FailedEventsOptions {
  retry: boolean;
  /** Undefined for all. */
  id?: string[] | undefined;
}

/** More are not shown. `--retry` without ids still retries all. */
const most = 1000;

/**
 * `gatehouse events failed`. Lists the events that were set aside, or makes them due again. Throws `not_found` after the
 * work when a given id is not the id of such an event.
 */
export async function failedEvents({ retry, id: ids }: FailedEventsOptions, output: Output): Promise<void> {
  const { shown, retried, total } = await withStores({}, async ({ ports: { outbox, wakeUp } }) => {
    const { setAside: total } = await outbox.depth();
    const all = await outbox.setAside(ids === undefined ? most : total);
    const shown = ids === undefined ? all : all.filter(({ id }) => ids.includes(id));
    const retried = retry ? await outbox.retry(ids) : [];
    // Without the signal, the events wait for the next poll.
    if (retried.length > 0) await wakeUp.notify().catch(() => {});
    return { shown, retried, total };
  });
  if (retry) {
    output.result(
      { retried },
      retried.length === 0 ? 'No event was set aside.' : `Due again: ${counted(retried.length)}.`,
    );
  } else {
    output.result({ total, events: shown.map(document) }, listing(shown));
    if (ids === undefined && total > most) output.note(`Of ${total} events, the oldest ${most} are shown.`);
  }
  refuseUnknown(ids, retry ? retried : shown.map(({ id }) => id));
}

const counted = (count: number) => (count === 1 ? '1 event' : `${count} events`);

const document = ({ time, ...event }: SetAsideEvent) => ({ ...event, time: isoTime(time) });

function listing(events: SetAsideEvent[]): string {
  if (events.length === 0) return 'No event was set aside.';
  const rows = events.map(({ id, type, time, subject, sequence, attempts, reason }) => {
    return [id, type, isoTime(time), subject, String(sequence), String(attempts), reason];
  });
  return table(['id', 'type', 'time', 'subject', 'sequence', 'attempts', 'reason'], rows);
}

function refuseUnknown(ids: string[] | undefined, found: string[]): void {
  const missing = [...new Set(ids)].filter((id) => !found.includes(id));
  if (missing.length === 0) return;
  const message = `Not set aside: ${missing.join(', ')}`;
  throw new CommandFailure('problems', message, { code: 'not_found' });
}
