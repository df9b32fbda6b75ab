import type { GatehouseEvent } from '@gatehouse/verify/events';
import type { Transaction } from './transaction.ts';

/**
 * What this service does with an event. Replace it by your own. It must do all its work in the transaction: then the
 * work and the note that it was done are saved together or not at all. What is outside the database, such as an email,
 * can't be undone. Write a row for it here, and let another program send it.
 */
export async function applyEvent(transaction: Transaction, event: GatehouseEvent): Promise<void> {
  // The subjects of the other events are keys and clients. This service does not need them.
  if (event.subject === 'keys' || event.subject.startsWith('clients:')) return;
  await transaction.query('INSERT INTO people_history (person, type, sequence) VALUES ($1, $2, $3)', [
    event.subject,
    event.type,
    event.sequence,
  ]);
  if (event.type === 'user.created' || event.type === 'user.enabled')
    await setActive(transaction, event, true);
  if (event.type === 'user.disabled') await setActive(transaction, event, false);
}

/** Keeps a newer value. An event whose gap did not close in time comes after later ones. */
async function setActive(transaction: Transaction, event: GatehouseEvent, active: boolean): Promise<void> {
  await transaction.query(
    `INSERT INTO people (id, active, active_sequence) VALUES ($1, $2, $3)
     ON CONFLICT (id) DO UPDATE SET active = excluded.active, active_sequence = excluded.active_sequence
     WHERE people.active_sequence < excluded.active_sequence`,
    [event.subject, active, event.sequence],
  );
}
