import { openConfiguredDatabase, schemaOf } from '../../compose/adapters.ts';
import { loadConfig } from '../../config/load.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Output } from '../cli/output.ts';
import { silentLogger } from './silent-logger.ts';

/** `gatehouse migrate`: brings the schema up to this release. Any number may run at once; a second run changes nothing. */
export async function migrateSchema(output: Output): Promise<void> {
  const config = loadConfig({ required: ['GATEHOUSE_DATABASE_URL'] });
  const database = await openConfiguredDatabase(config, { logger: silentLogger(), clock: systemClock });
  try {
    const applied = await schemaOf(database).migrate();
    const done = `Applied: ${applied.join(', ')}`;
    output.result({ applied }, applied.length > 0 ? done : 'Nothing to do: the schema is current.');
  } finally {
    await database.close();
  }
}
