import { type EventOf, type GatehouseEvent, parseEvent } from '@gatehouse/verify/events';

/** Handles every type of event. If the catalogue loses a type or a field, or gets a new type, this does not compile. */
export function describeEvent(event: GatehouseEvent): string {
  switch (event.type) {
    case 'user.login':
      return loginOf(event);
    case 'user.created':
    case 'user.invited':
    case 'user.email_verified':
    case 'user.password_changed':
    case 'user.recovered':
    case 'user.disabled':
    case 'user.enabled':
    case 'user.signed_out_everywhere':
      return `${event.data.email} ${event.data.actor ?? ''} ${event.data.ip ?? ''}`;
    case 'user.email_changed':
      return `${event.data.previousEmail} ${event.data.email} ${event.data.cause}`;
    case 'user.passkey_added':
    case 'user.passkey_removed':
      return event.data.passkeyId;
    case 'user.passkey_refused':
      return `${event.data.passkeyId} ${event.data.reason}`;
    case 'user.roles_changed':
      return event.data.roles.join();
    case 'user.second_factor_added':
    case 'user.second_factor_removed':
      return event.data.method;
    case 'user.second_factor_removal_requested':
    case 'user.recovery_codes_replaced':
      return event.data.email;
    case 'user.recovery_code_used':
      return event.data.left.toFixed();
    case 'consent.granted':
      return [...event.data.scopes, ...event.data.audiences].join();
    case 'consent.withdrawn':
      return event.data.clientId;
    case 'session.ended':
      return event.data.sessionId;
    case 'family.ended':
    case 'token.reuse_detected':
      return `${event.data.clientId} ${event.data.familyId}`;
    case 'logout.delivered':
    case 'logout.failed':
      return `${event.data.clientId} ${event.data.sid ?? ''}`;
    case 'clients.changed':
      return `${event.data.source} ${event.data.added.join()}`;
    case 'keys.changed':
      return event.data.removed.join();
    default: {
      const none: never = event;
      return none;
    }
  }
}

const loginOf = ({ id, sequence, data }: EventOf<'user.login'>): string =>
  `${id} ${sequence.toFixed()} ${data.clientId} ${data.ip} ${data.userAgent}`;

export const typeOf = (text: string): string | undefined => parseEvent(text)?.type;
