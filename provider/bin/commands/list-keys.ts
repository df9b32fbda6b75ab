import type { Config } from '../../config/schema.ts';
import { publicJwks } from '../../keys/jwks.ts';
import { publishedKeys, signingKey } from '../../keys/key-schedule.ts';
import { type KeySet, keyTimesOf, parseKeySet, type SigningKey } from '../../keys/key-set.ts';
import { systemClock } from '../../lib/clock.ts';
import { GatehouseError } from '../../lib/errors.ts';
import type { Output } from '../cli/output.ts';
import { isoTime, table } from '../cli/table.ts';
import { type OpenKeys, withKeyStore } from './with-key-store.ts';

type KeyState = 'next' | 'signing' | 'retired';

const stateOf = (key: SigningKey, signing: SigningKey, now: number): KeyState => {
  if (key === signing) return 'signing';
  return key.retiredAt !== undefined && key.retiredAt <= now ? 'retired' : 'next';
};

/**
 * Returns the public data of the keys. The members are named one by one, so that no private member is included by
 * mistake.
 */
export function keyDocuments(set: KeySet, now: number, config: Config) {
  const signing = signingKey(set, now);
  const published = publishedKeys(set, now, keyTimesOf(config));
  return [...set.keys]
    .sort((one, other) => one.signsFrom - other.signsFrom)
    .map((key) => ({
      kid: key.kid,
      state: stateOf(key, signing, now),
      published: published.includes(key),
      publishedAt: isoTime(key.publishedAt),
      signsFrom: isoTime(key.signsFrom),
      retiredAt: key.retiredAt === undefined ? null : isoTime(key.retiredAt),
      kms: key.kms?.arn ?? null,
    }));
}

async function storedSet({ store, place }: OpenKeys): Promise<KeySet> {
  const stored = await store.load();
  if (stored !== undefined) return parseKeySet(stored.value);
  const advice = 'The first start makes it, or gatehouse keys create.';
  throw new GatehouseError('not_found', `There is no key set in ${place} yet. ${advice}`);
}

/** `gatehouse keys list`. Throws `not_found` when there is no key set yet. */
export async function listKeys(output: Output): Promise<void> {
  await withKeyStore(async (open) => {
    const keys = keyDocuments(await storedSet(open), systemClock.now(), open.config);
    const rows = keys.map(({ kid, state, published, publishedAt, signsFrom, retiredAt }) => {
      return [kid, state, published ? 'yes' : 'no', publishedAt, signsFrom, retiredAt ?? '-'];
    });
    output.result({ keys }, table(['kid', 'state', 'in jwks', 'published', 'signs from', 'retires'], rows));
  });
}

/**
 * `gatehouse keys export --public`: the JWKS that the servers publish now, in the same order. Throws `not_found` when
 * there is no key set yet.
 */
export async function exportKeys(output: Output): Promise<void> {
  await withKeyStore(async (open) => {
    const { jwks } = publicJwks(publishedKeys(await storedSet(open), systemClock.now(), open.times));
    output.result(jwks, JSON.stringify(jwks, null, 2));
  });
}
