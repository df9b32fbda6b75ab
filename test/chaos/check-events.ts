import { allPublished } from '../support/metrics.ts';
import { eventsIn } from '../support/published-events.ts';
import { waitFor } from '../support/wait-for.ts';
import type { ChaosClient } from './client.ts';
import type { ChaosFleet } from './fleet.ts';
import type { Ledger } from './ledger.ts';

/** Checks that each answered action has its event. An action with a lost answer may have an event too. */
export async function checkEvents(
  fleet: ChaosFleet,
  clients: readonly ChaosClient[],
  ledger: Ledger,
): Promise<void> {
  await waitFor(() => allPublished(fleet), { timeoutMs: 90_000, what: 'an empty outbox' });
  const all = eventsIn(fleet.started.map((program) => program.stdout()));
  const events = [...new Map(all.map((event) => [event.id, event])).values()];
  for (const { email, signIns } of clients) {
    const told = (type: string) =>
      events.filter((event) => event.type === type && event.data.email === email).length;
    if (told('user.created') !== 1) ledger.violated(`${email} was created ${told('user.created')} times`);
    if (told('user.login') < signIns)
      ledger.violated(`${email} signed in ${signIns} times, and ${told('user.login')} were told of`);
  }
  const families = new Set(events.map(({ type, data }) => `${type} ${data.familyId}`));
  for (const { type, familyId } of ledger.toTell) {
    if (!families.has(`${type} ${familyId}`)) ledger.violated(`${type} of ${familyId} was not told`);
    ledger.count(`${type} expected`);
  }
  ledger.counts.set('events told', events.length);
  ledger.counts.set('events told more than once', all.length - events.length);
}
