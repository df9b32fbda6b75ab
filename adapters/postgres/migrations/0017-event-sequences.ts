import type { Migration } from './migration.ts';

/**
 * Each event gets the next number of its subject when it is first claimed. The last number has a table of its own,
 * because published events are deleted. Earlier releases ignore both and publish without a number.
 */
export const eventSequences: Migration = {
  name: '0017-event-sequences',
  up: async (sql) => {
    await sql('alter table outbox add column sequence bigint');
    await sql(`
      create table outbox_sequences (
        subject text collate "C" primary key,
        last bigint not null
      )`);
  },
};
