import { join } from 'node:path';
import { keysHome, openKeyStore } from '../../compose/adapters.ts';
import { openConfiguredDatabase, schemaOf } from '../../compose/connections.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { type KeyTimes, keyTimesOf } from '../../keys/key-set.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import type { KeyStore } from '../../ports/key-store.ts';
import { requireCurrentSchema } from './migrate-schema.ts';
import { silentLogger } from './silent-logger.ts';

export interface OpenKeys {
  config: Config;
  store: KeyStore;
  /** The place of the keys, for messages. */
  place: string;
  /** How long keys are needed, by the settings. */
  times: KeyTimes;
}

/**
 * Runs `work` with the store of the signing keys that the settings name, or that `reference` names. Opens the database
 * only if the keys are there. Throws a ConfigurationError.
 */
export async function withKeyStore<T>(
  work: (keys: OpenKeys) => Promise<T>,
  { reference }: { reference?: string | undefined } = {},
): Promise<T> {
  const loaded = loadConfig();
  // The reference is explicit, so that reading the keys does not create the data folder.
  const place = reference ?? loaded.keys ?? `file:${join(loaded.dataFolder, 'keys.json')}`;
  const config = { ...loaded, keys: place };
  const times = keyTimesOf(config);
  const deps = { clock, logger: silentLogger() };
  if (keysHome(config) !== 'postgres')
    return work({ config, store: await openKeyStore(config, deps), place, times });
  const database = await openConfiguredDatabase(config, deps);
  try {
    const schema = schemaOf(database);
    if (config.databaseUrl === undefined) await schema.migrate();
    else await requireCurrentSchema(schema);
    return await work({
      config,
      store: await openKeyStore(config, deps, database),
      place: 'Postgres',
      times,
    });
  } finally {
    await database.close();
  }
}
