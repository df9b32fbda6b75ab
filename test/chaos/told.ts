import { waitFor } from '../support/wait-for.ts';
import type { ChaosClient } from './client.ts';
import type { Fleet } from './fleet.ts';
import type { Ledger } from './ledger.ts';

interface Told {
  id: string;
  type: string;
  data: { email?: string; familyId?: string };
}

/** Checks that each answered action has its event. An action with a lost answer may have an event too. */
export async function checkTold(
  fleet: Fleet,
  clients: readonly ChaosClient[],
  ledger: Ledger,
): Promise<void> {
  const isEmpty = async () =>
    (await fleet.metrics()).every((text) => /^gatehouse_outbox_pending 0$/m.test(text));
  await waitFor(isEmpty, { timeoutMs: 90_000, what: 'an empty outbox' });
  const all = toldBy(fleet);
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

function toldBy(fleet: Fleet): Told[] {
  const lines = fleet.written().flatMap((text) => text.split('\n'));
  return lines
    .filter((line) => line.startsWith('{"id":"evt_') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Told);
}
