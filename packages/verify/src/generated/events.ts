// Generated from the schemas of Gatehouse by `npm run generate`. Do not edit.

/** An account was created. Not for an import. */
export interface UserCreatedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.created';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** An administrator invited a person: the account has no password, and a mail with a link to choose one was written. Earlier links are invalid. */
export interface UserInvitedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.invited';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** A person proved that the email address of the account is theirs, with a link or a code from a mail. */
export interface UserEmailVerifiedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.email_verified';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** A person signed in with a correct password, or with a passkey. Not for single sign-on, and not for a refresh. */
export interface UserLoginEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.login';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** The client the person signed in to. */
    clientId: string;
    /** The client address of the request. */
    ip: string;
    /** The `User-Agent` of the request, cut to 512 characters; empty if there was none. */
    userAgent: string;
  };
}

/** The account got a new password. Every token that was issued before is invalid. */
export interface UserPasswordChangedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.password_changed';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** A person who had forgotten the password set a new one by a link or a code in a mail. The address is verified since then. `user.password_changed` is written too. */
export interface UserRecoveredEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.recovered';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** The account got another email address, after a mail to it was confirmed, or got its earlier address again. Access tokens that were issued before keep the earlier address until they expire. */
export interface UserEmailChangedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.email_changed';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** The address after the change. */
    email: string;
    /** The address before the change. */
    previousEmail: string;
    /** `confirmed`: a mail to the new address was confirmed; `undone`: the change was undone from the earlier address, which also ended every token. */
    cause: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** The account got a second factor, which every later sign-in needs. */
export interface UserSecondFactorAddedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.second_factor_added';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** `totp`: an authenticator app (RFC 6238). */
    method: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** The person or an operator removed the second factor of the account, with its recovery codes. */
export interface UserSecondFactorRemovedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.second_factor_removed';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** `totp`: an authenticator app (RFC 6238). */
    method: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** A person without any second factor asked, after the right password, to remove them. A sign-in after the waiting time does. */
export interface UserSecondFactorRemovalRequestedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.second_factor_removal_requested';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** The person got new recovery codes. The earlier ones are invalid. */
export interface UserRecoveryCodesReplacedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.recovery_codes_replaced';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** A recovery code was used instead of a code of the authenticator app. */
export interface UserRecoveryCodeUsedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.recovery_code_used';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** How many recovery codes are left. */
    left: number;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** The person added a passkey to the account. */
export interface UserPasskeyAddedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.passkey_added';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** The credential id of the passkey. */
    passkeyId: string;
    /** The name that the person gave it. */
    name: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** The person or an operator removed a passkey of the account. */
export interface UserPasskeyRemovedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.passkey_removed';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** The credential id of the passkey. */
    passkeyId: string;
    /** The name that the person gave it. */
    name: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** The answer of a passkey was right, but it was refused: its counter went back, so a copy of it may exist. */
export interface UserPasskeyRefusedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.passkey_refused';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** The credential id of the passkey. */
    passkeyId: string;
    /** The name that the person gave it. */
    name: string;
    /** `counter`: the counter of the passkey is not higher than at the last use. */
    reason: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** The roles of the account changed. Access tokens that were issued before keep the old roles until they expire. */
