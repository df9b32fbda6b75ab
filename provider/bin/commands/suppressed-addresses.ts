import { systemClock as clock } from '../../lib/clock.ts';
import { GatehouseError } from '../../lib/errors.ts';
import type { MailSuppression } from '../../ports/mail-suppressions.ts';
import type { Output } from '../cli/output.ts';
import { isoTime, table } from '../cli/table.ts';
import { withStores } from './open-stores.ts';

/** More are not shown. */
const most = 1000;

/** Returns why and how long an address gets no mail, as commands show it. */
export const suppressionDocument = ({ reason, at, expiresAt }: MailSuppression) => ({
  reason,
  since: isoTime(at),
  until: isoTime(expiresAt),
});

/** `gatehouse mail suppressed`. */
export async function suppressedAddresses(output: Output): Promise<void> {
  const found = await withStores({}, ({ ports }) => ports.mailSuppressions.list(most + 1, clock.now()));
  const shown = found.slice(0, most);
  const rows = shown.map((one) => [one.address, one.reason, isoTime(one.at), isoTime(one.expiresAt)]);
  output.result(
    { addresses: shown.map((one) => ({ address: one.address, ...suppressionDocument(one) })) },
    shown.length === 0 ? 'No address is suppressed.' : table(['address', 'reason', 'since', 'until'], rows),
  );
  if (found.length > most) output.note(`There are more: the newest ${most} are shown.`);
}

/** `gatehouse mail unsuppress`. Throws `not_found`. */
export async function unsuppressAddress(address: string, output: Output): Promise<void> {
  if (!(await withStores({}, ({ ports }) => ports.mailSuppressions.remove(address))))
    throw new GatehouseError('not_found', `The address ${address} is not suppressed.`);
  output.result({ address }, `${address} gets mails again.`);
}
