import { systemClock as clock } from '../../lib/clock.ts';
import type { Output } from '../cli/output.ts';
import { isoTime, table } from '../cli/table.ts';
import { accountDocument, accountText, factorDocument, passkeyDocument } from './account-document.ts';
import { findAccount } from './find-account.ts';
import { withStores } from './open-stores.ts';
import { suppressionDocument } from './suppressed-addresses.ts';

export interface ListOptions {
  after?: string | undefined;
  limit: number;
}

/** `gatehouse accounts list`. */
export async function listAccounts({ after, limit }: ListOptions, output: Output): Promise<void> {
  const found = await withStores({}, ({ ports }) => ports.accounts.list(after, limit + 1));
  const page = found.slice(0, limit);
  const next = found.length > limit ? page.at(-1)?.id : undefined;
  const rows = page.map(({ id, email, state, roles, createdAt }) => {
    return [id, email, state, roles.join(', '), isoTime(createdAt)];
  });
  output.result(
    { accounts: page.map(accountDocument), next: next ?? null },
    page.length > 0 ? table(['id', 'email', 'state', 'roles', 'created'], rows) : 'No accounts.',
  );
  if (next !== undefined) output.note(`There are more: gatehouse accounts list --after ${next}`);
}

/** `gatehouse accounts show`. Throws `not_found`. */
export async function showAccount(account: string, output: Output): Promise<void> {
  const { found, factor, passkeys, suppression } = await withStores({}, async ({ ports }) => {
    const found = await findAccount(ports.accounts, account);
    const suppression = await ports.mailSuppressions.find(found.email, clock.now());
    const factor = await ports.secondFactors.find(found.id);
    return { found, factor, passkeys: await ports.passkeys.list(found.id), suppression };
  });
  const secondFactor = factor ? factorDocument(factor) : null;
  const mailSuppressed = suppression ? suppressionDocument(suppression) : null;
  const document = {
    ...accountDocument(found),
    secondFactor,
    passkeys: passkeys.map(passkeyDocument),
    mailSuppressed,
  };
  output.result(document, accountText(found, { factor, passkeys, suppression }));
}
