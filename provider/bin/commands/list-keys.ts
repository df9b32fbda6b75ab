import { join } from 'node:path';
import { openKeyStore } from '../../compose/adapters.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { publishedKeys, signingKey } from '../../keys/key-schedule.ts';
import { type KeySet, parseKeySet, type SigningKey } from '../../keys/key-set.ts';
import { systemClock } from '../../lib/clock.ts';
import { GatehouseError } from '../../lib/errors.ts';
import type { Output } from '../cli/output.ts';
import { isoTime, table } from '../cli/table.ts';

type KeyState = 'next' | 'signing' | 'retired';

const stateOf = (key: SigningKey, signing: SigningKey, now: number): KeyState => {
  if (key === signing) return 'signing';
  return key.retiredAt !== undefined && key.retiredAt <= now ? 'retired' : 'next';
};

/**
 * Returns the public data of the keys. The members are named one by one, so that no private member is included by
 * mistake.
 */
function keyDocuments(set: KeySet, now: number, config: Config) {
  const signing = signingKey(set, now);
  const tokenSeconds = Math.max(config.accessTokenSeconds, config.idTokenSeconds);
  const published = publishedKeys(set, now, { tokenSeconds, leadSeconds: config.keyLeadSeconds });
  return [...set.keys]
    .sort((one, other) => one.signsFrom - other.signsFrom)
    .map((key) => ({
      kid: key.kid,
      state: stateOf(key, signing, now),
      published: published.includes(key),
      publishedAt: isoTime(key.publishedAt),
      signsFrom: isoTime(key.signsFrom),
      retiredAt: key.retiredAt === undefined ? null : isoTime(key.retiredAt),
    }));
}

/** `gatehouse keys list`. Throws `not_found` when there is no key set yet. */
export async function listKeys(output: Output): Promise<void> {
  const config = loadConfig();
  // The reference is explicit, so that listing the keys does not create the folder.
  const reference = config.keys ?? `file:${join(config.dataFolder, 'keys.json')}`;
  const stored = await (await openKeyStore({ ...config, keys: reference })).load();
  if (stored === undefined) {
    const advice = 'The first start makes it, or gatehouse keys create.';
    throw new GatehouseError('not_found', `There is no key set in ${reference} yet. ${advice}`);
  }
  const keys = keyDocuments(parseKeySet(stored.value), systemClock.now(), config);
  const rows = keys.map(({ kid, state, published, publishedAt, signsFrom, retiredAt }) => {
    return [kid, state, published ? 'yes' : 'no', publishedAt, signsFrom, retiredAt ?? '-'];
  });
  output.result({ keys }, table(['kid', 'state', 'in jwks', 'published', 'signs from', 'retires'], rows));
}
