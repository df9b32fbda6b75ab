import { systemClock as clock } from '../../lib/clock.ts';
import type { SetAsideLogout } from '../../ports/logouts.ts';
import type { SetAsideMail } from '../../ports/mails.ts';
import type { SetAsideEvent } from '../../ports/outbox.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { isoTime, table } from '../cli/table.ts';
import { type Stores, withStores } from './open-stores.ts';

export interface FailedOptions {
  retry: boolean;
  /** Undefined for all. */
  id?: string[] | undefined;
}

/** Something that is delivered to other systems, and is set aside when that fails. */
interface Kind<Item extends { id: string }> {
  /** For example `event`. */
  noun: string;
  store(stores: Stores): {
    depth(): Promise<{ setAside: number }>;
    setAside(limit: number): Promise<Item[]>;
    retry(ids: string[] | undefined): Promise<string[]>;
  };
  /** The row of the table, without `id`, and its head. */
  head: string[];
  row(item: Item): string[];
  document(item: Item): object;
}

/** More are not shown. `--retry` without ids still retries all. */
const most = 1000;

/** `gatehouse events failed`. Errors are those of `failed`. */
export const failedEvents = (options: FailedOptions, output: Output): Promise<void> =>
  failed<SetAsideEvent>(
    {
      noun: 'event',
      store: ({ ports }) => ports.outbox,
      head: ['type', 'time', 'subject', 'sequence', 'attempts', 'reason'],
      row: ({ type, time, subject, sequence, attempts, reason }) => [
        ...[type, isoTime(time), subject, String(sequence), String(attempts), reason],
      ],
      document: ({ time, ...event }) => ({ ...event, time: isoTime(time) }),
    },
    options,
    output,
  );

/** `gatehouse logouts failed`. Errors are those of `failed`. */
export const failedLogouts = (options: FailedOptions, output: Output): Promise<void> =>
  failed<SetAsideLogout>(
    {
      noun: 'logout',
      store: ({ ports }) => ports.logouts,
      head: ['client', 'account', 'ended', 'attempts', 'reason'],
      row: ({ clientId, accountId, endedAt, attempts, reason }) => [
        ...[clientId, accountId, isoTime(endedAt), String(attempts), reason],
      ],
      document: ({ endedAt, ...logout }) => ({ ...logout, endedAt: isoTime(endedAt) }),
    },
    options,
    output,
  );

/** `gatehouse mail failed`. Errors are those of `failed`. */
export const failedMails = (options: FailedOptions, output: Output): Promise<void> =>
  failed<SetAsideMail>(
    {
      noun: 'mail',
      store: ({ ports: { mails } }) => ({
        depth: () => mails.depth(),
        setAside: (limit) => mails.setAside(limit),
        retry: (ids) => mails.retry(ids, clock.now()),
      }),
      head: ['kind', 'account', 'written', 'expires', 'attempts', 'reason'],
      row: ({ kind, accountId = '', createdAt, expiresAt, attempts, reason }) => [
        ...[kind, accountId, isoTime(createdAt), isoTime(expiresAt), String(attempts), reason],
      ],
      document: ({ createdAt, expiresAt, ...mail }) => ({
        ...mail,
        createdAt: isoTime(createdAt),
        expiresAt: isoTime(expiresAt),
      }),
    },
    options,
    output,
  );

/**
 * Lists what was set aside, or makes it due again. Throws `not_found` after the work when a given id is not the id of
 * something that was set aside.
 */
async function failed<Item extends { id: string }>(
  kind: Kind<Item>,
  { retry, id: ids }: FailedOptions,
  output: Output,
): Promise<void> {
  const { noun } = kind;
  const { shown, retried, total } = await withStores({}, async (stores) => {
    const store = kind.store(stores);
    const { setAside: total } = await store.depth();
    const all = await store.setAside(ids === undefined ? most : total);
    const shown = ids === undefined ? all : all.filter(({ id }) => ids.includes(id));
    const retried = retry ? await store.retry(ids) : [];
    // Without the signal, they wait for the next poll.
    if (retried.length > 0) await stores.ports.wakeUp.notify().catch(() => {});
    return { shown, retried, total };
  });
  const nothing = `No ${noun} was set aside.`;
  if (retry) {
    const count = retried.length === 1 ? `1 ${noun}` : `${retried.length} ${noun}s`;
    output.result({ retried }, retried.length === 0 ? nothing : `Due again: ${count}.`);
  } else {
    const listing = () =>
      table(
        ['id', ...kind.head],
        shown.map((item) => [item.id, ...kind.row(item)]),
      );
    const items = shown.map((item) => kind.document(item));
    output.result({ total, [`${noun}s`]: items }, shown.length === 0 ? nothing : listing());
    if (ids === undefined && total > most) output.note(`Of ${total} ${noun}s, the oldest ${most} are shown.`);
  }
  refuseUnknown(ids, retry ? retried : shown.map(({ id }) => id));
}

function refuseUnknown(ids: string[] | undefined, known: string[]): void {
  const missing = [...new Set(ids)].filter((id) => !known.includes(id));
  if (missing.length === 0) return;
  const message = `Not set aside: ${missing.join(', ')}`;
  throw new CommandFailure('problems', message, { code: 'not_found' });
}
