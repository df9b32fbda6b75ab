import type { OutboxEvent } from '../ports/outbox.ts';

/** The events about accounts; events/catalogue.ts defines their fields. */
export type AccountEventType =
  | 'user.created'
  | 'user.login'
  | 'user.password_changed'
  | 'user.roles_changed'
  | 'user.disabled'
  | 'user.enabled'
  | 'user.signed_out_everywhere';

/** Makes an event with the current time, checked against the catalogue; `subject` is the id of the account. */
export type NewEvent = (
  type: AccountEventType,
  subject: string,
  data: Record<string, unknown>,
) => OutboxEvent;
