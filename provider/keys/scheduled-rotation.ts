import { generateKey } from './generate-key.ts';
import type { KeySet } from './key-set.ts';
import { type ChangeDeps, changeStoredKeySet, rotated } from './rotation.ts';

/**
 * The result of one check. `in_kms`: the newest key is in AWS KMS, and a schedule makes no keys there. `lost`: another
 * process changed the set at the same time, and nothing was written.
 */
export type ScheduledOutcome =
  | { outcome: 'lost' }
  | { outcome: 'not_due' | 'in_kms'; set?: never }
  | { outcome: 'rotated'; kid: string; signsFrom: number; set: KeySet };

const dayMs = 86_400_000;

/**
 * Adds a key to the stored set when its newest key was published `everyDays` ago or earlier. The age is read from the
 * set itself, so it does not matter which process checks, how often, or when it was started. Of parallel calls, one adds
 * a key.
 *
 * @throws as `changeStoredKeySet`
 */
export async function rotateWhenDue(deps: ChangeDeps, everyDays: number): Promise<ScheduledOutcome> {
  return changeStoredKeySet(deps, (set) => change(set, deps, everyDays));
}

async function change(
  set: KeySet,
  { clock, times }: ChangeDeps,
  everyDays: number,
): Promise<Exclude<ScheduledOutcome, { outcome: 'lost' }>> {
  const newest = set.keys.reduce((one, other) => (other.publishedAt > one.publishedAt ? other : one));
  if (clock.now() - newest.publishedAt < everyDays * dayMs) return { outcome: 'not_due' };
  if (newest.kms !== undefined) return { outcome: 'in_kms' };
  const key = await generateKey();
  return { ...rotated(set, key, clock.now(), times.leadSeconds), kid: key.kid };
}
