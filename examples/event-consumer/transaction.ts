import type { Pool, PoolClient } from 'pg';

export type Transaction = Pick<PoolClient, 'query'>;

/** Runs the work in one transaction. When the work throws, nothing is saved. */
export async function inTransaction<T>(
  pool: Pool,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    // A connection that could not roll back is closed, and not used again.
    client.release(broken);
  }
}
