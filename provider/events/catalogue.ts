import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import { newId } from '../lib/ids.ts';
import type { OutboxEvent } from '../ports/outbox.ts';

interface EventDefinition {
  /** Raised when `data` changes in a way a receiver could trip over. */
  version: number;
  /** When it is written, for the documentation. */
  when: string;
  data: z.ZodObject;
}

const account = {
  id: z.string().min(1).describe("the account's id, the `sub` of its tokens"),
  email: z.string().min(1).describe('its address at that time'),
};

/** Every type of event, what its `data` holds, and when it is written. */
export const eventCatalogue = {
  'user.created': {
    version: 1,
    when: 'An account was made.',
    data: z.strictObject(account),
  },
  'user.login': {
    version: 1,
    when: 'A credential was checked and found right. Not for single sign-on, not for a refresh.',
    data: z.strictObject({
      ...account,
      clientId: z.string().describe('the client the person signed in to'),
      ip: z.string().describe('the address the request came from'),
      userAgent: z.string().describe('its `User-Agent`, cut to 512 characters; empty when there was none'),
    }),
  },
  'user.password_changed': {
    version: 1,
    when: 'The account got a new password; every token issued before is dead.',
    data: z.strictObject(account),
  },
  'user.roles_changed': {
    version: 1,
    when: 'The account was given other roles. Access tokens issued before keep theirs until they expire.',
    data: z.strictObject({
      id: account.id,
      roles: z.array(z.string()).describe('all roles it has now'),
    }),
  },
  'user.disabled': {
    version: 1,
    when: 'The account was disabled; every token issued before is dead.',
    data: z.strictObject(account),
  },
  'user.enabled': {
    version: 1,
    when: 'The account can sign in again.',
    data: z.strictObject(account),
  },
  'user.signed_out_everywhere': {
    version: 1,
    when: 'All sessions of the account were ended; every token issued before is dead.',
    data: z.strictObject(account),
  },
} as const satisfies Record<string, EventDefinition>;

export type EventType = keyof typeof eventCatalogue;

export interface EventStamp {
  clock: Clock;
  /** `evt_…`; a new one unless given. */
  id?: string;
}

/**
 * An event of now. `subject` is the account whose events stay in order.
 * Throws when `data` isn't what the catalogue says: that is a mistake in our code, not in anybody's input.
 */
export function createEvent(
  type: EventType,
  subject: string,
  data: Record<string, unknown>,
  { clock, id = newId('evt') }: EventStamp,
): OutboxEvent {
  const definition = eventCatalogue[type];
  const parsed = definition.data.safeParse(data);
  if (!parsed.success) throw new Error(`The data of ${type} is wrong: ${z.prettifyError(parsed.error)}`);
  return { id, type, version: definition.version, time: clock.now(), subject, data: parsed.data };
}
