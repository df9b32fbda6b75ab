import type { Migration } from './migration.ts';

export const announcements: Migration = {
  name: '0008-announcements',
  up: async (sql) => {
    await sql('create table announcements (topic text collate "C" primary key, value text)');
  },
};
