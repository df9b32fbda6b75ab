/**
 * A list of passwords that attackers know, for example from breaches.
 *
 * `has` compares the whole password, and never a part of it (NIST SP 800-63B-4 §3.1.1.2). It is called only for new
 * passwords. It never rejects: a list that cannot be asked logs a warning and gives false, because people must be able
 * to choose a password while an external service is away.
 */
export interface PasswordBlocklist {
  /** @param password in Unicode NFC */
  has(password: string): Promise<boolean>;
}
