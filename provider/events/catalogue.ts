import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import { newId } from '../lib/ids.ts';
import { currentRequestScope } from '../lib/request-scope.ts';
import type { OutboxEvent } from '../ports/outbox.ts';
import { account, difference, factor, logout, origin, passkey } from './event-fields.ts';

/** The actor that caused the event, and its address. The audit needs both. */
export interface EventOrigin {
  actor?: string | undefined;
  ip?: string | undefined;
}

interface EventDefinition {
  /** The version of `data`. It is increased when `data` changes in a way that can break a receiver. */
  version: number;
  /** The moment when the event is written, for the documentation. */
  when: string;
  data: z.ZodObject;
}

/** Every type of event: when it is written, and the fields of its `data`. */
export const eventCatalogue = {
  'user.created': {
    version: 1,
    when: 'An account was created. Not for an import.',
    data: z.strictObject({ ...account, ...origin }),
  },
  'user.invited': {
    version: 1,
    when: 'An administrator invited a person: the account has no password, and a mail with a link to choose one was written. Earlier links are invalid.',
    data: z.strictObject({ ...account, ...origin }),
  },
  'user.email_verified': {
    version: 1,
    when: 'A person proved that the email address of the account is theirs, with a link or a code from a mail.',
    data: z.strictObject({ ...account, ...origin }),
  },
  'user.login': {
    version: 1,
    when: 'A person signed in with a correct password, or with a passkey. Not for single sign-on, and not for a refresh.',
    data: z.strictObject({
      ...account,
      clientId: z.string().describe('the client the person signed in to'),
      ip: z.string().describe('the client address of the request'),
      userAgent: z
        .string()
        .describe('the `User-Agent` of the request, cut to 512 characters; empty if there was none'),
    }),
  },
  'user.password_changed': {
    version: 1,
    when: 'The account got a new password. Every token that was issued before is invalid.',
    data: z.strictObject({ ...account, ...origin }),
  },
  'user.recovered': {
    version: 1,
    when: 'A person who had forgotten the password set a new one by a link or a code in a mail. The address is verified since then. `user.password_changed` is written too.',
    data: z.strictObject({ ...account, ...origin }),
  },
  'user.email_changed': {
    version: 1,
    when: 'The account got another email address, after a mail to it was confirmed, or got its earlier address again. Access tokens that were issued before keep the earlier address until they expire.',
    data: z.strictObject({
      ...account,
      email: z.string().min(1).describe('the address after the change'),
      previousEmail: z.string().min(1).describe('the address before the change'),
      cause: z
        .enum(['confirmed', 'undone'])
        .describe(
          '`confirmed`: a mail to the new address was confirmed; `undone`: the change was undone from the earlier address, which also ended every token',
        ),
      ...origin,
    }),
  },
  'user.second_factor_added': {
    version: 1,
    when: 'The account got a second factor, which every later sign-in needs.',
    data: z.strictObject({ ...account, ...factor, ...origin }),
  },
  'user.second_factor_removed': {
    version: 1,
    when: 'The person or an operator removed the second factor of the account, with its recovery codes.',
    data: z.strictObject({ ...account, ...factor, ...origin }),
  },
  'user.second_factor_removal_requested': {
    version: 1,
    when: 'A person without any second factor asked, after the right password, to remove them. A sign-in after the waiting time does.',
    data: z.strictObject({ ...account, ...origin }),
  },
  'user.recovery_codes_replaced': {
    version: 1,
    when: 'The person got new recovery codes. The earlier ones are invalid.',
    data: z.strictObject({ ...account, ...origin }),
  },
  'user.recovery_code_used': {
    version: 1,
    when: 'A recovery code was used instead of a code of the authenticator app.',
    data: z.strictObject({
      ...account,
      left: z.number().int().describe('how many recovery codes are left'),
      ...origin,
    }),
  },
  'user.passkey_added': {
    version: 1,
    when: 'The person added a passkey to the account.',
    data: z.strictObject({ ...account, ...passkey, ...origin }),
  },
  'user.passkey_removed': {
    version: 1,
    when: 'The person or an operator removed a passkey of the account.',
    data: z.strictObject({ ...account, ...passkey, ...origin }),
  },
  'user.passkey_refused': {
    version: 1,
    when: 'The answer of a passkey was right, but it was refused: its counter went back, so a copy of it may exist.',
    data: z.strictObject({
      ...account,
      ...passkey,
      reason: z.string().describe('`counter`: the counter of the passkey is not higher than at the last use'),
      ...origin,
    }),
  },
  'user.roles_changed': {
    version: 1,
    when: 'The roles of the account changed. Access tokens that were issued before keep the old roles until they expire.',
    data: z.strictObject({
      id: account.id,
      roles: z.array(z.string()).describe('all roles of the account after the change'),
      ...origin,
    }),
  },
  'user.disabled': {
    version: 1,
    when: 'The account was disabled. Every token that was issued before is invalid.',
    data: z.strictObject({ ...account, ...origin }),
  },
  'user.enabled': {
    version: 1,
    when: 'The account can sign in again.',
    data: z.strictObject({ ...account, ...origin }),
  },
  'user.signed_out_everywhere': {
    version: 1,
    when: 'All sessions of the account were ended. Every token that was issued before is invalid.',
    data: z.strictObject({ ...account, ...origin }),
  },
  'consent.granted': {
    version: 1,
    when: 'A person agreed to the access that a client requested.',
    data: z.strictObject({
      id: account.id,
      clientId: z.string().describe('the client'),
      scopes: z
        .array(z.string())
        .describe('all scopes that the person has agreed to for this client, including earlier ones'),
      audiences: z.array(z.string()).describe('the APIs of these scopes'),
      ...origin,
    }),
  },
  'consent.withdrawn': {
    version: 1,
    when: 'A person withdrew the consent for a client. Every token that was issued under this consent is invalid.',
    data: z.strictObject({ id: account.id, clientId: z.string().describe('the client'), ...origin }),
  },
  'session.ended': {
    version: 1,
    when: 'A session in a browser was ended, with its families that have no `offline_access`. Not for a session that expires.',
    data: z.strictObject({
      id: account.id,
      sessionId: z.string().describe('the id that the session has in the list of sign-ins'),
      ...origin,
    }),
  },
  'family.ended': {
    version: 1,
    when: 'A family was ended: all tokens that were issued from one sign-in at one client. The cause was a sign-out, a revocation, a withdrawn consent, an operator, or a code that was used again.',
    data: z.strictObject({
      id: account.id,
      clientId: z.string().describe('the client it was issued to'),
      familyId: z.string().describe('the `family` of its access tokens'),
      ...origin,
    }),
  },
  'token.reuse_detected': {
    version: 1,
    when: 'A spent refresh token was used again after its grace. It may have been stolen, so its family was ended.',
    data: z.strictObject({
      id: account.id,
      clientId: z.string().describe('the client it was issued to'),
      familyId: z.string().describe('the family that was ended'),
      ...origin,
    }),
  },
  'logout.delivered': {
    version: 1,
    when: 'A client accepted the logout token for a session that had ended (OpenID Connect Back-Channel Logout). It may have got the token more than once.',
    data: z.strictObject({ id: account.id, ...logout }),
  },
  'logout.failed': {
    version: 1,
    when: 'A client did not accept the logout token for a session that had ended, and gets it no more: it refused the token, or could not be reached for a day. The person may still be signed in there.',
    data: z.strictObject({
      id: account.id,
      ...logout,
      reason: z.string().describe('why the last try failed'),
    }),
  },
  'clients.changed': {
    version: 1,
    when: 'The clients of one source changed since the last event: `store` is the database, any other name is the file or folder. There is one event, even if several processes notice the change; several events if there are more than 500 ids.',
    data: z.strictObject({ source: z.string().describe('the name of the source'), ...difference }),
  },
  'keys.changed': {
    version: 1,
    when: 'The set of signing keys changed since the last event. There is one event, even if several processes notice the change.',
    data: z.strictObject(difference),
  },
} as const satisfies Record<string, EventDefinition>;

