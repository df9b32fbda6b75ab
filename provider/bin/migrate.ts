import { loadConfig } from '../config/load.ts';
import { systemClock } from '../lib/clock.ts';
import { createLogger } from '../lib/logger.ts';
import { openConfiguredDatabase, schemaOf } from './adapters.ts';

/** `gatehouse migrate`: brings the schema up to this release. Any number may run at once; a second run changes nothing. */
export async function migrate(write: (text: string) => void): Promise<void> {
  const config = loadConfig({ required: ['GATEHOUSE_DATABASE_URL'] });
  const logger = createLogger({ level: config.logLevel });
  const database = await openConfiguredDatabase(config, { logger, clock: systemClock });
  try {
    const applied = await schemaOf(database).migrate();
    write(
      applied.length > 0 ? `Applied: ${applied.join(', ')}\n` : 'Nothing to do: the schema is current.\n',
    );
  } finally {
    await database.close();
  }
}