export interface UserRolesChangedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.roles_changed';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** All roles of the account after the change. */
    roles: string[];
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** The account was disabled. Every token that was issued before is invalid. */
export interface UserDisabledEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.disabled';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** The account can sign in again. */
export interface UserEnabledEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.enabled';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** All sessions of the account were ended. Every token that was issued before is invalid. */
export interface UserSignedOutEverywhereEvent {
  /** The same at every delivery. */
  id: string;
  type: 'user.signed_out_everywhere';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** Its email address at that time. */
    email: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** A person agreed to the access that a client requested. */
export interface ConsentGrantedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'consent.granted';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** The client. */
    clientId: string;
    /** All scopes that the person has agreed to for this client, including earlier ones. */
    scopes: string[];
    /** The APIs of these scopes. */
    audiences: string[];
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** A person withdrew the consent for a client. Every token that was issued under this consent is invalid. */
export interface ConsentWithdrawnEvent {
  /** The same at every delivery. */
  id: string;
  type: 'consent.withdrawn';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** The client. */
    clientId: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** A session in a browser was ended, with its families that have no `offline_access`. Not for a session that expires. */
export interface SessionEndedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'session.ended';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** The id that the session has in the list of sign-ins. */
    sessionId: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** A family was ended: all tokens that were issued from one sign-in at one client. The cause was a sign-out, a revocation, a withdrawn consent, an operator, or a code that was used again. */
export interface FamilyEndedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'family.ended';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** The client it was issued to. */
    clientId: string;
    /** The `family` of its access tokens. */
    familyId: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** A spent refresh token was used again after its grace. It may have been stolen, so its family was ended. */
export interface TokenReuseDetectedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'token.reuse_detected';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** The client it was issued to. */
    clientId: string;
    /** The family that was ended. */
    familyId: string;
    /** The actor: the id of an account or a client, or `operator` for the command line; missing if it is not known. */
    actor?: string;
    /** The client address of the request; missing if there was no request. */
    ip?: string;
  };
}

/** A client accepted the logout token for a session that had ended (OpenID Connect Back-Channel Logout). It may have got the token more than once. */
export interface LogoutDeliveredEvent {
  /** The same at every delivery. */
  id: string;
  type: 'logout.delivered';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** The client. */
    clientId: string;
    /** The id that `gatehouse logouts failed` shows. */
    logoutId: string;
    /** The `sid` of the ended session in the id tokens of the client; missing if the client gets none. */
    sid?: string;
  };
}

/** A client did not accept the logout token for a session that had ended, and gets it no more: it refused the token, or could not be reached for a day. The person may still be signed in there. */
export interface LogoutFailedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'logout.failed';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The account's id, the `sub` of its tokens. */
    id: string;
    /** The client. */
    clientId: string;
    /** The id that `gatehouse logouts failed` shows. */
    logoutId: string;
    /** The `sid` of the ended session in the id tokens of the client; missing if the client gets none. */
    sid?: string;
    /** Why the last try failed. */
    reason: string;
  };
}

/** The clients of one source changed since the last event: `store` is the database, any other name is the file or folder. There is one event, even if several processes notice the change; several events if there are more than 500 ids. */
export interface ClientsChangedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'clients.changed';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** The name of the source. */
    source: string;
    /** Ids that are new. */
    added: string[];
    /** Ids whose content changed. */
    changed: string[];
    /** Ids that were removed. */
    removed: string[];
  };
}

/** The set of signing keys changed since the last event. There is one event, even if several processes notice the change. */
export interface KeysChangedEvent {
  /** The same at every delivery. */
  id: string;
  type: 'keys.changed';
  /** When the event was written, in UTC. */
  time: string;
  /** The version of `data`. */
  version: 1;
  /** The id of the account; or `keys`; or `clients:` with the name of the source. */
  subject: string;
  /** Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery. */
  sequence: number;
  data: {
    /** Ids that are new. */
    added: string[];
    /** Ids whose content changed. */
    changed: string[];
    /** Ids that were removed. */
    removed: string[];
  };
}

/** Every event. Compare `type` to get the type of `data`. */
export type GatehouseEvent =
  | UserCreatedEvent
  | UserInvitedEvent
  | UserEmailVerifiedEvent
  | UserLoginEvent
  | UserPasswordChangedEvent
  | UserRecoveredEvent
  | UserEmailChangedEvent
  | UserSecondFactorAddedEvent
  | UserSecondFactorRemovedEvent
  | UserSecondFactorRemovalRequestedEvent
  | UserRecoveryCodesReplacedEvent
  | UserRecoveryCodeUsedEvent
  | UserPasskeyAddedEvent
  | UserPasskeyRemovedEvent
  | UserPasskeyRefusedEvent
  | UserRolesChangedEvent
  | UserDisabledEvent
  | UserEnabledEvent
  | UserSignedOutEverywhereEvent
  | ConsentGrantedEvent
  | ConsentWithdrawnEvent
  | SessionEndedEvent
  | FamilyEndedEvent
  | TokenReuseDetectedEvent
  | LogoutDeliveredEvent
  | LogoutFailedEvent
  | ClientsChangedEvent
  | KeysChangedEvent;