export type EventType = keyof typeof eventCatalogue;

export interface EventStamp {
  clock: Clock;
  /** `evt_…`. Default: a new id. */
  id?: string;
  /** Only for the event types that contain it. */
  origin?: EventOrigin | undefined;
}

/**
 * Makes an event with the current time.
 *
 * @param subject events with the same subject stay in order: the account's id, or the name of a set of clients or keys
 * @throws Error when `data` does not fit the catalogue: this is a mistake in our code and not in a request
 */
export function createEvent(
  type: EventType,
  subject: string,
  data: Record<string, unknown>,
  { clock, id = newId('evt'), origin = {} }: EventStamp,
): OutboxEvent {
  const definition = eventCatalogue[type];
  const told = 'actor' in definition.data.shape ? { ...definedOf(origin), ...data } : data;
  const parsed = definition.data.safeParse(told);
  if (!parsed.success) throw new Error(`The data of ${type} is wrong: ${z.prettifyError(parsed.error)}`);
  return { id, type, version: definition.version, time: clock.now(), subject, data: parsed.data };
}

const definedOf = (origin: EventOrigin) =>
  Object.fromEntries(Object.entries(origin).filter(([, value]) => value !== undefined));

/**
 * Makes an event with the current time and checks it against the catalogue. Actor and address come from the current
 * request.
 *
 * @param subject events with the same subject stay in order: the account's id, or the name of a set of clients or keys
 * @param id stable id for an event that several processes may write; default: a new id
 * @throws Error when `data` does not fit the catalogue: this is a mistake in our code
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
