import type { OutboxEvent } from '../ports/outbox.ts';

/** The events told of accounts; their shapes stand in the catalogue. */
export type AccountEventType =
  | 'user.created'
  | 'user.login'
  | 'user.password_changed'
  | 'user.roles_changed'
  | 'user.disabled'
  | 'user.enabled'
  | 'user.signed_out_everywhere';

/** Makes an event of now, checked against the catalogue; `subject` is the account's id. */
export type NewEvent = (
  type: AccountEventType,
  subject: string,
  data: Record<string, unknown>,
) => OutboxEvent;
