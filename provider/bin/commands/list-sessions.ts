import type { Output } from '../cli/output.ts';
import { withSignIns } from './sign-in-access.ts';
import { grouped, signInDocument, signInTable } from './sign-in-document.ts';

/** `gatehouse sessions list`. Throws `not_found` when there is no such account. */
export async function listSessions(who: string, output: Output): Promise<void> {
  const { account, places, doubt } = await withSignIns(who, async ({ account, list, doubt }) => {
    return { account, places: grouped(await list()), doubt };
  });
  output.result(
    { accountId: account.id, sessions: places.map(signInDocument) },
    places.length > 0 ? signInTable(places) : `${account.email} is signed in nowhere.`,
  );
  if (places.length === 0 && doubt !== '') output.note(doubt);
}
