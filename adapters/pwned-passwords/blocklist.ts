import { pwnedPassword } from 'hibp';
import type { Logger } from '../../provider/lib/logger.ts';
import type { PasswordBlocklist } from '../../provider/ports/password-blocklist.ts';

export interface PwnedPasswordsOptions {
  /** The URL of a service with the API of Pwned Passwords, without a slash at the end. */
  url: string;
  logger: Pick<Logger, 'warn'>;
  /** The time for the whole request, in milliseconds. */
  timeoutMs?: number;
}

/**
 * Pwned Passwords (https://haveibeenpwned.com/API/v3#PwnedPasswords). It gets the first five hexadecimal digits of the
 * SHA-1 digest, and answers with the rest of every digest that begins with them (k-anonymity). Padding hides from
 * others how many that are.
 */
export function createPwnedPasswords({
  url,
  logger,
  timeoutMs = 500,
}: PwnedPasswordsOptions): PasswordBlocklist {
  return {
    has: async (password) => {
      try {
        const count = await pwnedPassword(password, {
          baseUrl: url,
          addPadding: true,
          userAgent: 'gatehouse',
          signal: AbortSignal.timeout(timeoutMs),
        });
        return count > 0;
      } catch (error) {
        logger.warn({ err: error }, 'breached passwords could not be asked for, the password was accepted');
        return false;
      }
    },
  };
}
