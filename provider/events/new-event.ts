import type { Clock } from '../lib/clock.ts';
import { currentRequestScope } from '../lib/request-scope.ts';
import type { OutboxEvent } from '../ports/outbox.ts';
import { createEvent, type EventOrigin, type EventType } from './catalogue.ts';

/**
 * Makes an event with the current time and checks it against the catalogue. Actor and address come from the current
 * request.
 *
 * @param subject events with the same subject stay in order: the account's id, else the name of a set of clients or
 * keys
 * @param id stable id for an event that several processes may write; a new one when left out
 * @throws Error when `data` does not fit the catalogue: that is a mistake in our code
 */
export type NewEvent = (
  type: EventType,
  subject: string,
  data: Record<string, unknown>,
  id?: string,
) => OutboxEvent;

/** @param actor the actor outside of a request, for example an operator's command */
export function createNewEvent({ clock, actor }: { clock: Clock; actor?: string | undefined }): NewEvent {
  return (type, subject, data, id) =>
    createEvent(type, subject, data, {
      clock,
      origin: { actor, ...requestOrigin() },
      ...(id === undefined ? {} : { id }),
    });
}

/** The actor is the person if the account is known, else the client. */
function requestOrigin(): EventOrigin | undefined {
  const scope = currentRequestScope();
  return scope && { actor: scope.accountId ?? scope.clientId, ip: scope.clientAddress };
}