/** What all events have besides `type`, `version` and `data`, for checks at run time. */
export const envelopeShape = {
  id: 'string',
  time: 'string',
  subject: 'string',
  sequence: 'number',
} as const;

/** The data of each type for checks at run time. A question mark means that the field can be missing. */
export const eventShapes = {
  'user.created': { version: 1, data: {
    id: 'string',
    email: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.invited': { version: 1, data: {
    id: 'string',
    email: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.email_verified': { version: 1, data: {
    id: 'string',
    email: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.login': { version: 1, data: {
    id: 'string',
    email: 'string',
    clientId: 'string',
    ip: 'string',
    userAgent: 'string',
  } },
  'user.password_changed': { version: 1, data: {
    id: 'string',
    email: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.recovered': { version: 1, data: {
    id: 'string',
    email: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.email_changed': { version: 1, data: {
    id: 'string',
    email: 'string',
    previousEmail: 'string',
    cause: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.second_factor_added': { version: 1, data: {
    id: 'string',
    email: 'string',
    method: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.second_factor_removed': { version: 1, data: {
    id: 'string',
    email: 'string',
    method: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.second_factor_removal_requested': { version: 1, data: {
    id: 'string',
    email: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.recovery_codes_replaced': { version: 1, data: {
    id: 'string',
    email: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.recovery_code_used': { version: 1, data: {
    id: 'string',
    email: 'string',
    left: 'number',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.passkey_added': { version: 1, data: {
    id: 'string',
    email: 'string',
    passkeyId: 'string',
    name: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.passkey_removed': { version: 1, data: {
    id: 'string',
    email: 'string',
    passkeyId: 'string',
    name: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.passkey_refused': { version: 1, data: {
    id: 'string',
    email: 'string',
    passkeyId: 'string',
    name: 'string',
    reason: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.roles_changed': { version: 1, data: {
    id: 'string',
    roles: 'string[]',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.disabled': { version: 1, data: {
    id: 'string',
    email: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.enabled': { version: 1, data: {
    id: 'string',
    email: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'user.signed_out_everywhere': { version: 1, data: {
    id: 'string',
    email: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'consent.granted': { version: 1, data: {
    id: 'string',
    clientId: 'string',
    scopes: 'string[]',
    audiences: 'string[]',
    actor: 'string?',
    ip: 'string?',
  } },
  'consent.withdrawn': { version: 1, data: {
    id: 'string',
    clientId: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'session.ended': { version: 1, data: {
    id: 'string',
    sessionId: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'family.ended': { version: 1, data: {
    id: 'string',
    clientId: 'string',
    familyId: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'token.reuse_detected': { version: 1, data: {
    id: 'string',
    clientId: 'string',
    familyId: 'string',
    actor: 'string?',
    ip: 'string?',
  } },
  'logout.delivered': { version: 1, data: {
    id: 'string',
    clientId: 'string',
    logoutId: 'string',
    sid: 'string?',
  } },
  'logout.failed': { version: 1, data: {
    id: 'string',
    clientId: 'string',
    logoutId: 'string',
    sid: 'string?',
    reason: 'string',
  } },
  'clients.changed': { version: 1, data: {
    source: 'string',
    added: 'string[]',
    changed: 'string[]',
    removed: 'string[]',
  } },
  'keys.changed': { version: 1, data: {
    added: 'string[]',
    changed: 'string[]',
    removed: 'string[]',
  } },
} as const;
