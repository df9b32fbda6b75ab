import type { Client } from 'pg';
import { type Deployment, demo } from '../support/deployment.ts';
import { postJson } from '../support/json-api.ts';

/** The setting with which a test can send requests from any address. */
export const fromAnywhere = { GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1/32' };

export const from = (address: string) => ({ 'x-forwarded-for': address });

/** Tries a password of the demo account or another account, from an address. */
export function tryPassword(
  deployment: Pick<Deployment, 'fetch' | 'issuer'>,
  address: string,
  { email = demo.email, password = 'a-wrong-guess' } = {},
): Promise<Response> {
  return postJson(deployment, '/auth/login', { email, password }, from(address));
}

/** The right password. */
export const right = { password: demo.password };

/** An address in one of 65,536 separate networks of 256 addresses each. */
export const addressIn = (network: number, host = 1) => `20.${network >> 8}.${network & 255}.${host}`;

export const retryAfter = (answer: Response) => Number(answer.headers.get('retry-after'));

/** The number of rows of all tables together. */
export async function countRows(database: Client): Promise<number> {
  const tables = await database.query(`select tablename from pg_tables where schemaname = 'public'`);
  let sum = 0;
  for (const { tablename } of tables.rows) {
    const { rows } = await database.query(`select count(*) from "${tablename}"`);
    sum += Number(rows[0].count);
  }
  return sum;
}
