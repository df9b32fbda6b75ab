import { affected, rows, type Sql } from './sql.ts';

/**
 * What the tables of logouts and mails have in common: `due_at`, `reason` and `set_aside`. A claim sets `due_at` to a later
 * time, so it expires without another write.
 */
export interface DeliveryTable {
  name: 'logouts' | 'mails';
  /** The column with the time since which a row waits. */
  since: 'ended_at' | 'created_at';
}

/** Ends a claim, and sets the row aside when `retryAt` is undefined. Gives false when the row does not wait any more. */
export async function markFailed(
  db: Sql,
  { name }: DeliveryTable,
  id: string,
  reason: string,
  retryAt: number | undefined,
): Promise<boolean> {
  const changed = await affected(
    db,
    `update ${name} set reason = :reason, due_at = coalesce(:retryAt, due_at), set_aside = :retryAt::bigint is null
     where id = :id and not set_aside`,
    { id, reason: reason.replaceAll('\0', ''), retryAt: retryAt ?? null },
  );
  return changed === 1;
}

/** Removes a row that waits. Gives false when it does not wait any more. */
export async function remove(db: Sql, { name }: DeliveryTable, id: string): Promise<boolean> {
  return (await affected(db, `delete from ${name} where id = :id and not set_aside`, { id })) === 1;
}

/** Counts rows that wait, gives the time of the oldest, and counts those that were set aside. */
export async function depth(
  db: Sql,
  { name, since }: DeliveryTable,
): Promise<{ pending: number; oldest: number | undefined; setAside: number }> {
  const [row] = await rows<{ pending: string; oldest: string | null; set_aside: string }>(
    db,
    `select count(*) filter (where not set_aside) as pending,
       min(${since}) filter (where not set_aside) as oldest,
       count(*) filter (where set_aside) as set_aside
     from ${name}`,
  );
  return {
    pending: Number(row?.pending ?? 0),
    oldest: row?.oldest == null ? undefined : Number(row.oldest),
    setAside: Number(row?.set_aside ?? 0),
  };
}
