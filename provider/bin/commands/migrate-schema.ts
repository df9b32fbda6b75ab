import { setTimeout as wait } from 'node:timers/promises';
import { openConfiguredDatabase, schemaOf } from '../../compose/connections.ts';
import { loadConfig } from '../../config/load.ts';
import { systemClock } from '../../lib/clock.ts';
import { ConfigurationError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Schema } from '../../ports/schema.ts';
import type { Output } from '../cli/output.ts';
import { silentLogger } from './silent-logger.ts';

/** `gatehouse migrate`: updates the schema to this release. Several may run at once; a second run changes nothing. */
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

/** Throws a ConfigurationError when the database lacks migrations of this release. */
export async function requireCurrentSchema(schema: Schema): Promise<void> {
  const pending = await schema.pending();
  if (pending.length === 0) return;
  throw new ConfigurationError([
    `The database lacks what this release needs (${pending.join(', ')}). Run: gatehouse migrate`,
  ]);
}

const pollMs = 1_000;
const remindEvery = 30;

/**
 * Waits until the database has all migrations of this release. So the processes of a new release may start before
 * `gatehouse migrate` ran. They are not ready until it has run, and the last release serves meanwhile. Rejects when
 * `stopping` is aborted.
 */
export async function awaitCurrentSchema(
  schema: Pick<Schema, 'pending'>,
  { logger, stopping }: { logger: Pick<Logger, 'warn'>; stopping: AbortSignal },
): Promise<void> {
  for (let polls = 0; ; polls += 1) {
    stopping.throwIfAborted();
    const pending = await schema.pending();
    if (pending.length === 0) return;
    if (polls % remindEvery === 0)
      logger.warn({ pending }, 'database lacks migrations of this release, waiting for: gatehouse migrate');
    await wait(pollMs, undefined, { signal: stopping });
  }
}
