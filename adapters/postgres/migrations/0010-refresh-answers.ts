import type { Migration } from './migration.ts';

/**
 * The response to a refresh is stored for a short grace period. The time at which a token was used is now in the
 * payload.
 */
export const refreshAnswers: Migration = {
  name: '0010-refresh-answers',
  up: async (sql) => {
    await sql(`
      alter table families
        add column answer text,
        add column answer_until bigint,
        drop column previous_hash,
        drop column previous_spent_at`);
    await sql('create index families_answer_until on families (answer_until) where answer_until is not null');
  },
};
