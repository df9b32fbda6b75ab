import type { Migration } from './migration.ts';

/** What a refresh token was answered with is kept for its grace; when tokens were spent is told in the payload. */
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
